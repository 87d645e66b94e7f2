"""Blocks as lines, on a terminal of some width and in a pipe."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest

from x0tta_cli.terminal.blocks import Cell, Column, Facts, Heading, Table, Text, Verbatim
from x0tta_cli.terminal.layout import Style, lay_out, shown
from x0tta_cli.terminal.text import cells

TABLE = Table(
    [Column("NODE"), Column("SCORE", "right"), Column("WHY"), Column("MORE", wide_only=True)],
    [("a-node", 0.5, "one two three four five six seven", "x"), ("b", None, "–", "y")],
)


def lines(*blocks, **style):
    return list(lay_out(blocks, Style(**style)))


def test_a_pipe_gets_aligned_columns_of_any_length():
    assert lines(TABLE) == [
        "NODE    SCORE  WHY",
        "a-node    0.5  one two three four five six seven",
        "b           –  –",
    ]


def test_wide_has_all_columns():
    assert lines(TABLE, wide=True)[0].endswith("MORE")


def test_a_terminal_wraps_the_widest_column():
    assert lines(TABLE, width=36) == [
        "NODE    SCORE  WHY",
        "a-node    0.5  one two three four",
        "               five six seven",
        "b           –  –",
    ]


def test_a_narrow_terminal_gets_facts():
    assert lines(TABLE, width=24) == [
        "NODE   a-node",
        "SCORE  0.5",
        "WHY    one two three",
        "       four five six",
        "       seven",
        "",
        "NODE   b",
        "SCORE  –",
        "WHY    –",
    ]


@pytest.mark.parametrize("width", range(20, 90, 7))
def test_no_width_is_exceeded_and_no_word_lost(width):
    blocks = [Heading("A heading of some words"), Facts([("a name", "a value " * 9)]), TABLE]
    found = lines(*blocks, width=width, wide=True)
    assert max(map(cells, found)) <= width
    assert sum(line.count("value") for line in found) == 9


def test_blocks_are_set_apart():
    found = lines(Text("one"), Text("two"), Heading("Three"), Facts([("a", 1), ("bcd", True)]))
    assert found == ["one", "two", "", "Three", "a    1", "bcd  yes"]


def test_tones_are_colours_where_there_are_any():
    block = Facts([("verdict", Cell("miss", "bad"))])
    assert lines(block, colored=True) == ["\x1b[2mverdict\x1b[0m  \x1b[31mmiss\x1b[0m"]
    assert lines(block) == ["verdict  miss"]


def test_colours_do_not_disturb_columns():
    table = Table([Column("A", tone="dim"), Column("B")], [(Cell("x", "good"), 1), ("yyy", 2)])
    assert lines(table, colored=True)[1] == "\x1b[32mx  \x1b[0m  1"


class Shade(StrEnum):
    DARK = "dark"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (True, "yes"),
        (0.123456, "0.1235"),
        (12, "12"),
        (Shade.DARK, "dark"),
        (Path("/a b"), "/a b"),
        (("a", 1), "a, 1"),
        ({"a": 1.0}, "a=1"),
        ("a\nb", r"a\nb"),
        (Cell(0.5, "good"), "0.5"),
        (("\x1b",), r"\x1b"),
    ],
)
def test_values_are_shown_for_people(value, text):
    assert shown(value) == text


def test_instants_are_utc_when_asked():
    assert shown(datetime(2026, 1, 2, tzinfo=UTC), utc=True) == "2026-01-02T00:00:00Z"


def test_what_is_to_be_copied_is_not_wrapped_and_cannot_draw():
    text = "a = 'one two three four five'\n\n\x1b[31m"
    assert lines(Verbatim(text), width=10) == ["a = 'one two three four five'", "", r"\x1b[31m"]
