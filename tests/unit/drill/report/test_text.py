from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.drill.report.text import (
    duration,
    in_two_lines,
    instant,
    number,
    ordinal,
    percent,
    pieces,
    quantity,
    score,
    shorten_to,
    width_of,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.000123, "0.000123"),
        (0.5, "0.5"),
        (12.345, "12.3"),
        (-3.14159, "−3.14"),
        (7611, "7\u202f611"),
        (1234567.8, "1\u202f234\u202f568"),
        (2.5e12, "2.50e+12"),
        (0.9999, "1"),
        (float("nan"), "missing"),
        (float("inf"), "missing"),
        (None, "missing"),
    ],
)
def test_numbers_have_three_digits(value, written):
    assert number(value) == written


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0.0653, "s", "65.3\u202fms"),
        (0.0000472, "s", "47.2\u202fµs"),
        (2.5, "s", "2.5\u202fs"),
        (0.0, "s", "0\u202fs"),
        (99.85, "%", "99.8\u202f%"),
        (134, "count", "134"),
        (0.25, "ratio", "0.25"),
        (-71.5, "dBm", "−71.5\u202fdBm"),
        (None, "s", "missing"),
    ],
)
def test_quantities_carry_a_unit_that_reads_well(value, unit, written):
    assert quantity(value, unit) == written


def test_scores_keep_their_decimals_so_that_they_can_be_added():
    assert [score(value) for value in (6.0, -0.3, 12.251)] == ["6.00", "−0.30", "12.25"]
    assert score(0.31, 3) == "0.310"


def test_shares_durations_ranks_and_instants():
    assert percent(0.0087) == "0.87\u202f%"
    assert [duration(ms) for ms in (0.2, 31.4, 4870)] == ["<1\u202fms", "31\u202fms", "4.87\u202fs"]
    assert [ordinal(rank) for rank in (1, 2, 3, 4, 11, 12, 13, 21, 102)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd")
    ]
    assert instant(1681399159.0) == "2023-04-13 15:19:19 UTC"
    assert instant(1681399140.0) == "2023-04-13 15:19 UTC"
    assert instant(1e18).startswith("1e+18")
    assert instant(None) == "not known"


@given(st.text(st.characters(exclude_characters="…")), st.integers(1, 40))
def test_a_shortened_text_has_its_ends_and_the_room_it_was_given(text, room):
    short = shorten_to(text, room)
    assert len(short) <= max(room, 1)
    if len(text) > room:
        head, _, tail = short.partition("…")
        assert text.startswith(head)
        assert text.endswith(tail)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.floats(3, 30))
def test_two_lines_fit_and_hold_all_of_a_text_that_is_short_enough(text, width):
    lines = in_two_lines(text, width)
    assert len(lines) <= 2
    assert all(width_of(line) <= width for line in lines)
    if width_of(text) <= width:
        assert lines == (text,)


def test_a_line_breaks_after_the_last_of_several_separators():
    assert in_two_lines("petInfo_AWS::DynamoDB::Table", 14) == ("petInfo_AWS::DynamoDB::", "Table")
    assert list(pieces("a_b::c/d")) == ["a_", "b::", "c/", "d"]
    assert list(pieces("::")) == ["::"]
