"""Amounts: exact both ways, and nothing that could be read in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.amounts import LARGEST, format_amount, parse_amount


@pytest.mark.parametrize(
    ("written", "decimals", "amount"),
    [
        ("1", 6, 1_000_000),
        ("0.000001", 6, 1),
        ("12.5", 6, 12_500_000),
        ("1.000000001", 9, 1_000_000_001),
        ("10000", 6, 10_000_000_000),
        ("7", 0, 7),
    ],
)
def test_decimal_text_becomes_smallest_units(written, decimals, amount):
    assert parse_amount(written, decimals) == amount


@pytest.mark.parametrize(
    "written",
    [
        *("1e6", "1E6", "0x10", "-1", "+1", "NaN", "inf", "½", "١٢", "", "."),
        *("1,5", "1_000", "1 000", " 1", "1 ", "1\n", ".5", "5.", "1.5.5", "007", "00.5"),
        *("0", "0.000000", "1.0000001", "1" + "0" * 30, "1" * 5000, "1\u202e5", "12\x1b[31m"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(written):
    with pytest.raises(UsageError) as refused:
        parse_amount(written, 6)

    assert refused.value.code == "pay.bad_amount"


@pytest.mark.parametrize("number", [1, 1.5, 0.1, True, None, b"1"])
def test_numbers_are_refused_since_they_may_have_lost_digits(number):
    with pytest.raises(UsageError, match="not an amount"):
        parse_amount(number, 6)


def test_more_than_there_is_in_the_world_is_refused():
    assert parse_amount(format_amount(LARGEST, 6), 6) == LARGEST
    with pytest.raises(UsageError, match="not an amount"):
        parse_amount(format_amount(LARGEST + 1, 6), 6)


@given(st.integers(1, LARGEST), st.integers(0, 18))
def test_an_amount_survives_being_written_and_read(amount, decimals):
    assert parse_amount(format_amount(amount, decimals), decimals) == amount


@given(st.text(max_size=20), st.integers(0, 9))
def test_text_is_either_refused_or_exactly_what_it_says(text, decimals):
    try:
        amount = parse_amount(text, decimals)
    except UsageError:
        return
    whole, _, fraction = text.partition(".")
    assert amount * 10 ** len(fraction) == int(whole + fraction) * 10**decimals


def test_a_negative_difference_is_written_with_its_sign():
    assert format_amount(-1, 6) == "-0.000001"
    assert format_amount(-12_500_000, 6) == "-12.5"
    assert format_amount(0, 6) == "0"
