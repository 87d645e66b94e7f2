"""Sums over the ledger: orders by asset and state, transfers by day; exact, in smallest units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.ledger.enrolment import to_ms
from x0tta_cli.pay.ledger.evidence import evidence_of
from x0tta_cli.pay.ledger.pieces import pieces
from x0tta_cli.pay.ledger.reading import belongs_to_nobody
from x0tta_cli.pay.ledger.tables import CLAIMS, ORDERS, STANDINGS, TRANSFERS, WALLETS
from x0tta_cli.pay.model import Finality
from x0tta_cli.pay.orders import OrderState
from x0tta_cli.pay.report.model import DayReceived, Total, UnmatchedTotal
from x0tta_cli.pay.states import NOT_COUNTED

DAY_MS = 86_400_000
PIECE = 500
# A sum of 64-bit integers can leave 64 bits, so high and low digits are summed apart.
_SPLIT = 10**9
EPOCH = date(1970, 1, 1)

Span = tuple[datetime, datetime]
_NO_INCOME = (OrderState.CONFLICTING.value, OrderState.CANCELLED.value)
_NEEDS_TWO = sa.or_(ORDERS.c.amount > ORDERS.c.quorum, TRANSFERS.c.amount > ORDERS.c.quorum)


def totals_in(connection: Connection, span: Span) -> list[Total]:
    """Sum the orders that became valid in a span, by asset and state."""
    found = connection.execute(
        sa.select(
            WALLETS.c.asset,
            STANDINGS.c.state,
            sa.func.count(),
            *_halves(ORDERS.c.amount),
            *_halves(STANDINGS.c.received),
        )
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .join(WALLETS, WALLETS.c.number == ORDERS.c.wallet)
        .where(_within(ORDERS.c.valid_from, span))
        .group_by(WALLETS.c.asset, STANDINGS.c.state)
    )
    sums = {(row[0], row[1]): row for row in found}
    return [
        Total(
            asset.name,
            state,
            row[2],
            str(_whole(row[3], row[4])),
            str(_whole(row[5], row[6])),
            asset.unit,
            asset.decimals,
        )
        for asset in ASSETS.values()
        for state in OrderState
        if (row := sums.get((asset.name, state.value))) is not None
    ]


def received_in(connection: Connection, span: Span) -> list[DayReceived]:
    """Sum the transfers that arrived in a span and count for orders, by day and asset.

    Those of orders that sources contradict each other about are left out, and of cancelled ones.
    """
    amounts: Counter[tuple[date, str]] = Counter()
    transfers: Counter[tuple[date, str]] = Counter()
    for day, asset, count, amount in (*_small(connection, span), *_large(connection, span)):
        amounts[day, asset] += amount
        transfers[day, asset] += count
    return [
        DayReceived(
            day.isoformat(),
            name,
            transfers[day, name],
            str(amounts[day, name]),
            ASSETS[name].unit,
            ASSETS[name].decimals,
        )
        for day, name in sorted(amounts, key=lambda key: (key[0], list(ASSETS).index(key[1])))
    ]


def unmatched_totals_in(connection: Connection, span: Span) -> list[UnmatchedTotal]:
    """Sum the transfers that arrived in a span and belong to no order, by asset."""
    listed = sa.case((TRANSFERS.c.finality == Finality.LISTED.value, 1), else_=0)
    found = connection.execute(
        sa.select(
            WALLETS.c.asset, sa.func.count(), sa.func.sum(listed), *_halves(TRANSFERS.c.amount)
        )
        .join(WALLETS, WALLETS.c.number == TRANSFERS.c.wallet)
        .outerjoin(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(
            belongs_to_nobody(),
            TRANSFERS.c.finality.not_in(NOT_COUNTED),
            _within(TRANSFERS.c.at, span),
        )
        .group_by(WALLETS.c.asset)
    )
    sums = {row[0]: row for row in found}
    return [
        UnmatchedTotal(
            asset.name,
            row[1],
            int(row[2]),
            str(_whole(row[3], row[4])),
            asset.unit,
            asset.decimals,
        )
        for asset in ASSETS.values()
        if (row := sums.get(asset.name)) is not None
    ]


def _small(connection: Connection, span: Span) -> Iterator[tuple[date, str, int, int]]:
    """Sum what one source is enough for, in the database: (day, asset, transfers, amount)."""
    day = (TRANSFERS.c.at // DAY_MS).label("day")
    sums = sa.select(day, WALLETS.c.asset, sa.func.count(), *_halves(TRANSFERS.c.amount))
    found = connection.execute(
        _claimed(sums, span)
        .where(TRANSFERS.c.finality == Finality.FINAL.value, sa.not_(_NEEDS_TWO))
        .group_by(day, WALLETS.c.asset)
    )
    for number, asset, count, high, low in found:
        yield EPOCH + timedelta(days=int(number)), asset, count, _whole(high, low)


def _large(connection: Connection, span: Span) -> Iterator[tuple[date, str, int, int]]:
    """Give one by one what a second source has to agree with, as far as one does."""
    columns = (ORDERS.c.number, WALLETS.c.asset, ORDERS.c.amount, ORDERS.c.quorum)
    found = connection.execute(_claimed(sa.select(*columns), span).where(_NEEDS_TWO).distinct())
    terms = {row[0]: row[1:] for row in found}
    begin, end = span
    for numbers in pieces(terms, PIECE):
        for number, evidence in evidence_of(connection, numbers).items():
            asset, asked, quorum = terms[number]
            for one in evidence:
                if one.counted and begin <= one.at < end and max(asked, one.amount) > quorum:
                    yield one.at.astimezone(UTC).date(), asset, 1, one.amount


def _claimed(query: Any, span: Span) -> Any:
    return (
        query.select_from(TRANSFERS)
        .join(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .join(ORDERS, ORDERS.c.number == CLAIMS.c.order_number)
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .join(WALLETS, WALLETS.c.number == ORDERS.c.wallet)
        .where(_within(TRANSFERS.c.at, span), STANDINGS.c.state.not_in(_NO_INCOME))
    )


def _within(column: sa.ColumnElement[Any], span: Span) -> sa.ColumnElement[bool]:
    begin, end = span
    return sa.and_(column >= to_ms(begin), column < to_ms(end))


def _halves(column: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    return sa.func.sum(column // _SPLIT), sa.func.sum(column % _SPLIT)


def _whole(high: Any, low: Any) -> int:
    return int(high) * _SPLIT + int(low)
