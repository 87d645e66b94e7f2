"""What the outbox holds, and what an operator does with single rows of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from x0tta_cli.alert import stored
from x0tta_cli.alert.model import Action, DeliveryState, Incident, IncidentState, OutboxRow
from x0tta_cli.alert.outbox.schema import TABLES
from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.core.journal import file
from x0tta_cli.core.journal.tables import transaction

if TYPE_CHECKING:
    import sqlite3

# A row may be on the disk as much later than its instant as a process waits for the others.
LATE_S = 15.0
WAITING = (DeliveryState.QUEUED, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True)
class LaneTrouble:
    """A channel's peer that fails: since when, and its last words."""

    channel: str
    peer: str
    failing_since: datetime
    disabled: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is where."""

    open: int
    queued: int
    dead: int


def rows(states: Sequence[DeliveryState] = WAITING, limit: int = 10_000) -> list[OutboxRow]:
    """List rows in these states, the oldest first; creates nothing. Raises as `journal.find`."""
    marks = ", ".join("?" * len(states))
    return _rows(
        f"d.state IN ({marks}) ORDER BY m.number, d.channel, d.peer LIMIT ?", *states, limit
    )


def rows_changed_since(instant: float) -> list[OutboxRow]:
    """List rows that changed since then, or whose alert came again, the oldest first."""
    return _rows(
        "d.changed_at >= ? OR d.message IN (SELECT max(number) FROM alert_messages WHERE key IN "
        "(SELECT key FROM alert_incidents WHERE received_at >= ?) GROUP BY key) "
        "ORDER BY d.changed_at, m.number, d.channel, d.peer",
        instant,
        instant,
    )


def incidents() -> list[Incident]:
    """List the open alerts that this machine has sent, the oldest first; creates nothing."""
    return _incidents("state != ? ORDER BY opened_at", IncidentState.RESOLVED)


def incident(key: str) -> Incident | None:
    """Find an alert that this machine has sent, open or over; creates nothing."""
    found = _incidents("key = ?", key)
    return found[0] if found else None


def counts() -> Counts:
    """Count what is open, queued and dead; creates nothing."""
    with TABLES.reading() as connection:
        if connection is None:
            return Counts(0, 0, 0)
        statements = (
            "SELECT count(*) FROM alert_incidents WHERE state != 'resolved'",
            "SELECT count(*) FROM alert_deliveries WHERE state = 'queued'",
            "SELECT count(*) FROM alert_deliveries WHERE state = 'dead'",
        )
        return Counts(*(int(connection.execute(text).fetchone()[0]) for text in statements))


def troubles() -> list[LaneTrouble]:
    """List the peers that fail; creates nothing."""
    with TABLES.reading() as connection:
        if connection is None:
            return []
        found = connection.execute(
            "SELECT channel, peer, failing_since, disabled, detail FROM alert_lanes "
            "WHERE failing_since IS NOT NULL ORDER BY channel, peer"
        ).fetchall()
        return [
            LaneTrouble(channel, peer, _instant(since), bool(disabled), detail)
            for channel, peer, since, disabled, detail in found
        ]


def channel_memory(channel: str, peer: str) -> dict[str, str]:
    """Tell what a channel remembers of itself, such as a chat's new id; creates nothing."""
    with TABLES.reading() as connection:
        if connection is None:
            return {}
        found = connection.execute(
            "SELECT name, value FROM alert_memory WHERE channel = ? AND peer = ? AND key = ''",
            (channel, peer),
        )
        return {str(name): str(value) for name, value in found}


def retry(numbers: Sequence[int], now: float, expires_at: float) -> int:
    """Queue rows again at once, dead ones too; of all rows where no number is given.

    Lanes that rest go on at once as well. Gives how many rows. Raises NotFoundError
    `alert.unknown_row`.
    """
    with closing(TABLES.open()) as connection, transaction(connection):
        condition, values = _chosen(connection, numbers)
        changed = connection.execute(
            "UPDATE alert_deliveries SET state = ?, due_at = ?, expires_at = max(expires_at, ?), "  # noqa: S608
            f"changed_at = ? WHERE state IN ('queued', 'dead') AND {condition}",
            (DeliveryState.QUEUED, now, expires_at, now, *values),
        ).rowcount
        connection.execute("UPDATE alert_lanes SET retry_at = 0, disabled = 0")
        return changed


def drop(numbers: Sequence[int], now: float) -> int:
    """Give rows up for good; gives how many. Raises NotFoundError `alert.unknown_row`."""
    with closing(TABLES.open()) as connection, transaction(connection):
        condition, values = _chosen(connection, numbers)
        return connection.execute(
            "UPDATE alert_deliveries SET state = ?, changed_at = ?, detail = 'dropped by hand' "  # noqa: S608
            f"WHERE state IN ('queued', 'dead') AND {condition}",
            (DeliveryState.SUPERSEDED, now, *values),
        ).rowcount


def _rows(condition: str, *values: object) -> list[OutboxRow]:
    with TABLES.reading() as connection:
        if connection is None:
            return []
        found = connection.execute(
            "SELECT m.number, m.key, m.notice, m.action, d.channel, d.peer, d.state, d.attempts, "  # noqa: S608
            "m.count, m.created_at, d.due_at, d.detail FROM alert_deliveries d "
            f"JOIN alert_messages m ON m.number = d.message WHERE {condition}",
            values,
        ).fetchall()
        return [_row(each) for each in found]


def _incidents(condition: str, value: object) -> list[Incident]:
    with TABLES.reading() as connection:
        if connection is None:
            return []
        found = connection.execute(
            "SELECT key, notice, state, opened_at, changed_at, received_at, count, lasting_s, "  # noqa: S608
            f"acknowledged_until FROM alert_incidents WHERE {condition}",
            (value,),
        ).fetchall()
        return [_incident(each) for each in found]


def _chosen(connection: sqlite3.Connection, numbers: Sequence[int]) -> tuple[str, tuple[int, ...]]:
    for number in numbers:
        found = connection.execute(
            "SELECT 1 FROM alert_deliveries WHERE message = ? AND state IN ('queued', 'dead')",
            (number,),
        ).fetchone()
        if found is None:
            raise NotFoundError(
                "alert.unknown_row",
                f"Nothing with the number {number} waits in the outbox.",
                reason=f"The outbox is in {file.path()}.",
                fix="x0tta alert outbox list",
                context={"number": number},
            )
    if not numbers:
        return "TRUE", ()
    return f"message IN ({', '.join('?' * len(numbers))})", tuple(numbers)


def _row(values: tuple[object, ...]) -> OutboxRow:
    number, key, text, action, channel, peer, state, attempts, count, created, due, detail = values
    notice = stored.read(str(text))
    is_queued = state == DeliveryState.QUEUED
    return OutboxRow(
        number=int(str(number)),
        key=str(key),
        name=notice.name,
        severity=notice.severity.value,
        action=Action(str(action)),
        channel=str(channel),
        peer=str(peer),
        state=DeliveryState(str(state)),
        attempts=int(str(attempts)),
        count=int(str(count)),
        created_at=_instant(float(str(created))),
        due_at=_instant(float(str(due))) if is_queued else None,
        detail=str(detail),
    )


def _incident(values: tuple[object, ...]) -> Incident:
    key, text, state, opened, changed, received, count, lasting_s, until = values
    return Incident(
        key=str(key),
        notice=stored.read(str(text)),
        state=IncidentState(str(state)),
        opened_at=_instant(float(str(opened))),
        changed_at=_instant(float(str(changed))),
        last_received_at=_instant(float(str(received))),
        count=int(str(count)),
        lasting_s=float(str(lasting_s)),
        acknowledged_until=None if until is None else _instant(float(str(until))),
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
