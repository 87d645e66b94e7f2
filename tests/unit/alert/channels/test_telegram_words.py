"""Whatever stands in an alert, Telegram takes its text as it is, and nothing of it is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes import bot_api_text
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.alert.channels import telegram_words
from x0tta_cli.alert.channels.telegram_text import split
from x0tta_cli.alert.model import Action, Message
from x0tta_cli.core.notices import Explanation, Notice, Severity
from x0tta_cli.core.text import escape_lines

TEXTS = st.text(max_size=60)
NOTICES = st.builds(
    Notice,
    name=TEXTS,
    severity=st.sampled_from(Severity),
    labels=st.dictionaries(TEXTS, TEXTS, max_size=8),
    starts_at=st.just(datetime(2026, 11, 25, tzinfo=UTC)),
    annotations=st.dictionaries(
        st.sampled_from(["summary", "description", "observed", "dashboard"]), TEXTS
    ),
    ends_at=st.sampled_from([None, datetime(2026, 11, 25, 1, tzinfo=UTC)]),
    explanation=st.builds(Explanation, *[st.lists(TEXTS, max_size=2).map(tuple)] * 3),
    source_url=TEXTS,
    runbook_url=TEXTS,
)
ACTIONS = st.sampled_from([Action.FIRE, Action.ACKNOWLEDGE, Action.RESOLVE])


@given(NOTICES, ACTIONS, TEXTS)
def test_every_text_is_taken_as_it_is(notice, action, note):
    message = Message(1, "k", action, notice, note=note)
    for words in (telegram_words.whole(message), telegram_words.short(message)):
        for part in split(words.text, words.spans):
            shown, entities = bot_api_text.accepted(part.text, list(part.entities), 4096)
            assert (shown, entities) == (part.text, list(part.entities))


@given(NOTICES)
def test_the_whole_text_has_every_label_annotation_and_line(notice):
    shown = telegram_words.whole(Message(1, "k", Action.FIRE, notice)).text
    told = [*notice.labels.values(), *notice.explanation.unknown]
    told += [text for name, text in notice.annotations.items() if name != "observed"]
    assert all(
        escape_lines(text.strip()) in shown for text in told if text.strip() and "\n" not in text
    )


def message(action=Action.FIRE, **members):
    starts_at = datetime(2026, 11, 25, 3, tzinfo=UTC)
    given = {"labels": {"node": "n-7"}, "annotations": {"summary": "s" * 900}, **members}
    notice = Notice("Name", Severity.ERROR, starts_at=starts_at, **given)
    return Message(1, "k", action, notice, note="It is flapping.", lasting_s=5400.0)


def test_a_summary_that_is_a_novel_is_cut_at_the_top_and_whole_below():
    text = telegram_words.whole(message()).text
    assert text.split("\n")[1].endswith("s \u2026")
    assert text.count("s" * 900) == 1


def test_an_explanation_that_came_through_alertmanager_looks_as_one_of_our_own():
    text = telegram_words.whole(
        message(
            annotations={"observed": "one\ntwo", "not_known": "three", "runbook_url": "http://r"}
        )
    ).text
    assert "Observed\n\u2022 one\n\u2022 two\n\nNot known\n\u2022 three\n" in text
    assert text.endswith("Runbook: http://r")
    assert text.count("http://r") == 1


def test_notes_stand_right_below_the_head():
    words = telegram_words.whole(message(annotations={}), ["The group has moved."])
    head, flapping, moved, *_ = words.text.split("\n\n")
    assert (flapping, moved) == ("It is flapping.", "The group has moved.")
    assert head == "\U0001f7e0 ERROR \u00b7 Name"


@pytest.mark.parametrize(("seconds", "lasted"), [(0, "0s"), (-5, "0s"), (90.4, "1m30s")])
def test_an_end_says_how_long_it_lasted(seconds, lasted):
    ends_at = datetime(2026, 11, 25, 3, tzinfo=UTC) + timedelta(seconds=seconds)
    text = telegram_words.short(message(Action.RESOLVE, ends_at=ends_at)).text
    assert f"It was error and lasted {lasted}." in text


def test_an_acknowledgement_says_for_how_long_it_is_quiet():
    text = telegram_words.short(message(Action.ACKNOWLEDGE)).text
    assert "it is not told again for 1h30m." in text
