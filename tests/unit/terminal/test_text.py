"""Text from outside: escaped, measured, wrapped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.terminal.text import cells, escape, escape_for_json, pad, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ±3 メッシュ 🙂", "plain – ±3 メッシュ 🙂"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\udcff", r"\udcff"),
        ("line\u2028end", r"line\u2028end"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_escape(text, shown):
    assert escape(text) == shown


@given(st.text())
def test_nothing_escaped_can_control_a_terminal(text):
    assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in escape(text))


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaping_json_changes_no_data(data):
    encoded = escape_for_json(json.dumps(data, indent=2, ensure_ascii=False))
    assert json.loads(encoded) == data
    assert all(character in "\n" or escape(character) == character for character in encoded)


def test_cells():
    assert cells("abc") == 3
    assert cells("メッシュ") == 8
    assert cells("e\u0301") == 1
    assert pad("メ", 4) == "メ  "
    assert pad("7", 3, "right") == "  7"


def test_wrap_breaks_at_spaces_and_cuts_what_is_longer_than_a_line():
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("PetAdoptionHistory_ecs-fargate", 20) == ["PetAdoptionHistory_", "ecs-fargate"]
    assert wrap("", 5) == [""]


@given(st.text(alphabet="ab -/メ"), st.integers(min_value=2, max_value=12))
def test_wrap_loses_nothing_and_stays_within(text, width):
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
