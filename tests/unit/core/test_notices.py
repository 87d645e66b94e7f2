from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.notices import MAX_KEY_LENGTH, Explanation, Notice, Severity

START = datetime(2026, 11, 25, 10, tzinfo=UTC)
NOTICE = Notice("HighLatency", Severity.WARNING, {"component": "cart", "mesh": "shop"}, START)


def test_what_changes_while_a_notice_lasts_is_no_part_of_its_key():
    worse = replace(
        NOTICE,
        severity=Severity.CRITICAL,
        annotations={"latency_ms": "800"},
        starts_at=START + timedelta(hours=1),
        ends_at=START + timedelta(hours=2),
        explanation=Explanation(observed=("latency 800 ms",)),
        source_url="http://x",
        labels={"mesh": "shop", "component": "cart", "severity": "critical", "empty": ""},
    )
    assert worse.key() == NOTICE.key()


def test_name_and_labels_tell_notices_apart():
    others = [
        replace(NOTICE, name="HighLoss"),
        replace(NOTICE, labels={"component": "cart"}),
        replace(NOTICE, labels={"component": "pay", "mesh": "shop"}),
        replace(NOTICE, labels={"component": "shop", "mesh": "cart"}),
    ]
    keys = {notice.key() for notice in (NOTICE, *others)}
    assert len(keys) == len(others) + 1


def test_texts_that_join_to_the_same_word_are_not_the_same():
    one = replace(NOTICE, labels={"a": "bc", "d": "e"})
    other = replace(NOTICE, labels={"a": "b", "cd": "e"})
    assert one.key() != other.key()


@given(st.text(max_size=400), st.dictionaries(st.text(max_size=9), st.text(max_size=300)))
def test_a_key_fits_every_pager_whatever_it_is_made_of(name, labels):
    key = Notice(name, Severity.INFO, labels, START).key()
    assert len(key) <= MAX_KEY_LENGTH
    assert key.isascii()
    assert key.isprintable()
    assert " " not in key
