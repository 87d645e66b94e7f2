"""The splitter for Telegram: nothing lost, every part within the limits, entities valid."""

from __future__ import annotations

from fakes import bot_api_text
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.alert.channels.telegram_text import Span, split

TEXTS = st.text(st.sampled_from("ab \n\U0001f525é"), max_size=300)
SPANS = st.lists(
    st.tuples(st.integers(0, 320), st.integers(0, 320), st.sampled_from(["bold", "pre"])),
    max_size=130,
)


@given(TEXTS, SPANS, st.integers(2, 60))
def test_any_text_with_any_entities_arrives_whole_within_limits_and_is_accepted(text, spans, limit):
    parts = split(text, [Span(*span) for span in spans], limit)
    assert "".join("".join(part.text for part in parts).split()) == "".join(text.split())
    for part in parts:
        assert bot_api_text.units(part.text) <= limit
        assert len(part.entities) <= 100
        shown, entities = bot_api_text.accepted(part.text, list(part.entities), 4096)
        assert shown == part.text
        assert entities == list(part.entities)


def test_a_text_is_split_at_line_ends_and_a_style_goes_on_in_the_next_part():
    first, second = split("one two\nthree", [Span(4, 13, "bold")], 10)
    assert (first.text, second.text) == ("one two", "three")
    assert first.entities == ({"type": "bold", "offset": 4, "length": 3},)
    assert second.entities == ({"type": "bold", "offset": 0, "length": 5},)


def test_4096_units_are_one_message_and_one_more_are_two():
    assert [len(part.text) for part in split("a" * 4096, [])] == [4096]
    assert [len(part.text) for part in split("a" * 4097, [])] == [4096, 1]
    assert [len(part.text) for part in split("\U0001f525" * 2049, [])] == [2048, 1]


def test_101_styled_words_are_two_messages_and_no_style_is_lost():
    spans = [Span(2 * place, 2 * place + 1, "bold") for place in range(101)]
    parts = split("a " * 101, spans)
    assert [len(part.entities) for part in parts] == [100, 1]
