"""The audit: the chain is computed again, the log replayed, each state derived from its evidence.

Nothing that is stored is believed: what the audit names is a difference between two of the chain,
the log, the claims, the terms and the states.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.pay.ledger import chain
from x0tta_cli.pay.ledger.evidence import claimed_of, terms_of
from x0tta_cli.pay.ledger.settling import MATCHED_TRANSFER
from x0tta_cli.pay.ledger.tables import (
    ATTESTATIONS,
    BATCHES,
    CLAIMS,
    LOG,
    MARKS,
    ORDERS,
    SOURCES,
    STANDINGS,
    TRANSFERS,
    WALLETS,
)
from x0tta_cli.pay.matching import ANY_KEY, key_of_transfer
from x0tta_cli.pay.orders import Audit, Difference, OrderState
from x0tta_cli.pay.states import NOT_COUNTED, derive

PIECE = 1000
_TABLES = {
    "wallets": WALLETS,
    "orders": ORDERS,
    "sources": SOURCES,
    "transfers": TRANSFERS,
    "attestations": ATTESTATIONS,
    "log": LOG,
}


def audit_ledger(connection: Connection, anchor: str | None = None) -> Audit:
    """Check the whole ledger; `anchor` is a head that somebody else has written down."""
    differences = [*_chain(connection), *_coverage(connection)]
    head = chain.head(connection)
    anchored = None
    if anchor is not None:
        known = sa.select(BATCHES.c.number).where(BATCHES.c.head == anchor)
        # A chain that was computed anew does not contain the head of the old one.
        anchored = anchor == chain.GENESIS or connection.execute(known).first() is not None
        if not anchored:
            differences.append(Difference("anchor", "not in the log", anchor))
    differences += [*_claims(connection), *_logged_claims(connection), *_finality(connection)]
    differences += [
        *_ended(connection),
        *_queue(connection),
        *_states(connection),
        *_replay(connection),
    ]
    orders, transfers, entries = (_count(connection, one) for one in (ORDERS, TRANSFERS, LOG))
    return Audit(orders, transfers, entries, head, anchored, tuple(differences))


def audit_empty(anchor: str | None) -> Audit:
    """Audit a ledger that does not exist: a head that was kept says that it did."""
    is_known = anchor in {None, chain.GENESIS}
    lost = () if is_known else (Difference("ledger", "there is none", str(anchor)),)
    return Audit(0, 0, 0, chain.GENESIS, None if anchor is None else is_known, lost)


def _chain(connection: Connection) -> Iterator[Difference]:
    """Compute every head anew from the stored rows."""
    before = chain.GENESIS
    found = connection.execute(sa.select(BATCHES).order_by(BATCHES.c.number))
    for number, batch in enumerate((chain.Batch(*row) for row in found.fetchall()), 1):
        about = f"batch {batch.number}: {batch.kind} {batch.first} to {batch.last}"
        if batch.number != number:
            yield Difference(about, str(batch.number), str(number))
        if batch.kind not in _TABLES:
            yield Difference(about, batch.kind, "a kind of rows")
            continue
        digest = chain.digest_of(connection, batch.kind, batch.first, batch.last)
        if digest != batch.digest:
            yield Difference(about, batch.digest, digest)
        head = chain.head_of(before, replace(batch, digest=digest))
        if head != batch.head:
            yield Difference(f"{about}, head", batch.head, head)
        before = batch.head


def _coverage(connection: Connection) -> Iterator[Difference]:
    """See that each row is in exactly one batch, and none is missing."""
    for kind, table in _TABLES.items():
        ranges = connection.execute(
            sa.select(BATCHES.c.first, BATCHES.c.last)
            .where(BATCHES.c.kind == kind)
            .order_by(BATCHES.c.number)
        ).fetchall()
        expected = 1
        for first, last in ranges:
            if first != expected:
                yield Difference(f"{kind} {first}", str(first), str(expected))
            expected = last + 1
        rows, last_row = connection.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(table.c.number), 0))
        ).one()
        if rows != expected - 1 or last_row != expected - 1:
            yield Difference(f"{kind}: rows", str(rows), str(expected - 1))


def _claims(connection: Connection) -> Iterator[Difference]:
    """See that each claim is one that matching could have made."""
    found = connection.execute(
        sa.select(
            CLAIMS.c.transfer,
            CLAIMS.c.late,
            TRANSFERS.c.wallet,
            TRANSFERS.c.memo,
            TRANSFERS.c.amount,
            TRANSFERS.c.at,
            ORDERS.c.id,
            ORDERS.c.wallet.label("wanted_wallet"),
            ORDERS.c.match_key,
            ORDERS.c.valid_from,
            ORDERS.c.valid_until,
        )
        .outerjoin(TRANSFERS, TRANSFERS.c.number == CLAIMS.c.transfer)
        .outerjoin(ORDERS, ORDERS.c.number == CLAIMS.c.order_number)
        .execution_options(yield_per=PIECE)
    )
    for row in found.mappings():
        if not _is_possible(row):
            yield Difference(f"claim on transfer {row['transfer']}", str(row["id"]), "no claim")


def _is_possible(row: Any) -> bool:
    if row["wallet"] is None or row["wallet"] != row["wanted_wallet"]:
        return False
    key = key_of_transfer(row["memo"], row["amount"])
    is_late = row["valid_until"] is not None and row["at"] > row["valid_until"]
    return (
        row["match_key"] in {key, ANY_KEY}
        and row["at"] >= row["valid_from"]
        and row["late"] == is_late
    )


def _logged_claims(connection: Connection) -> Iterator[Difference]:
    """See that the log has each claim, and no other."""
    claims = sa.select(CLAIMS.c.transfer, CLAIMS.c.order_number)
    logged = sa.select(LOG.c.transfer, LOG.c.order_number).where(
        LOG.c.transfer.is_not(None), LOG.c.order_number.is_not(None)
    )
    for first, second, stored in ((claims, logged, True), (logged, claims, False)):
        for transfer, order in connection.execute(first.except_(second)):
            words = ("a claim", "none in the log") if stored else ("none", "a claim in the log")
            yield Difference(f"claim of order number {order} on transfer {transfer}", *words)


def _ended(connection: Connection) -> Iterator[Difference]:
    """See that those orders are marked as cancelled or refunded of which the log says so."""
    for state, column in (
        (OrderState.CANCELLED, ORDERS.c.cancelled_at),
        (OrderState.REFUNDED, ORDERS.c.refunded_at),
    ):
        marked = sa.select(ORDERS.c.number).where(column.is_not(None))
        logged = sa.select(LOG.c.order_number).where(LOG.c.now == state.value)
        for first, second, stored in ((marked, logged, True), (logged, marked, False)):
            for (number,) in connection.execute(first.except_(second)):
                words = (state.value, "not in the log") if stored else ("not so", state.value)
                yield Difference(f"order number {number}", *words)


def _finality(connection: Connection) -> Iterator[Difference]:
    """See that each transfer is as final as the steps in the log have made it."""
    last = (
        sa.select(LOG.c.transfer, sa.func.max(LOG.c.number).label("number"))
        .where(LOG.c.order_number.is_(None), LOG.c.now != OrderState.UNMATCHED.value)
        .group_by(LOG.c.transfer)
        .subquery()
    )
    logged = sa.func.coalesce(LOG.c.now, TRANSFERS.c.first_finality)
    found = connection.execute(
        sa.select(TRANSFERS.c.number, TRANSFERS.c.finality, logged)
        .outerjoin(last, last.c.transfer == TRANSFERS.c.number)
        .outerjoin(LOG, LOG.c.number == last.c.number)
        .where(TRANSFERS.c.finality != logged)
    )
    for number, stored, derived in found:
        yield Difference(f"transfer {number}", stored, derived)


def _queue(connection: Connection) -> Iterator[Difference]:
    """See that each transfer that was matched is claimed, or in the queue of those that are not."""
    until = connection.execute(
        sa.select(MARKS.c.value).where(MARKS.c.name == MATCHED_TRANSFER)
    ).scalar()
    queued = sa.select(LOG.c.transfer).where(LOG.c.now == OrderState.UNMATCHED.value)
    found = connection.execute(
        sa.select(TRANSFERS.c.number)
        .outerjoin(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(
            TRANSFERS.c.number <= (until or 0),
            TRANSFERS.c.finality.not_in(NOT_COUNTED),
            CLAIMS.c.transfer.is_(None),
            TRANSFERS.c.number.not_in(queued),
        )
    )
    for (number,) in found:
        yield Difference(f"transfer {number}", "belongs to nobody", "a line in the log")


def _states(connection: Connection) -> Iterator[Difference]:
    """Derive the state of every order from its terms and its evidence."""
    after = 0
    query = (
        sa.select(ORDERS, STANDINGS.c.state, STANDINGS.c.received)
        .outerjoin(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .order_by(ORDERS.c.number)
        .limit(PIECE)
    )
    while rows := list(connection.execute(query.where(ORDERS.c.number > after)).mappings()):
        evidence = claimed_of(connection, [row["number"] for row in rows])
        for row in rows:
            derived = derive(terms_of(row), evidence.get(row["number"], ()))
            if (derived.state, derived.received) != (row["state"], row["received"]):
                yield Difference(
                    f"order {row['id']}",
                    f"{row['state']}, {row['received']}",
                    f"{derived.state}, {derived.received}",
                )
        after = rows[-1]["number"]


def _replay(connection: Connection) -> Iterator[Difference]:
    """Replay the log: each change goes on from the one before, and the last one stands."""
    previous: tuple[int, str, int] | None = None
    found = connection.execute(
        sa.select(
            ORDERS.c.id,
            ORDERS.c.number,
            STANDINGS.c.state,
            STANDINGS.c.received,
            LOG.c.was,
            LOG.c.now,
            LOG.c.received.label("counted"),
        )
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .outerjoin(LOG, LOG.c.order_number == ORDERS.c.number)
        .order_by(ORDERS.c.number, LOG.c.number)
        .execution_options(yield_per=PIECE)
    )
    stands: Any = None
    for row in found.mappings():
        if previous is None or previous[0] != row["number"]:
            yield from _compare(stands, previous)
            previous = (row["number"], OrderState.EXPECTED.value, 0)
        stands = row
        if row["now"] is None:
            continue
        if row["was"] != previous[1]:
            yield Difference(f"order {row['id']}, in the log", row["was"], previous[1])
        previous = (row["number"], row["now"], row["counted"])
    yield from _compare(stands, previous)


def _compare(stands: Any, replayed: tuple[int, str, int] | None) -> Iterator[Difference]:
    if stands is None or replayed is None:
        return
    if (stands["state"], stands["received"]) != replayed[1:]:
        yield Difference(
            f"order {stands['id']}, last in the log",
            f"{stands['state']}, {stands['received']}",
            f"{replayed[1]}, {replayed[2]}",
        )


def _count(connection: Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0
