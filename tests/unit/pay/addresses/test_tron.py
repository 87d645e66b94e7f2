"""TRON addresses: two forms, one canonical, and no changed character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.addresses import parse, tron
from x0tta_cli.pay.model import Chain

VECTORS = [
    ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"),
    ("TQq4YrKRywkd9vLYw2nZKiFfMpbQiL8gKK", "41a2ff80f95ce3740235dc46a4dffe00d9f9b91f37"),
    ("TAVrrARNdnjHgCGMQYeQV7hv4PSu7mVsMj", "4105cc125604448afeb6867eb688efb7e80411d57a"),
]
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
bodies = st.binary(min_size=20, max_size=20)


@pytest.mark.parametrize(("base58", "written_in_hex"), VECTORS)
def test_both_forms_of_an_address_are_the_same_address(base58, written_in_hex):
    assert parse(Chain.TRON, base58) == base58
    assert parse(Chain.TRON, written_in_hex) == base58
    assert parse(Chain.TRON, f" {written_in_hex.upper()}\n") == base58
    assert tron.to_hex(base58) == written_in_hex


@given(bodies)
def test_an_address_survives_the_way_to_base58_and_back(body):
    written = tron.from_bytes(b"\x41" + body)

    assert parse(Chain.TRON, written) == written
    assert parse(Chain.TRON, (b"\x41" + body).hex()) == written
    assert tron.from_log(body.hex()) == tron.from_log(body.hex().rjust(64, "0")) == written


@given(bodies, st.integers(0, 33), st.sampled_from(BASE58))
def test_no_address_with_a_changed_character_is_accepted(body, place, character):
    written = tron.from_bytes(b"\x41" + body)
    changed = written[:place] + character + written[place + 1 :]

    if changed != written:
        with pytest.raises(UsageError, match="not an address"):
            parse(Chain.TRON, changed)


@given(bodies, st.integers(0, 32))
def test_no_address_with_two_characters_exchanged_is_accepted(body, place):
    written = tron.from_bytes(b"\x41" + body)
    swapped = written[:place] + written[place + 1] + written[place] + written[place + 2 :]

    if swapped != written:
        with pytest.raises(UsageError, match="not an address"):
            parse(Chain.TRON, swapped)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", "checksum"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6", "33 letters"),
        ("a614f803b6fd780986a42c78ec9c7f77e6ded13c", "41 and 40"),
        ("0xa614f803b6fd780986a42c78ec9c7f77e6ded13c", "41 and 40"),
        ("42a614f803b6fd780986a42c78ec9c7f77e6ded13c", "41 and 40"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "T and 33"),
        ("", "T and 33"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6\u202et", "T and 33"),
        ("ORDER-1", "T and 33"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(written, reason):
    with pytest.raises(UsageError) as refused:
        parse(Chain.TRON, written)

    assert refused.value.code == "pay.bad_address"
    assert reason in refused.value.reason
