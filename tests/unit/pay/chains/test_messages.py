"""Message bodies: the recorded ones, the vectors, and what attackers write."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest
from fakes.chains import ton
from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import Cell as AnyCell
from pytoniq_core import begin_cell

from x0tta_cli.pay.chains.ton import cells
from x0tta_cli.pay.chains.ton.cells import Cell, Slice, read_boc
from x0tta_cli.pay.chains.ton.jettons import jetton_wallet
from x0tta_cli.pay.chains.ton.messages import (
    LONGEST_MEMO,
    read_comment,
    read_internal_transfer,
)

RECORDED = json.loads((Path(__file__).parents[3] / "data/ton-messages/recorded.json").read_text())
SENDER = ton.account_of("sender")


def of_kind(kind: str):
    return [message for message in RECORDED["messages"] if message["kind"] == kind]


@pytest.mark.parametrize("triple", RECORDED["usdt_triples"], ids=lambda one: one["owner"][:12])
def test_a_jetton_wallet_is_derived_without_asking_anybody(triple):
    owner, master, wallet = (triple[name].lower() for name in ("owner", "master", "jetton_wallet"))

    assert jetton_wallet(owner, master) == wallet
    assert ton.jetton_wallet_of(owner, master) == wallet


def test_recorded_jetton_messages_are_read_to_the_last_unit():
    messages = of_kind("internal_transfer")
    assert len(messages) > 30
    for message in messages:
        move = read_internal_transfer(read_boc(b64decode(message["body"])))
        assert (move.amount, move.sender) == (int(message["amount"]), message["addr1"])
        assert move.memo == message.get("memo") or "memo" not in message


def test_recorded_comments_are_read():
    texts = [message["text"] for message in of_kind("comment")]
    assert [read_comment(read_boc(b64decode(m["body"]))) for m in of_kind("comment")] == texts


def test_every_recorded_body_is_the_same_by_the_other_library():
    for message in RECORDED["messages"]:
        boc = b64decode(message["body"])
        assert cells._read_plain(boc) == cells._read_other(boc)


def test_one_kind_of_message_is_not_taken_for_another():
    others = [m for m in RECORDED["messages"] if m["kind"] != "internal_transfer"]
    assert {read_internal_transfer(read_boc(b64decode(m["body"]))) for m in others} == {None}
    jettons = [m for m in RECORDED["messages"] if m["kind"] != "comment"]
    assert {read_comment(read_boc(b64decode(m["body"]))) for m in jettons} == {None}


@pytest.mark.parametrize(
    ("boc", "comment"),
    [
        (bytes.fromhex("b5ee9c7201010101000b0000120000000048656c6c6f"), "Hello"),
        (b64decode("te6cckEBAQEACAAADAAAAAAxMb6Vqnw="), "11"),
        (bytes.fromhex("b5ee9c72010101010002000000"), None),
        (bytes.fromhex("b5ee9c72010101010004000004053d"), None),
    ],
)
def test_the_vectors_of_comments(boc, comment):
    assert read_comment(read_boc(boc)) == comment


def test_a_bounced_message_is_no_comment():
    body = begin_cell().store_uint(0xFFFFFFFF, 32).store_uint(0, 32).store_string("A-1").end_cell()

    assert read_comment(read_boc(body.to_boc())) is None


@given(st.text(max_size=400))
def test_a_comment_is_its_text_without_control_characters(text):
    read = read_comment(read_boc(ton.text_comment(text).to_boc()))

    assert read == "".join(sign for sign in text if not _is_control(sign))


@pytest.mark.parametrize(
    ("written", "memo"),
    [
        ("ORDER-1\n", "ORDER-1"),
        ("\x1b[2J\x1b[31mORDER-1", "[2J[31mORDER-1"),
        ("ORDER-1\u202e", "ORDER-1\u202e"),
        ("ОRDER-1", "ОRDER-1"),
        (b"ORDER-1\xff", "ORDER-1\ufffd"),
        ("<b>ORDER-1</b>", "<b>ORDER-1</b>"),
        (" ORDER-1", " ORDER-1"),
    ],
)
def test_hostile_memos_stay_what_they_are_but_for_control_characters(written, memo):
    assert read_comment(read_boc(ton.text_comment(written).to_boc())) == memo


def test_a_memo_without_end_is_cut():
    read = read_comment(read_boc(ton.text_comment("x" * 6000).to_boc()))

    assert read == "x" * LONGEST_MEMO


def test_a_payload_may_be_here_or_behind_or_missing():
    head = begin_cell().store_uint(0x178D4519, 32).store_uint(7, 64).store_coins(5).store_uint(0, 2)
    left_over = head.store_uint(0, 2).store_coins(0)
    here = left_over.store_bit(0).store_uint(0, 32).store_string("A-1").end_cell()

    move = read_internal_transfer(read_boc(here.to_boc()))
    assert (move.amount, move.sender, move.memo) == (5, None, "A-1")
    behind = ton.internal_transfer(5, SENDER, ton.text_comment("A-2"))
    assert read_internal_transfer(read_boc(behind.to_boc())).memo == "A-2"
    missing = ton.internal_transfer(5, SENDER, None)
    assert read_internal_transfer(read_boc(missing.to_boc())).memo is None


@given(st.binary(max_size=200))
def test_bytes_that_are_no_bag_of_cells_are_an_error_and_nothing_else(content):
    for boc in (content, b"\xb5\xee\x9c\x72" + content):
        try:
            assert isinstance(read_boc(boc), Cell)
        except ValueError:
            continue


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_message_is_an_error_or_another_message_but_no_crash(place, value):
    boc = bytearray(ton.internal_transfer(5, SENDER, ton.text_comment("A-1")).to_boc())
    boc[place % len(boc)] = value
    try:
        move = read_internal_transfer(read_boc(bytes(boc)))
    except ValueError:
        return
    assert move is None or move.amount >= 0


def test_cells_that_refer_to_one_another_many_times_are_read_once_each():
    # Sixty cells, each with the next one behind it four times: as a tree, 4^60 of them.
    chain = b"".join(bytes((4, 2, n, *[n + 1] * 4)) for n in range(60)) + bytes((0, 2, 60))
    header = bytes.fromhex("b5ee9c72 01 02 3d 01 00") + len(chain).to_bytes(2, "big") + b"\0"
    boc = header + chain

    assert read_boc(boc).bits == 8
    assert cells._read_other(boc).bits == 8


def test_cells_of_other_kinds_are_left_to_the_library():
    library = AnyCell.one_from_boc(
        begin_cell()
        .store_ref(ton.Builder(type_=2).store_uint(2, 8).store_bytes(bytes(32)).end_cell())
        .end_cell()
        .to_boc()
    )

    read = read_boc(library.to_boc())
    assert (read.bits, read.references[0].bits) == (0, 264)


def test_taking_more_than_there_is_is_an_error():
    rest = Slice(Cell(5, 3, ()))

    assert rest.take(2) == 2
    with pytest.raises(ValueError, match="too early"):
        rest.take(2)
    with pytest.raises(ValueError, match="missing"):
        rest.take_reference()


def _is_control(sign: str) -> bool:
    return ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0
