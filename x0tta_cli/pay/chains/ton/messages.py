"""Message bodies: text comments, and the message in which jettons come in.

Standards: TEP-74 (jettons), https://docs.ton.org/v3/documentation/smart-contracts/message-management/internal-messages
(comments). Whoever sends a message wrote its text; it is an attacker's, until it equals a memo.
"""

from __future__ import annotations

from dataclasses import dataclass

from x0tta_cli.pay.chains.ton.cells import Cell, Slice

TEXT_COMMENT = 0
INTERNAL_TRANSFER = 0x178D4519
_OPCODE_AND_QUERY = 32 + 64
LONGEST_MEMO = 1024
# A chain of cells for 1,024 characters of four bytes has 33 of them.
_LONGEST_CHAIN = 64
_CONTROL = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])


@dataclass(frozen=True, slots=True)
class JettonMove:
    """What an internal_transfer says.

    `sender` owns the jettons that moved; None where the message names nobody.
    """

    amount: int
    sender: str | None
    memo: str | None


def read_comment(body: Cell) -> str | None:
    """Read a text comment, without its control characters; None where the body is another.

    Text of more than 1,024 characters is cut there: no order's memo is so long.
    """
    if not _begins_with(body, TEXT_COMMENT):
        return None
    bits = body.bits - 32
    if bits & 7:
        return None
    # The opcode is zero, and so are its bits of the number.
    written, cell = body.value.to_bytes(bits >> 3), body
    for _ in range(_LONGEST_CHAIN):
        if not cell.references:
            break
        cell = cell.references[0]
        if cell.bits & 7:
            return None
        written += cell.value.to_bytes(cell.bits >> 3)
    return clean(written.decode(errors="replace"))


def clean(text: str) -> str:
    """Take control characters out of a text, and cut it to the length of a memo."""
    return (text if text.isprintable() else text.translate(_CONTROL))[:LONGEST_MEMO]


def read_internal_transfer(body: Cell) -> JettonMove | None:
    """Read how jettons come in at a jetton wallet; None where the body is another.

    Raises ValueError for a body that ends before the amount and the sender. What stands behind them
    that can't be read is no memo: the jettons have moved.
    """
    if not _begins_with(body, INTERNAL_TRANSFER):
        return None
    rest = Slice(body)
    rest.take(_OPCODE_AND_QUERY)
    amount, sender = rest.take_coins(), rest.take_address()
    try:
        # Where what is left over goes, and what is sent along: written by the sender as they like.
        rest.skip_address()
        rest.take_coins()
        return JettonMove(amount, sender, _forwarded_comment(rest))
    except ValueError:
        return JettonMove(amount, sender, None)


def _begins_with(body: Cell, opcode: int) -> bool:
    return body.bits >= 32 and body.value >> (body.bits - 32) == opcode


def _forwarded_comment(rest: Slice) -> str | None:
    """Read the forward payload: here, or in a cell behind; some wallets leave it out."""
    if rest.bits == 0:
        return None
    payload = rest.take_reference() if rest.take(1) and rest.references else rest.rest()
    return read_comment(payload)
