"""Receipts: of listings that an order has claimed, and as a second opinion above the quorum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.core.errors import NotYetKnownError
from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.chains.receipts import fetch_receipts
from x0tta_cli.pay.ledger import recording
from x0tta_cli.pay.ledger.pieces import pieces, timely_pieces
from x0tta_cli.pay.ledger.settling import settle, settle_again
from x0tta_cli.pay.ledger.tables import (
    ATTESTATIONS,
    CLAIMS,
    IS_LISTED,
    ORDERS,
    STANDINGS,
    STANDS_CONFIRMING,
    TRANSFERS,
)
from x0tta_cli.pay.model import Finality, Receipt
from x0tta_cli.pay.orders import Wallet
from x0tta_cli.pay.reconcile.model import NOBODY, Unread
from x0tta_cli.pay.reconcile.round import NO_ANSWER, Round

# Receipts that are asked for before what they say is stored: a kill costs at most these requests,
# and those of so long.
RECEIPTS_AT_ONCE, SECONDS_AT_ONCE = 500, 5.0
ORDERS_AT_ONCE = 500


def settle_listings(run: Round) -> None:
    """Fetch the receipts of the listings that orders have claimed; what is left is noted."""
    for wallet in run.wallets:
        with run.ledger.reading() as connection:
            waiting = without_receipt(connection, wallet)
        for source in run.sources_of(wallet):
            if source.settles:
                waiting = _settle(run, source, wallet, waiting)
        run.waiting += len(waiting)
        if waiting and not any(source.settles for source in run.sources_of(wallet)):
            error = _no_receipts(wallet)
            run.unread.append(Unread(NOBODY, wallet.name, error.code, str(error)))


def seek_agreement(run: Round) -> None:
    """Ask other kinds of sources about final transfers that too few have told of."""
    for wallet in run.wallets:
        for source in run.sources_of(wallet):
            with run.ledger.reading() as connection:
                lonely = [
                    tx for tx, known in _lonely(connection, wallet) if source.kind not in known
                ]
            for piece in _told(run, source, wallet, lonely):
                with run.ledger.writing() as connection:
                    gained: set[int] = set()
                    for receipt in piece:
                        gained |= recording.attest_receipt(connection, wallet, receipt)
                    settle_again(connection, gained)


def without_receipt(connection: Connection, wallet: Wallet) -> list[str]:
    """Name the transactions of listings that an order has claimed, the oldest first."""
    found = connection.execute(
        sa.select(TRANSFERS.c.tx, sa.func.min(TRANSFERS.c.at))
        .join(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(
            TRANSFERS.c.wallet == wallet.number,
            IS_LISTED,
        )
        .group_by(TRANSFERS.c.tx)
        .order_by(sa.func.min(TRANSFERS.c.at), TRANSFERS.c.tx)
    )
    return [row[0] for row in found]


def _no_receipts(wallet: Wallet) -> NotYetKnownError:
    return NotYetKnownError(
        "pay.no_receipts",
        f"No source is configured whose receipts settle {wallet.asset}: nothing gets paid.",
        fix="x0tta config set pay.sources.trongrid.kind trongrid",
        context={"wallet": wallet.name},
    )


def _settle(run: Round, source: Source, wallet: Wallet, txs: Sequence[str]) -> list[str]:
    """Ask one source for receipts and store what they say; those that it gave none for."""
    answered: set[str] = set()
    for piece in _told(run, source, wallet, txs):
        with run.ledger.writing() as connection:
            settle(connection, recording.record_receipts(connection, wallet, piece).changed)
        answered |= {receipt.tx for receipt in piece}
        run.progress.update(note=f"{len(answered)} receipts")
    return [tx for tx in txs if tx not in answered]


def _told(
    run: Round, source: Source, wallet: Wallet, txs: Sequence[str]
) -> Iterator[list[Receipt]]:
    """Give receipts in the pieces in which they are stored."""
    receipts = _receipts(run, source, wallet, txs)
    return timely_pieces(receipts, RECEIPTS_AT_ONCE, SECONDS_AT_ONCE)


def _receipts(run: Round, source: Source, wallet: Wallet, txs: Sequence[str]) -> Iterator[Receipt]:
    """Ask for receipts and give those that there are, until the source answers no more."""
    if source.name in run.spent or not txs:
        return
    try:
        for _, receipt in fetch_receipts(source, txs, wallet.address, ASSETS[wallet.asset]):
            if receipt is not None:
                yield receipt
    except NO_ANSWER as error:
        run.set_aside(source, wallet, error)


def _lonely(connection: Connection, wallet: Wallet) -> list[tuple[str, set[str]]]:
    """Give final transfers above their order's quorum, with the kinds that have told of them."""
    confirming = connection.execute(sa.select(STANDINGS.c.order_number).where(STANDS_CONFIRMING))
    kinds = recording.kinds_of_sources(connection)
    told: dict[tuple[int, str], set[str]] = {}
    for orders in pieces([row[0] for row in confirming], ORDERS_AT_ONCE):
        found = connection.execute(
            sa.select(
                TRANSFERS.c.number,
                TRANSFERS.c.tx,
                # Who said that it may be rolled back has not told of it yet.
                sa.case((TRANSFERS.c.first_finality != "confirming", TRANSFERS.c.source)),
                ATTESTATIONS.c.source,
            )
            .join(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
            .join(ORDERS, ORDERS.c.number == CLAIMS.c.order_number)
            .outerjoin(ATTESTATIONS, ATTESTATIONS.c.transfer == TRANSFERS.c.number)
            .where(
                CLAIMS.c.order_number.in_(orders),
                TRANSFERS.c.wallet == wallet.number,
                TRANSFERS.c.finality == Finality.FINAL.value,
                sa.or_(ORDERS.c.amount > ORDERS.c.quorum, TRANSFERS.c.amount > ORDERS.c.quorum),
            )
            .order_by(TRANSFERS.c.number)
        )
        for number, tx, *names in found:
            known = told.setdefault((number, tx), set())
            known.update(kinds.get(name, "") for name in names if name is not None)
    return [(tx, known) for (_, tx), known in told.items() if len(known) < 2]
