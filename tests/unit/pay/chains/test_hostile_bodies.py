"""Whatever strangers put into a message, the wallet stays readable, and what came in is counted."""

from __future__ import annotations

from base64 import b64encode

import pytest
from fakes.chains import ton
from pytoniq_core import Builder, Cell, begin_cell

pytestmark = pytest.mark.slow

SHOP, STRANGER = ton.account_of("shop"), ton.account_of("stranger")
BOTH = pytest.mark.parametrize("kind", ["tonapi", "toncenter"])
COMMENT = ton.text_comment("A-1")


def nested(count: int) -> Cell:
    """Cells behind one another: TON lets a message have 512."""
    cell = begin_cell().store_uint(7, 8).end_cell()
    for _ in range(count - 1):
        cell = begin_cell().store_uint(0, 8).store_ref(cell).end_cell()
    return cell


def wide(count: int) -> Cell:
    """More cells than one byte can number."""
    leaves = [begin_cell().store_uint(number, 16).end_cell() for number in range(count)]
    while len(leaves) > 1:
        groups = [leaves[start : start + 4] for start in range(0, len(leaves), 4)]
        leaves = []
        for group in groups:
            builder = begin_cell().store_uint(0, 8)
            for leaf in group:
                builder = builder.store_ref(leaf)
            leaves.append(builder.end_cell())
    return leaves[0]


def library() -> Cell:
    return Builder(type_=2).store_uint(2, 8).store_bytes(bytes(range(32))).end_cell()


def with_comment_in_front(cell: Cell) -> Cell:
    return begin_cell().store_uint(0, 32).store_bytes(b"A-1").store_ref(cell).end_cell()


BODIES = {
    "512 cells behind one another": nested(512),
    "a comment with 511 cells behind it": with_comment_in_front(nested(511)),
    "a thousand cells": wide(1000),
    "a library cell": library(),
    "a comment that goes on in a library cell": with_comment_in_front(library()),
    "nothing": begin_cell().end_cell(),
    "bits that are no bytes": begin_cell().store_uint(0, 35).end_cell(),
}


@BOTH
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_coins_with_any_body_are_income_and_hide_no_other_payment(reading, ton_ledger, kind, body):
    before = ton_ledger.pay_ton(STRANGER, SHOP, 1, "before")
    at = ton_ledger.accounts[SHOP][-1].at
    odd = ton_ledger.add(ton.Transaction(SHOP, STRANGER, 5, body, at))
    after = ton_ledger.pay_ton(STRANGER, SHOP, 2, "after")

    found = {one.tx: one.amount for one in reading(kind, "ton").transfers()}
    assert found == {before: 1, odd: 5, after: 2}


def sent_with(payload: Cell | None, response: str) -> Cell:
    """An internal_transfer of 40 USDT whose response destination is written as bits."""
    builder = begin_cell().store_uint(0x178D4519, 32).store_uint(7, 64).store_coins(40_000_000)
    builder = builder.store_address(ton.Address(STRANGER)).store_bits(response).store_coins(1)
    if payload is None:
        return builder.store_bit(0).end_cell()
    return builder.store_bit(1).store_ref(payload).end_cell()


# What TL-B lets an address be; the contract passes on what the sender has written.
RESPONSES = {
    "addr_none": "00",
    "addr_extern": "01" + f"{8:09b}" + "10101010",
    "addr_std with a rewritten prefix": "101" + f"{3:05b}" + "101" + "0" * 264,
    "addr_var": "110" + f"{16:09b}" + "0" * 32 + "1" * 16,
}


@BOTH
@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_jettons_are_income_wherever_what_is_left_over_goes(reading, ton_ledger, kind, response):
    holder, at = ton.jetton_wallet_of(SHOP), int(ton_ledger.now().timestamp()) - 90
    body = sent_with(COMMENT, response)
    ton_ledger.add(ton.Transaction(holder, ton.jetton_wallet_of(STRANGER), 10**7, body, at))

    [transfer] = reading(kind).transfers()
    assert (transfer.amount, transfer.sender, transfer.memo) == (40_000_000, STRANGER, "A-1")


@BOTH
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_jettons_with_any_payload_are_income(reading, ton_ledger, kind, body):
    holder, at = ton.jetton_wallet_of(SHOP), int(ton_ledger.now().timestamp()) - 90
    sent = sent_with(body, "00")
    ton_ledger.add(ton.Transaction(holder, ton.jetton_wallet_of(STRANGER), 10**7, sent, at))
    honest = ton_ledger.pay_usdt(STRANGER, SHOP, 12, "A-2")

    found = {one.tx: one.amount for one in reading(kind).transfers()}
    assert sorted(found.values()) == [12, 40_000_000]
    assert found[honest] == 12


@BOTH
def test_rows_so_large_that_one_alone_fits_into_an_answer_are_read_and_the_others_quickly(
    reading, ton_ledger, kind
):
    for number in range(330):
        ton_ledger.pay_ton(STRANGER, SHOP, 100 + number, "large" if 300 <= number < 312 else "x")
    source = reading(kind, "ton")

    def handle(request, answer=source.fake.handle):
        given = answer(request)
        # An answer with two of the large ones is more than is read.
        large = 2_500_000 * given.content().count(LARGE[kind])
        return type(given)(given.content().ljust(large), given.status)

    source.fake.handle = handle
    assert sorted(one.amount for one in source.transfers()) == list(range(100, 430))
    assert len(source.fake.requests) < 60


LARGE = {
    "tonapi": ton.text_comment("large").to_boc().hex().encode(),
    "toncenter": b64encode(ton.text_comment("large").to_boc()),
}
