"""What the ledger shows: orders with their evidence, transfers that belong to none, counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.ledger.enrolment import to_ms, wallets_in
from x0tta_cli.pay.ledger.evidence import attestations_of, evidence_of
from x0tta_cli.pay.ledger.pieces import pieces
from x0tta_cli.pay.ledger.recording import from_ms
from x0tta_cli.pay.ledger.tables import CLAIMS, LOG, ORDERS, STANDINGS, TRANSFERS
from x0tta_cli.pay.model import Chain, Network
from x0tta_cli.pay.orders import Order, OrderState, Unmatched, Wallet, unknown_order
from x0tta_cli.pay.states import NOT_COUNTED

PIECE = 500
_EXPLORERS = {
    (Chain.TRON, Network.MAINNET): "https://tronscan.org/#/transaction/",
    (Chain.TRON, Network.TESTNET): "https://nile.tronscan.org/#/transaction/",
    (Chain.TON, Network.MAINNET): "https://tonviewer.com/transaction/",
    (Chain.TON, Network.TESTNET): "https://testnet.tonviewer.com/transaction/",
}


def orders_in(
    connection: Connection,
    *,
    states: Sequence[OrderState] = (),
    wallets: Sequence[Wallet] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Order]:
    """Give orders with their evidence, in the order in which they were added.

    `since` and `until` are of the beginning of an order's window; `until` itself is left out.
    """
    by_number = {one.number: one for one in wallets_in(connection)}
    query = _orders_query()
    if states:
        query = query.where(STANDINGS.c.state.in_([state.value for state in states]))
    if wallets is not None:
        query = query.where(ORDERS.c.wallet.in_([one.number for one in wallets]))
    if since is not None:
        query = query.where(ORDERS.c.valid_from >= to_ms(since))
    if until is not None:
        query = query.where(ORDERS.c.valid_from < to_ms(until))
    after = 0
    while rows := list(
        connection.execute(query.where(ORDERS.c.number > after).limit(PIECE)).mappings()
    ):
        evidence = evidence_of(connection, [row["number"] for row in rows])
        for row in rows:
            yield _order(row, by_number[row["wallet"]], evidence.get(row["number"], ()))
        after = rows[-1]["number"]


def find_order(connection: Connection, name: str) -> Order:
    """Give one order; raises NotFoundError `pay.unknown_order`."""
    row = connection.execute(_orders_query().where(ORDERS.c.id == name)).mappings().first()
    if row is None:
        raise unknown_order(name)
    wallets = {one.number: one for one in wallets_in(connection)}
    evidence = evidence_of(connection, [row["number"]])
    return _order(row, wallets[row["wallet"]], evidence.get(row["number"], ()))


def wallet_of_order(connection: Connection, name: str) -> Wallet:
    """Give the wallet that an order is to be paid to; raises `pay.unknown_order`."""
    number = connection.execute(sa.select(ORDERS.c.wallet).where(ORDERS.c.id == name)).scalar()
    if number is None:
        raise unknown_order(name)
    return next(one for one in wallets_in(connection) if one.number == number)


def unmatched_in(
    connection: Connection,
    log_range: tuple[int, int] | None = None,
    span: tuple[datetime, datetime] | None = None,
    newest: int | None = None,
) -> list[Unmatched]:
    """Give the transfers that belong to no order, in the order in which they were found.

    Of a range of the log those found then; of a span those that arrived in it; so many of the
    newest.
    """
    wallets = {one.number: one for one in wallets_in(connection)}
    query = (
        sa.select(TRANSFERS)
        .outerjoin(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(belongs_to_nobody(), TRANSFERS.c.finality.not_in(NOT_COUNTED))
        .order_by(TRANSFERS.c.number)
    )
    if log_range is not None:
        told = sa.select(LOG.c.transfer).where(
            LOG.c.number.between(*log_range), LOG.c.now == OrderState.UNMATCHED.value
        )
        query = query.where(TRANSFERS.c.number.in_(told))
    if span is not None:
        query = query.where(TRANSFERS.c.at >= to_ms(span[0]), TRANSFERS.c.at < to_ms(span[1]))
    if newest is not None:
        last = query.order_by(None).order_by(TRANSFERS.c.at.desc(), TRANSFERS.c.number.desc())
        query = last.limit(newest)
    rows = list(connection.execute(query).mappings())
    told_of: dict[int, list[tuple[str, str]]] = {}
    for piece in pieces(rows, PIECE):
        told_of |= attestations_of(connection, [row["number"] for row in piece])
    return [_unmatched(row, wallets[row["wallet"]], told_of.get(row["number"], ())) for row in rows]


def agreed_since(connection: Connection, after: int) -> tuple[list[str], int]:
    """Name the orders that left a conflict after a line of the log; and the log's last line."""
    last: int = connection.execute(sa.select(sa.func.max(LOG.c.number))).scalar() or 0
    conflicting = OrderState.CONFLICTING.value
    found = connection.execute(
        sa.select(ORDERS.c.id)
        .join(LOG, LOG.c.order_number == ORDERS.c.number)
        .where(LOG.c.number > after, LOG.c.was == conflicting, LOG.c.now != conflicting)
        .distinct()
    )
    return [row[0] for row in found], last


def belongs_to_nobody() -> sa.ColumnElement[bool]:
    """Say of a transfer, beside its claim, that no order has it, or a cancelled one."""
    cancelled = sa.select(ORDERS.c.number).where(
        ORDERS.c.number == CLAIMS.c.order_number, ORDERS.c.cancelled_at.is_not(None)
    )
    return sa.or_(CLAIMS.c.transfer.is_(None), cancelled.correlate(CLAIMS).exists())


def counts(connection: Connection) -> dict[str, int]:
    """Count the orders in each state; states without any are left out."""
    found = connection.execute(
        sa.select(STANDINGS.c.state, sa.func.count()).group_by(STANDINGS.c.state)
    )
    by_state = {row[0]: row[1] for row in found}
    return {state.value: by_state[state] for state in OrderState if state in by_state}


def changes_in(connection: Connection, log_range: tuple[int, int]) -> list[dict[str, str]]:
    """Give the changes of orders' states in a range of the log: first to last of each order."""
    found = connection.execute(
        sa.select(ORDERS.c.id, LOG.c.was, LOG.c.now)
        .join(LOG, LOG.c.order_number == ORDERS.c.number)
        .where(LOG.c.number.between(*log_range))
        .order_by(LOG.c.number)
    )
    changes: dict[str, dict[str, str]] = {}
    for order, was, now in found:
        change = changes.setdefault(order, {"order": order, "from": was, "to": now})
        change["to"] = now
    return [change for change in changes.values() if change["from"] != change["to"]]


def _orders_query() -> sa.Select[Any]:
    return (
        sa.select(ORDERS, STANDINGS.c.state, STANDINGS.c.received)
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .order_by(ORDERS.c.number)
    )


def _order(row: Any, wallet: Wallet, evidence: Any) -> Order:
    asset = ASSETS[wallet.asset]
    until = row["valid_until"]
    return Order(
        row["id"],
        OrderState(row["state"]),
        asset.name,
        wallet.address,
        str(row["amount"]),
        str(row["received"]),
        asset.unit,
        asset.decimals,
        row["memo"],
        from_ms(row["valid_from"]),
        None if until is None else from_ms(until),
        tuple(one.shown() for one in evidence),
    )


def _unmatched(row: Any, wallet: Wallet, told: Any) -> Unmatched:
    asset = ASSETS[wallet.asset]
    return Unmatched(
        row["chain"],
        row["tx"],
        row["log_index"] if row["log_index"] >= 0 else None,
        asset.name,
        wallet.address,
        str(row["amount"]),
        asset.unit,
        asset.decimals,
        row["sender"],
        from_ms(row["at"]),
        row["memo"],
        row["finality"],
        (row["source"], *(source for source, disputes in told if not disputes)),
        _EXPLORERS[asset.chain, asset.network] + row["tx"],
    )
