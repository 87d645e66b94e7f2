"""One run over all wallets and sources: read, match, fetch receipts, seek a second opinion."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.core.progress import Progress
from x0tta_cli.pay.chains.protocol import Source, planned_requests
from x0tta_cli.pay.ledger import chain, reading, recording
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.ledger.enrolment import wallets_in, wallets_named
from x0tta_cli.pay.ledger.settling import settle
from x0tta_cli.pay.ledger.tables import LOG, ORDERS, STANDINGS
from x0tta_cli.pay.orders import OrderState, Wallet
from x0tta_cli.pay.reconcile.model import Plan, PlannedRead, Reconciliation, SourceOutcome
from x0tta_cli.pay.reconcile.receipts import seek_agreement, settle_listings, without_receipt
from x0tta_cli.pay.reconcile.round import Round
from x0tta_cli.pay.reconcile.windows import beginning_of, read_wallet

OPEN = (OrderState.EXPECTED, OrderState.SEEN, OrderState.CONFIRMING, OrderState.UNDERPAID)


def reconcile(
    ledger: Ledger,
    sources: Mapping[str, Source],
    progress: Progress,
    *,
    overlap: timedelta = timedelta(hours=2),
    since: datetime | None = None,
    wallet: str | None = None,
) -> Reconciliation:
    """Read each wallet from each source once, and let what arrived find its order.

    Whoever calls holds `ledger.alone`. A source that fails costs its own answers alone; what is
    read is stored page by page, and a run that was ended goes on where it was. Raises NotFoundError
    `pay.no_such_wallet`, ConfigurationError `pay.source_renamed`.
    """
    run = Round(ledger, sources, _chosen(ledger, wallet), overlap, since, progress)
    with ledger.writing() as connection:
        first = chain.next_number(connection, LOG)
        for name, source in sources.items():
            recording.remember_source(connection, name, source.kind)
    for source, one in run.pairs():
        read_wallet(run, source, one)
    with ledger.writing() as connection:
        settle(connection)
    settle_listings(run)
    seek_agreement(run)
    return _result(run, first)


def plan(
    ledger: Ledger,
    sources: Mapping[str, Source],
    *,
    overlap: timedelta = timedelta(hours=2),
    since: datetime | None = None,
    wallet: str | None = None,
) -> Plan:
    """Tell what a run would ask each source for; asks nothing itself."""
    from x0tta_cli.core.progress import Silent

    run = Round(ledger, sources, _chosen(ledger, wallet), overlap, since, Silent())
    left = {name: source.allowance().left_today for name, source in sources.items()}
    reads = []
    with ledger.reading() as connection:
        for source, one in run.pairs():
            planned = _planned(connection, run, source, one, left[source.name])
            reads.append(planned)
            if planned.left_today is not None:
                needed = planned.requests + planned.receipts
                left[source.name] = max(0, planned.left_today - needed)
    return Plan(tuple(reads))


def _planned(
    connection: Connection, run: Round, source: Source, wallet: Wallet, left: int | None
) -> PlannedRead:
    rows = _open_orders(connection, wallet)
    waiting = len(without_receipt(connection, wallet)) if source.settles else 0
    expected = rows if source.settles and not source.lists_finally else 0
    requests, receipts = planned_requests(source, rows), max(expected, waiting)
    return PlannedRead(
        source.name,
        wallet.name,
        wallet.asset,
        beginning_of(connection, run, source, wallet).since,
        requests,
        receipts,
        left,
        left is None or requests + receipts <= left,
    )


def _result(run: Round, first: int) -> Reconciliation:
    with run.ledger.reading() as connection:
        last = chain.next_number(connection, LOG) - 1
        blind = [
            wallet.name
            for wallet in run.wallets
            if wallet.number not in run.read and run.sources_of(wallet)
        ]
        return Reconciliation(
            tuple(
                SourceOutcome(
                    report.name,
                    report.pages,
                    report.receipts,
                    report.refused,
                    report.state.value,
                    report.reason,
                )
                for report in (source.report() for source in run.sources.values())
            ),
            tuple(reading.changes_in(connection, (first, last))),
            tuple(reading.unmatched_in(connection, (first, last))),
            reading.counts(connection),
            chain.head(connection),
            run.waiting,
            tuple(run.unread),
            tuple(blind),
        )


def _chosen(ledger: Ledger, name: str | None) -> list[Wallet]:
    with ledger.reading() as connection:
        return wallets_in(connection) if name is None else wallets_named(connection, name)


def _open_orders(connection: Connection, wallet: Wallet) -> int:
    found = connection.execute(
        sa.select(sa.func.count())
        .select_from(ORDERS)
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .where(
            ORDERS.c.wallet == wallet.number,
            STANDINGS.c.state.in_([state.value for state in OPEN]),
        )
    ).scalar()
    return found or 0
