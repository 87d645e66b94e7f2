"""`x0tta pay`: how orders and their evidence look on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from x0tta_cli.pay import addresses
from x0tta_cli.pay.amounts import format_amount
from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.orders import Order, OrderState, Unmatched, Verdict
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Table, Text, Tone

TONE_OF: dict[OrderState, Tone] = {
    OrderState.PAID: "good",
    OrderState.EXPECTED: "dim",
    OrderState.CANCELLED: "dim",
    OrderState.SEEN: "warning",
    OrderState.CONFIRMING: "warning",
    OrderState.REFUNDED: "plain",
}


def blocks_of_orders(orders: list[Order]) -> Iterator[Block]:
    """Lay orders out as a table; where there are none, the frame says so."""
    if not orders:
        return
    yield Table(
        [
            Column("ORDER"),
            Column("STATE"),
            Column("AMOUNT", "right"),
            Column("RECEIVED", "right"),
            Column("UNIT"),
            Column("MEMO"),
            Column("VALID UNTIL"),
            Column("WALLET", wide_only=True),
        ],
        [
            (
                order.order,
                state_of(order.state),
                money(order.amount, order),
                money(order.received, order),
                order.unit,
                memo_of(order.memo),
                order.valid_until or "-",
                readable_wallet(order),
            )
            for order in orders
        ],
    )


def blocks_of_order(order: Any) -> Iterator[Block]:
    """Lay one order out: what was asked for, what came, and who says so."""
    if not isinstance(order, Order):
        yield Text("It would be added.")
        return
    yield Heading(order.order)
    yield Facts(
        [
            ("state", state_of(order.state)),
            ("amount", f"{money(order.amount, order)} {order.unit}"),
            ("received", f"{money(order.received, order)} {order.unit}"),
            ("to", readable_wallet(order)),
            ("memo", "none" if order.memo is None else order.memo),
            ("valid from", order.valid_from),
            ("valid until", order.valid_until or "for ever"),
        ]
    )
    if order.evidence:
        yield Heading("Evidence")
        yield Table(
            [
                Column("AMOUNT", "right"),
                Column("AT"),
                Column("FINALITY"),
                Column("SOURCES"),
                Column("TRANSACTION"),
                Column("FROM", wide_only=True),
            ],
            [evidence_row(one, order) for one in order.evidence],
        )
    for one in order.evidence:
        if one.get("disputed"):
            yield Text(f"{one['tx']}: {one['disputed']}", "bad")


def blocks_of_verdict(verdict: Verdict) -> Iterator[Block]:
    """Give the answer first, then the order."""
    if verdict.state is OrderState.PAID:
        yield Text(f"{verdict.order} is paid.", "good")
    else:
        reason = f": {verdict.reason}" if verdict.reason else ""
        yield Text(
            f"{verdict.order} is {verdict.state}{reason}.", TONE_OF.get(verdict.state, "bad")
        )
    for words in verdict.unread:
        yield Text(f"not read: {words}", "warning")
    yield from blocks_of_order(verdict)


def blocks_of_unmatched(transfers: list[Unmatched]) -> Iterator[Block]:
    """Lay out transfers that belong to nobody."""
    if not transfers:
        return
    yield Table(
        [
            Column("AMOUNT", "right"),
            Column("UNIT"),
            Column("AT"),
            Column("MEMO"),
            Column("FINALITY"),
            Column("LINK"),
            Column("FROM", wide_only=True),
        ],
        [
            (
                money(one.amount, one),
                one.unit,
                one.at,
                memo_of(one.memo),
                one.finality,
                one.link,
                one.sender,
            )
            for one in transfers
        ],
    )


def memo_of(memo: str | None) -> str:
    """Show a memo; one with a space at its end is in quotes, since it is another memo."""
    if memo is None:
        return "-"
    return memo if memo == memo.strip() else f"'{memo}'"


def state_of(state: OrderState) -> Cell:
    """Colour a state."""
    return Cell(state.value, TONE_OF.get(state, "bad"))


def readable_wallet(order: Order) -> str:
    """Write where to pay as wallets show it and take it."""
    asset = ASSETS[order.asset]
    return addresses.readable(asset.chain, order.wallet, asset.network)


def money(amount: str, of: Order | Unmatched) -> str:
    """Write an amount in whole units."""
    return format_amount(int(amount), of.decimals)


def evidence_row(one: Any, order: Order) -> tuple[object, ...]:
    """Write one transfer of an order's evidence."""
    sources = ", ".join(one["sources"])
    amount = money(one["amount"], order)
    return amount, one["at"], one["finality"], sources, one["tx"], one["from"]
