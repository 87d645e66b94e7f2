"""What the bot says: texts with entities, never markup, so that no memo or name can become any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.core.text import escape
from x0tta_cli.core.times import format_instant
from x0tta_cli.pay import addresses
from x0tta_cli.pay.amounts import format_amount
from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.orders import Order, OrderState

LONGEST_LIST = 20
_SAID_OF = {
    OrderState.EXPECTED: "not paid yet",
    OrderState.SEEN: "a payment is on its way",
    OrderState.CONFIRMING: "a payment is on its way",
    OrderState.PAID: "paid",
    OrderState.UNDERPAID: "paid in part",
    OrderState.OVERPAID: "paid, and more than was asked for",
    OrderState.LATE: "paid after its time",
    OrderState.DUPLICATE: "paid more than once",
    OrderState.CONFLICTING: "being looked at",
    OrderState.REFUNDED: "refunded",
    OrderState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of text that is set as code: it can be copied with a tap."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Said:
    """A message; offsets and lengths count UTF-16 units, as the Bot API does."""

    text: str
    code: tuple[Code, ...] = ()

    def entities(self) -> list[dict[str, object]]:
        """Give the entities in the Bot API's form."""
        return [{"type": "code", "offset": one.offset, "length": one.length} for one in self.code]


def how_to_pay(order: Order, now: datetime) -> Said:
    """Tell exactly what to send, and where; after an order's time nothing.

    It would be late, and the amount may be another order's by then.
    """
    pieces: list[str | tuple[str]] = ["Order ", (order.order,), f": {_SAID_OF[order.state]}."]
    if order.state in {OrderState.EXPECTED, OrderState.UNDERPAID}:
        is_over = order.valid_until is not None and order.valid_until < now
        pieces += ["\nIts time is over: send nothing for it."] if is_over else _request(order)
    return said(pieces)


def _request(order: Order) -> Iterator[str | tuple[str]]:
    missing, asset = int(order.amount) - int(order.received), ASSETS[order.asset]
    yield "\nSend exactly "
    yield (format_amount(missing, order.decimals),)
    yield f" {order.unit} to\n"
    yield (addresses.readable(asset.chain, order.wallet, asset.network),)
    if order.memo is not None:
        yield "\nwith the comment\n"
        yield (order.memo,)
    else:
        yield "\nThe last digits tell your payment from others: do not round it."
    if order.valid_until is not None:
        yield f"\nuntil {format_instant(order.valid_until)}."


def status_of(orders: Sequence[Order]) -> Said:
    """Tell how the asker's own orders are."""
    if not orders:
        return Said("You have no orders here. /pay ORDER shows what to send.")
    pieces: list[str | tuple[str]] = []
    for order in orders[-LONGEST_LIST:]:
        pieces += [(order.order,), f": {_SAID_OF[order.state]}\n"]
    return said(pieces)


def is_paid(order: str) -> Said:
    """Tell that an order's payment has arrived."""
    return said(["Thank you: order ", (order,), " is paid."])


def help_text() -> Said:
    """Tell what the bot knows."""
    return Said("/pay ORDER: what to send, and where\n/status: how your orders are\n/help: this")


def unknown() -> Said:
    """Say no; the same words for an order that is somebody else's."""
    return Said("There is no such order of yours.")


def in_private() -> Said:
    """Say that orders are nobody else's business."""
    return Said("Ask me in a private chat: orders are nobody else's business.")


def said(pieces: Sequence[str | tuple[str]]) -> Said:
    """Join texts, and those in tuples as code; what could reorder or hide text is written out."""
    text, code = "", []
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        shown = escape(piece[0])
        code.append(Code(_units(text), _units(shown)))
        text += shown
    return Said(text, tuple(code))


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
