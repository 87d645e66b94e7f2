"""`x0tta pay`: orders are expected, cancelled, refunded, listed and shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from x0tta_cli.pay.cli.application import app, settings
from x0tta_cli.pay.cli.views import blocks_of_order, blocks_of_orders, blocks_of_unmatched
from x0tta_cli.pay.orders import MatchBy, Order, OrderState, Unmatched
from x0tta_cli.terminal.command import App, Block, Kind, Text, confirm, session

expect = App("Say which payments are expected, and take that back.")
app.add_typer(expect, name="expect")

NewName = Annotated[str, typer.Argument(metavar="ORDER", help="The order's name.")]
OrderName = Annotated[str, typer.Argument(metavar="ORDER", help="The order's name."), Kind("order")]
States = Annotated[
    list[OrderState] | None,
    typer.Option("--state", metavar="STATE", help="Only orders in this state; may be repeated."),
]
WalletName = Annotated[
    str,
    typer.Option("--wallet", metavar="WALLET", help="Only this wallet: name or address."),
    Kind("wallet"),
]
OurWallet = Annotated[
    str,
    typer.Option("--wallet", metavar="WALLET", help="Which of ours; name or address."),
    Kind("wallet"),
]
Memo = Annotated[
    str | None, typer.Option("--memo", metavar="TEXT", help="Comment that the payer writes (TON).")
]
By = Annotated[
    MatchBy | None,
    typer.Option(
        "--by",
        help="What tells whose a payment is: memo (on TON), unique amount (on TRON), or address, "
        "where the wallet is this order's alone.",
    ),
]
ValidFrom = Annotated[
    str | None, typer.Option("--valid-from", metavar="T", help="From when it may be paid.")
]
ValidUntil = Annotated[
    str | None,
    typer.Option(
        "--valid-until",
        metavar="T",
        help="Until when; else for ever, or by unique amount as long as pay.amount_hold says.",
    ),
]


@dataclass(frozen=True, slots=True)
class Expected:
    """How many orders were added, or would be."""

    added: int
    would_change: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """An order's new state."""

    order: str
    state: OrderState
    would_change: bool = False


def blocks_of_change(result: Changed) -> Iterator[Block]:
    """Say what became of an order, or would."""
    yield Text(f"{result.order} {'would be' if result.would_change else 'is'} {result.state}.")


@expect.command(
    changes_world=True,
    view=blocks_of_order,
    examples=[
        "x0tta pay expect add A-1001 12.5 usdt-trc20  # by a unique amount, which it prints",
        "x0tta pay expect add A-1002 3 ton --valid-until +1h  # the memo is the order's name",
        "x0tta pay expect add A-1003 40 usdt-ton --memo 'invoice 1003' --wallet shop",
    ],
)
def add(
    order: NewName,
    amount: Annotated[str, typer.Argument(help="In whole units, as 12.5.")],
    asset: Annotated[str, typer.Argument(help="usdt-trc20, ton or usdt-ton.")],
    *,
    wallet: OurWallet = "",
    memo: Memo = None,
    by: By = None,
    valid_from: ValidFrom = None,
    valid_until: ValidUntil = None,
) -> Order | Expected:
    """Expect a payment, and say what the payer has to send."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from x0tta_cli.core import extras
    from x0tta_cli.pay.importing import new_order

    row = {"order": order, "asset": asset, "wallet": wallet, "amount": amount, "memo": memo}
    window = {"valid_from": valid_from, "valid_until": valid_until}
    wanted = replace(new_order(row | window, datetime.now(UTC)), by=by)
    if session().dry_run:
        return Expected(1, would_change=True)
    configured = settings()
    extras.require("pay")
    from x0tta_cli.pay.ledger.enrolment import add_orders
    from x0tta_cli.pay.ledger.reading import find_order
    from x0tta_cli.pay.opening import ledger_of, limits_of

    with ledger_of(configured) as ledger:
        add_orders(ledger, [wanted], limits_of(configured))
        with ledger.reading() as connection:
            return find_order(connection, order)


@expect.command(
    "import",
    changes_world=True,
    view=lambda result: [
        Text(f"{result.added} orders {'would be' if result.would_change else 'are'} expected.")
    ],
    examples=[
        "x0tta pay expect import orders.csv",
        "x0tta pay expect import orders.jsonl --dry-run  # reads each row, adds none",
    ],
)
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines, by its suffix.")],
) -> Expected:
    """Expect all payments of a file, or none.

    Columns: order, asset, wallet, amount (a decimal text in whole units), memo, valid_from,
    valid_until (RFC 3339); the last three may be empty or missing.
    """
    from x0tta_cli.core.errors import OperatorError
    from x0tta_cli.pay.importing import located, read_orders
    from x0tta_cli.pay.opening import ledger_of, limits_of

    if session().dry_run:
        rows = sum(1 for _ in read_orders(file))
        return Expected(rows, would_change=rows > 0)
    configured = settings()
    with ledger_of(configured) as ledger:
        from x0tta_cli.pay.ledger.enrolment import add_orders

        try:
            names = add_orders(ledger, read_orders(file), limits_of(configured))
        except OperatorError as error:
            raise located(error, file) from error
        return Expected(len(names))


@expect.command(
    "list",
    view=blocks_of_orders,
    examples=["x0tta pay expect list", "x0tta pay expect list --wallet shop -o json"],
)
def list_expected(wallet: WalletName = "") -> list[Order]:
    """List the orders that nothing has come for yet."""
    return list(_orders([OrderState.EXPECTED], wallet))


@expect.command(
    changes_world=True,
    view=blocks_of_change,
    examples=["x0tta pay expect cancel A-1001"],
)
def cancel(order: OrderName) -> Changed:
    """Cancel an order for which nothing has come; what comes later belongs to nobody.

    One that sources contradict each other about is closed in the same way: its evidence stays with
    it, nothing of it counts, and x0tta pay unmatched lists its transfers. Other ways out: x0tta pay
    verify asks the sources again, and x0tta pay refund records that the money was sent back.
    """
    from x0tta_cli.pay.opening import ledger_of

    if session().dry_run:
        show(order)
        return Changed(order, OrderState.CANCELLED, would_change=True)
    with ledger_of(settings()) as ledger:
        from x0tta_cli.pay.ledger import enrolment

        return Changed(order, enrolment.cancel(ledger, order))


@app.command(
    "list",
    view=blocks_of_orders,
    examples=[
        "x0tta pay list",
        "x0tta pay list --state underpaid --state late",
        "x0tta pay list -o json --fields order,state,received",
    ],
)
def list_(states: States = None, wallet: WalletName = "") -> list[Order]:
    """List orders with their states and evidence."""
    return list(_orders(states or [], wallet))


@app.command(
    view=blocks_of_unmatched,
    examples=["x0tta pay unmatched  # money that nobody was expected to send"],
)
def unmatched() -> list[Unmatched]:
    """List the transfers that belong to no order, each with a link to look at it."""
    from x0tta_cli.pay.opening import existing_ledger_of

    with existing_ledger_of(settings()) as ledger:
        if ledger is None:
            return []
        from x0tta_cli.pay.ledger.reading import unmatched_in

        with ledger.reading() as connection:
            return unmatched_in(connection)


@app.command(
    view=blocks_of_order,
    examples=["x0tta pay show A-1001", "x0tta pay show A-1001 -o json"],
)
def show(order: OrderName) -> Order:
    """Show one order with all its evidence; asks no chain."""
    from x0tta_cli.pay.opening import existing_ledger_of

    with existing_ledger_of(settings()) as ledger:
        if ledger is None:
            from x0tta_cli.pay.orders import unknown_order

            raise unknown_order(order)
        from x0tta_cli.pay.ledger.reading import find_order

        with ledger.reading() as connection:
            return find_order(connection, order)


@app.command(
    changes_world=True,
    view=blocks_of_change,
    examples=["x0tta pay refund A-1001 --tx HASH  # of the transaction that sent it back"],
)
def refund(
    order: OrderName,
    tx: Annotated[str, typer.Option("--tx", metavar="HASH", help="What sent the money back.")],
) -> Changed:
    """Record that a refund was made; x0tta itself sends no money."""
    from x0tta_cli.pay.opening import ledger_of

    if session().dry_run:
        show(order)
        return Changed(order, OrderState.REFUNDED, would_change=True)
    confirm(f"Record that {order} was refunded?")
    with ledger_of(settings()) as ledger:
        from x0tta_cli.pay.ledger import enrolment

        return Changed(order, enrolment.refund(ledger, order, tx))


def _orders(states: Sequence[OrderState], wallet: str) -> Iterator[Order]:
    from x0tta_cli.pay.opening import existing_ledger_of

    with existing_ledger_of(settings()) as ledger:
        if ledger is None:
            return
        from x0tta_cli.pay.ledger.enrolment import wallets_named
        from x0tta_cli.pay.ledger.reading import orders_in

        with ledger.reading() as connection:
            chosen = wallets_named(connection, wallet) if wallet else None
            yield from orders_in(connection, states=states, wallets=chosen)
