"""Text from outside: what moves, hides or reorders is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.text import escape, escape_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ±3 メッシュ 🙂", "plain – ±3 メッシュ 🙂"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u202eb\x07c\n\ud800\uffff", r"a\u202eb\x07c\n\ud800\uffff"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\udcff", r"\udcff"),
        ("line\u2028end", r"line\u2028end"),
        ("👨\u200d👩", "👨\u200d👩"),
        ("naïve 服务 👩\u200d🔧", "naïve 服务 👩\u200d🔧"),
        ("no character\uffff", r"no character\uffff"),
        ("no\u00a0break", "no\u00a0break"),
    ],
)
def test_escape(text, shown):
    assert escape(text) == shown


@given(st.text())
def test_nothing_escaped_can_control_a_terminal(text):
    assert all(character >= " " and not "\x7f" <= character <= "\x9f" for character in escape(text))


def test_lines_stay_lines():
    assert escape_lines("a\nb\x00") == "a\nb\\x00"
