"""The hash chain over everything that is appended to the ledger.

Each transaction that appends rows of a kind ends with a batch, and each batch with a head:

    digest = SHA-256 over the lines of its rows, in the order of their numbers
    head   = SHA-256 over "x0tta-pay-1", the head before, the batch's number, instant, kind, first
             and last number, and the digest, each followed by a line feed

A line is its fields joined by tabs, with a line feed at its end, and no field holds either, so two
different sequences of rows never give the same bytes. Whoever changes, adds, removes or reorders a
row has to compute all later heads anew, and so can't keep a head that somebody else has written
down: that is the anchor, without which a chain proves nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.pay.ledger.bulk import insert_rows
from x0tta_cli.pay.ledger.pieces import pieces
from x0tta_cli.pay.ledger.tables import (
    ATTESTATIONS,
    BATCHES,
    LOG,
    ORDERS,
    SOURCES,
    TRANSFERS,
    WALLETS,
)

FORMAT = "x0tta-pay-1"
GENESIS = "0" * 64
# Lines of this many rows are joined by the database: a million rows one by one would cost as much
# as all else together.
ROWS_A_PIECE = 1000
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n"})

_LOG_FIELDS = ("number", "order_number", "transfer", "was", "now", "received", "note")
_FIELDS: dict[str, tuple[sa.Table, tuple[str, ...]]] = {
    "wallets": (WALLETS, ("number", "name", "chain", "asset", "address")),
    "orders": (
        ORDERS,
        (
            "number",
            "id",
            "wallet",
            "amount",
            "memo",
            "match_key",
            "valid_from",
            "valid_until",
            "quorum",
            "tolerance",
        ),
    ),
    "transfers": (
        TRANSFERS,
        (
            "number",
            "chain",
            "tx",
            "log_index",
            "wallet",
            "amount",
            "sender",
            "at",
            "memo",
            "match_key",
            "first_finality",
            "source",
        ),
    ),
    "sources": (SOURCES, ("number", "name", "kind")),
    "attestations": (ATTESTATIONS, ("number", "transfer", "source", "disputes")),
    "log": (LOG, _LOG_FIELDS),
}
# Notes of the log are tx hashes or words of this program, so SQL can join them as they are.
_PIECES = {
    "sqlite": "SELECT group_concat(line, '') FROM (SELECT "
    "printf('%s\t%s\t%s\t%s\t%s\t%s\t%s\n', {fields}) AS line "
    "FROM pay_log WHERE number BETWEEN :first AND :last ORDER BY number)",
    "postgresql": "SELECT string_agg(format(E'%s\t%s\t%s\t%s\t%s\t%s\t%s\n', {fields}), '' "
    "ORDER BY number) FROM pay_log WHERE number BETWEEN :first AND :last",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction appended of one kind: the rows `first` to `last`, and the new head."""

    number: int
    at_ms: int
    kind: str
    first: int
    last: int
    digest: str
    head: str


def append(
    connection: Connection, kind: str, first: int, last: int, digest: str | None = None
) -> str:
    """Close what was appended of a kind with a batch; the new head.

    `digest` is computed from the stored rows where it is not given. Only within `writing`.
    """
    before = latest(connection)
    digest = digest or digest_of(connection, kind, first, last)
    number = before.number + 1 if before else 1
    batch = Batch(number, time.time_ns() // 1_000_000, kind, first, last, digest, "")
    head = head_of(before.head if before else GENESIS, batch)
    values = {"number": number, "at": batch.at_ms, "kind": kind, "first": first, "last": last}
    connection.execute(BATCHES.insert(), {**values, "digest": digest, "head": head})
    return head


def append_rows(connection: Connection, kind: str, rows: Sequence[dict[str, Any]]) -> int:
    """Store rows of a kind, each of which gains its `number`; close them with a batch.

    Gives the first number. Only within `writing`.
    """
    table = _FIELDS[kind][0]
    first = next_number(connection, table)
    if rows:
        for number, row in enumerate(rows, first):
            row["number"] = number
        insert_rows(connection, table, rows)
        append(connection, kind, first, first + len(rows) - 1, digest_of_rows(kind, rows))
    return first


def latest(connection: Connection) -> Batch | None:
    """Give the last batch; None for an empty ledger."""
    row = connection.execute(sa.select(BATCHES).order_by(BATCHES.c.number.desc()).limit(1)).first()
    return Batch(*row) if row else None


def head(connection: Connection) -> str:
    """Give the head of the log: zeros for an empty ledger."""
    last = latest(connection)
    return last.head if last else GENESIS


def head_of(before: str, batch: Batch) -> str:
    """Compute a batch's head from the one before; the batch's own `head` is not asked."""
    rows = (batch.kind, batch.first, batch.last, batch.digest)
    fields = (FORMAT, before, batch.number, batch.at_ms, *rows)
    return hashlib.sha256("".join(f"{field}\n" for field in fields).encode()).hexdigest()


def digest_of(connection: Connection, kind: str, first: int, last: int) -> str:
    """Compute the digest of stored rows."""
    if kind == "log":
        return _digest(_log_pieces(connection, first, last))
    return _digest(_pieces(connection, kind, first, last))


def digest_of_rows(kind: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Compute the digest of rows that are about to be stored."""
    fields = itemgetter(*_FIELDS[kind][1])
    return _digest(_lines(piece) for piece in pieces(map(fields, rows), ROWS_A_PIECE))


def next_number(connection: Connection, table: sa.Table) -> int:
    """Give the number after the last row's; only within `writing`, where nobody else appends."""
    last: int | None = connection.execute(sa.select(sa.func.max(table.c.number))).scalar()
    return (last or 0) + 1


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _log_pieces(connection: Connection, first: int, last: int) -> Iterator[str]:
    """Give the lines of the log, a piece for each question: grouping them would sort them all."""
    fields = ", ".join(f"coalesce(CAST({name} AS TEXT), '')" for name in _LOG_FIELDS)
    if connection.dialect.name == "sqlite":
        # Its printf writes NULL as nothing, and numbers as they are.
        fields = ", ".join(_LOG_FIELDS)
    statement = sa.text(_PIECES[connection.dialect.name].format(fields=fields))
    # A batch that somebody has changed may claim more rows than there are.
    stored = min(last, next_number(connection, LOG) - 1)
    for start in range(max(first, 1), stored + 1, ROWS_A_PIECE):
        end = min(start + ROWS_A_PIECE - 1, stored)
        yield connection.execute(statement, {"first": start, "last": end}).scalar() or ""


def _pieces(connection: Connection, kind: str, first: int, last: int) -> Iterator[str]:
    table, names = _FIELDS[kind]
    columns = [table.c[name] for name in names]
    found = connection.execute(
        sa.select(*columns)
        .where(table.c.number.between(first, last))
        .order_by(table.c.number)
        .execution_options(yield_per=ROWS_A_PIECE)
    )
    return (_lines([tuple(row) for row in piece]) for piece in found.partitions())


def _lines(rows: Sequence[tuple[Any, ...]]) -> str:
    """Write rows of one kind as lines."""
    tabs = len(rows[0]) - 1
    form = "\t".join(["%s"] * (tabs + 1)) + "\n"
    # None and "" differ: an absent memo is none, and an empty one can't be stored.
    said = [
        tuple("" if one is None else one for one in row) if None in row else row for row in rows
    ]
    text = "".join([form % row for row in said])
    # Looking for what has to be escaped is quicker than escaping each field.
    count = len(rows)
    if "\\" in text or text.count("\n") != count or text.count("\t") != count * tabs:
        text = "".join([form % tuple(str(one).translate(_ESCAPES) for one in row) for row in said])
    return text
