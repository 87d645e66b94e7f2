"""Transfers find their orders, and orders their states, in one transaction.

Almost all transfers are simple: final, within the window, the only one of an order for which
nothing has come before, and small enough for one source. Those are settled by set operations of the
database, whose conditions and results are `states.derive` for that case (a property test compares
them). All others are settled one by one with the pure functions themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from x0tta_cli.pay.ledger import chain
from x0tta_cli.pay.ledger.bulk import insert_rows
from x0tta_cli.pay.ledger.cursors import mark, set_mark
from x0tta_cli.pay.ledger.evidence import claimed_of, terms_of
from x0tta_cli.pay.ledger.pieces import pieces
from x0tta_cli.pay.ledger.tables import CLAIMS, LOG, ORDERS, STANDINGS, TRANSFERS
from x0tta_cli.pay.matching import ANY_KEY, LARGEST_DUST, PARTS, choose, is_late
from x0tta_cli.pay.orders import OrderState, Terms
from x0tta_cli.pay.states import NEVER_COUNTED, derive

PIECE = 500
MATCHED_TRANSFER, _MATCHED_ORDER = "matched_transfer", "matched_order"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement appended to the log: rows `first` to `last`, none where last < first."""

    first: int
    last: int


def settle(connection: Connection, changed: Iterable[int] = ()) -> Settled:
    """Match all that is new, derive the states of the orders that it concerns, log the changes.

    `changed` are transfers of which more is known now, as in `settle_again`. Only within
    `writing`. Running it again, or after a kill, does what is left and nothing twice.
    """
    first = chain.next_number(connection, LOG)
    since, until = mark(connection, MATCHED_TRANSFER), _last(connection, TRANSFERS)
    known_orders, orders = mark(connection, _MATCHED_ORDER), _last(connection, ORDERS)
    count = _settle_simple(connection, since, first) if until > since else 0
    # Numbers have no gaps, so it is known without looking whether any is left.
    are_left = since + count < until
    derived = _settle_others(connection, _unclaimed(connection, since)) if are_left else set()
    if orders > known_orders and since > 0:
        derived |= _settle_others(connection, _waited_for(connection, since, known_orders))
    set_mark(connection, MATCHED_TRANSFER, until)
    set_mark(connection, _MATCHED_ORDER, orders)
    _settle_changed(connection, changed, derived)
    return _close(connection, first)


def settle_again(connection: Connection, transfers: Iterable[int]) -> Settled:
    """Derive the states of the orders that have claimed these transfers, and log the changes.

    In the same transaction as what is newly known of them; only within `writing`.
    """
    first = chain.next_number(connection, LOG)
    _settle_changed(connection, transfers, frozenset())
    return _close(connection, first)


def _settle_changed(
    connection: Connection, transfers: Iterable[int], derived: Collection[int]
) -> None:
    """Derive again what is not derived already from all that is known."""
    for piece in pieces(sorted(transfers), PIECE):
        found = connection.execute(
            sa.select(CLAIMS.c.order_number, sa.func.max(CLAIMS.c.transfer))
            .where(CLAIMS.c.transfer.in_(piece))
            .group_by(CLAIMS.c.order_number)
        )
        again = {row[0]: [row[1]] for row in found if row[0] not in derived}
        _derive_again(connection, again, are_new=False)


# A transfer with the order that it pays as the only one. SQLite would rather begin with the orders:
# CROSS JOIN keeps it from that.
_HITS = """
FROM pay_transfers AS t {join} pay_orders AS o
{on} o.wallet = t.wallet AND o.match_key = t.match_key AND o.valid_from <= t.at
     AND (o.valid_until IS NULL OR o.valid_until >= t.at) AND o.cancelled_at IS NULL
     AND o.amount <= o.quorum AND t.amount <= o.quorum
     AND (t.amount > {dust} OR t.amount >= o.amount / {parts})
     AND t.number > :since AND t.finality = 'final'
     AND t.number NOT IN (SELECT transfer FROM pay_attestations WHERE disputes <> '')
"""
_STATE = """CASE WHEN {amount} > {asked} + {tolerance} THEN 'overpaid'
            WHEN {amount} < {asked} - {tolerance} THEN 'underpaid'
            ELSE 'paid' END"""
_LOG_ALL = (
    "INSERT INTO pay_log (order_number, transfer, was, now, received, note) "
    "SELECT o.number, t.number, 'expected', "
    + _STATE.format(amount="t.amount", asked="o.amount", tolerance="o.tolerance")
    + ", t.amount, ''"
    + _HITS.format(join="CROSS JOIN", on="WHERE", dust=LARGEST_DUST, parts=PARTS)
)
_LOG_SINGLE = (
    "INSERT INTO pay_log (number, order_number, transfer, was, now, received, note) "
    "SELECT :before + row_number() OVER (ORDER BY h.ordered), h.ordered, h.transfer, s.state, "
    + _STATE.format(amount="h.amount", asked="h.asked", tolerance="h.tolerance")
    + """, h.amount, ''
FROM (SELECT o.number AS ordered, o.amount AS asked, o.tolerance AS tolerance,
             min(t.number) AS transfer, min(t.amount) AS amount
      {hits}
      GROUP BY o.number, o.amount, o.tolerance HAVING count(*) = 1) AS h
JOIN pay_standings AS s ON s.order_number = h.ordered
WHERE s.state = 'expected'
"""
)
_CLAIM = """
INSERT INTO pay_claims (transfer, order_number, late)
SELECT transfer, order_number, 0 FROM pay_log WHERE number >= :first
"""
# An order that has another state, also because of a line before, stays as it is.
_LET_STAND = """
INSERT INTO pay_standings (order_number, state, received)
SELECT order_number, now, received FROM pay_log WHERE number >= :first
ON CONFLICT (order_number) DO UPDATE SET state = excluded.state, received = excluded.received
WHERE pay_standings.state = 'expected'
"""


def _settle_simple(connection: Connection, since: int, first: int) -> int:
    """Settle the simple ones among the transfers after `since`; how many they were."""
    if connection.dialect.name == "sqlite":
        count = _settle_as_if_simple(connection, since, first)
        if count is not None:
            return count
    is_sqlite = connection.dialect.name == "sqlite"
    hits = _HITS.format(
        join="CROSS JOIN" if is_sqlite else "JOIN",
        on="WHERE" if is_sqlite else "ON",
        dust=LARGEST_DUST,
        parts=PARTS,
    )
    log = sa.text(_LOG_SINGLE.format(hits=hits))
    connection.execute(log, {"since": since, "before": first - 1})
    connection.execute(sa.text(_CLAIM), {"first": first})
    return connection.execute(sa.text(_LET_STAND), {"first": first}).rowcount


def _settle_as_if_simple(connection: Connection, since: int, first: int) -> int | None:
    """Settle each transfer as the only one of its order, and take it back where one was not.

    Grouping a million transfers by their orders costs half as much again, and almost never finds
    two of one order. None where it did: then nothing is changed.
    """
    attempt = connection.begin_nested()
    logged = connection.execute(sa.text(_LOG_ALL), {"since": since}).rowcount
    stand = connection.execute(sa.text(_LET_STAND), {"first": first}).rowcount
    if stand != logged:
        attempt.rollback()
        return None
    connection.execute(sa.text(_CLAIM), {"first": first})
    attempt.commit()
    return logged


def _unclaimed(connection: Connection, since: int) -> Iterator[RowMapping]:
    """Give the new transfers that the set operations have left, in the order of their numbers."""
    found = (
        sa.select(TRANSFERS)
        .outerjoin(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(CLAIMS.c.transfer.is_(None), TRANSFERS.c.finality.not_in(NEVER_COUNTED))
        .order_by(TRANSFERS.c.number)
        .limit(PIECE)
    )
    while rows := list(connection.execute(found.where(TRANSFERS.c.number > since)).mappings()):
        yield from rows
        since = rows[-1]["number"]


def _waited_for(connection: Connection, until: int, known_orders: int) -> Iterator[RowMapping]:
    """Give the transfers of earlier runs that belonged to nobody and have an order now."""
    key_fits = sa.or_(ORDERS.c.match_key == TRANSFERS.c.match_key, ORDERS.c.match_key == ANY_KEY)
    found = connection.execute(
        sa.select(TRANSFERS)
        .join(ORDERS, sa.and_(ORDERS.c.wallet == TRANSFERS.c.wallet, key_fits))
        .outerjoin(CLAIMS, CLAIMS.c.transfer == TRANSFERS.c.number)
        .where(
            ORDERS.c.number > known_orders,
            TRANSFERS.c.number <= until,
            TRANSFERS.c.finality.not_in(NEVER_COUNTED),
            CLAIMS.c.transfer.is_(None),
        )
        .distinct()
        .order_by(TRANSFERS.c.number)
    )
    yield from list(found.mappings())


def _settle_others(connection: Connection, transfers: Iterable[RowMapping]) -> set[int]:
    """Settle transfers one by one; the orders that claimed one."""
    derived: set[int] = set()
    for piece in pieces(transfers, PIECE):
        candidates = _candidates(connection, piece)
        claimed: dict[int, list[int]] = {}
        claims, unmatched = [], []
        for row in piece:
            keys = ((row["wallet"], row["match_key"]), (row["wallet"], ANY_KEY))
            waiting = [terms for key in keys for terms in candidates.get(key, ())]
            chosen = choose(waiting, row["at"], row["amount"])
            if chosen is None:
                unmatched.append(row["number"])
                continue
            late = int(is_late(chosen, row["at"]))
            claims.append({"transfer": row["number"], "order_number": chosen.number, "late": late})
            claimed.setdefault(chosen.number, []).append(row["number"])
        insert_rows(connection, CLAIMS, claims)
        _derive_again(connection, claimed, unmatched, are_new=True)
        derived |= set(claimed)
    return derived


def _candidates(
    connection: Connection, transfers: Iterable[RowMapping]
) -> dict[tuple[int, str], list[Terms]]:
    wanted: dict[int, set[str]] = {}
    for row in transfers:
        wanted.setdefault(row["wallet"], {ANY_KEY}).add(row["match_key"])
    found: dict[tuple[int, str], list[Terms]] = {}
    for wallet, keys in wanted.items():
        where = (ORDERS.c.wallet == wallet, ORDERS.c.match_key.in_(keys))
        for row in connection.execute(sa.select(ORDERS).where(*where)).mappings():
            found.setdefault((wallet, row["match_key"]), []).append(terms_of(row))
    return found


def _derive_again(
    connection: Connection,
    claimed: Mapping[int, Sequence[int]],
    unmatched: Sequence[int] = (),
    *,
    are_new: bool,
) -> None:
    """Derive the states of orders from all that they have claimed, and log what is new.

    `claimed` are the transfers that are the reason. Where they `are_new`, each has its line, and
    the last one the change: so the log has all claims, those too that change no state.
    """
    lines: list[dict[str, Any]] = []
    stands = []
    for row in _orders(connection, claimed):
        order, transfers = row["number"], claimed[row["number"]]
        stored = (row["state"], row["received"])
        derived = (row["derived"].state.value, row["derived"].received)
        if are_new:
            lines += [_line(order, one, stored[0], stored) for one in transfers[:-1]]
        if are_new or derived != stored:
            lines.append(_line(order, transfers[-1], stored[0], derived))
        if derived != stored:
            stands.append({"order": order, "now": derived[0], "sum": derived[1]})
    lines += [_line(None, one, "", (OrderState.UNMATCHED.value, 0)) for one in unmatched]
    if lines:
        number = chain.next_number(connection, LOG)
        insert_rows(
            connection, LOG, [{"number": n, **line} for n, line in enumerate(lines, number)]
        )
    if stands:
        let_stand = STANDINGS.update().where(STANDINGS.c.order_number == sa.bindparam("order"))
        let_stand = let_stand.values(state=sa.bindparam("now"), received=sa.bindparam("sum"))
        connection.execute(let_stand, stands)


def _line(order: int | None, transfer: int, was: str, now: tuple[str, int]) -> dict[str, Any]:
    return {
        "order_number": order,
        "transfer": transfer,
        "was": was,
        "now": now[0],
        "received": now[1],
        "note": "",
    }


def _orders(connection: Connection, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Give orders with what is stored of their states, and what is `derived` from all evidence."""
    wanted = list(numbers)
    if not wanted:
        return
    evidence = claimed_of(connection, wanted)
    found = connection.execute(
        sa.select(ORDERS, STANDINGS.c.state, STANDINGS.c.received)
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .where(ORDERS.c.number.in_(wanted))
        .order_by(ORDERS.c.number)
    ).mappings()
    for row in list(found):
        yield {**row, "derived": derive(terms_of(row), evidence.get(row["number"], ()))}


def _close(connection: Connection, first: int) -> Settled:
    last = chain.next_number(connection, LOG) - 1
    if last >= first:
        chain.append(connection, "log", first, last)
    return Settled(first, last)


def _last(connection: Connection, table: sa.Table) -> int:
    return chain.next_number(connection, table) - 1
