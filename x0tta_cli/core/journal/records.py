"""What the journal tells about operations, past and present."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.core.journal import file
from x0tta_cli.core.processes import Process

if TYPE_CHECKING:
    import sqlite3


class State(StrEnum):
    """Where an operation stands; `interrupted` has lost its process before it had an outcome."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step: without `ended_at`, nobody knows whether it had its effect."""

    name: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One operation with its steps, in the order in which they were started."""

    id: str
    kind: str
    plan: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None
    state: State
    error: Mapping[str, Any] | None
    pid: int
    steps: tuple[StepRecord, ...]

    @property
    def done(self) -> dict[str, Mapping[str, Any]]:
        """The steps that are done, by name, with their results."""
        return {step.name: step.result or {} for step in self.steps if step.outcome == State.DONE}


def operations(*, unfinished: bool = False) -> list[OperationRecord]:
    """List the operations, the oldest first; `unfinished` ones alone are running or interrupted.

    Creates nothing: without a journal the list is empty. Raises `journal.newer` and
    `journal.corrupt` (9), `journal.busy` (5).
    """
    with file.open_for_reading() as connection:
        if connection is None:
            return []
        return read(connection, "outcome IS NULL" if unfinished else "TRUE")


def find(identifier: str) -> OperationRecord:
    """Read one operation.

    Raises NotFoundError `journal.unknown_operation`, and what `operations` raises.
    """
    with file.open_for_reading() as connection:
        found = read(connection, "id = ?", (identifier,)) if connection is not None else []
    if not found:
        raise NotFoundError(
            "journal.unknown_operation",
            f"The journal has no operation '{identifier}'.",
            reason=f"The journal is {file.path()}.",
            fix="x0tta ops list",
            context={"operation": identifier},
        )
    return found[0]


def read(
    connection: sqlite3.Connection, condition: str, values: tuple[str, ...] = ()
) -> list[OperationRecord]:
    """Read the operations that an SQL condition chooses, the oldest first, at one instant."""
    import sqlite3

    connection.row_factory = sqlite3.Row
    is_own_transaction = not connection.in_transaction
    if is_own_transaction:
        connection.execute("BEGIN")
    try:
        rows = connection.execute(
            f"SELECT * FROM operations WHERE {condition} ORDER BY number",  # noqa: S608
            values,
        )
        with _reading_values():
            return [_operation(row, _steps(connection, row["id"])) for row in rows.fetchall()]
    finally:
        if is_own_transaction:
            connection.execute("ROLLBACK")


def _steps(connection: sqlite3.Connection, identifier: str) -> Iterator[StepRecord]:
    rows = connection.execute(
        "SELECT * FROM steps WHERE operation = ? ORDER BY number", (identifier,)
    )
    for row in rows:
        yield StepRecord(
            name=row["name"],
            started_at=datetime.fromisoformat(row["started_at"]),
            ended_at=_instant(row["ended_at"]),
            outcome=row["outcome"],
            result=_object(row["result"]),
            error=_object(row["error"]),
        )


def _operation(row: sqlite3.Row, steps: Iterator[StepRecord]) -> OperationRecord:
    process = Process(row["pid"], row["process_started_ticks"], row["boot_id"])
    return OperationRecord(
        id=row["id"],
        kind=row["kind"],
        plan=json.loads(row["plan"]),
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=_instant(row["ended_at"]),
        state=_state(row["outcome"], process),
        error=_object(row["error"]),
        pid=process.pid,
        steps=tuple(steps),
    )


def _state(outcome: str | None, process: Process) -> State:
    if outcome is not None:
        return State(outcome)
    return State.RUNNING if process.is_running() else State.INTERRUPTED


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _object(text: str | None) -> Mapping[str, Any] | None:
    return None if text is None else json.loads(text)


@contextmanager
def _reading_values() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise file.corrupt(file.path(), f"A value in it can't be read: {error}.") from error
