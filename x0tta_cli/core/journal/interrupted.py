"""Operations whose process was killed: gone on with, given up, or in the way of another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from x0tta_cli.core import processes
from x0tta_cli.core.errors import ConflictError
from x0tta_cli.core.journal import file, records
from x0tta_cli.core.journal.operations import Operation, point_to_resume
from x0tta_cli.core.journal.records import OperationRecord, State
from x0tta_cli.core.times import format_instant

if TYPE_CHECKING:
    import sqlite3

POLL_S = 0.1


@contextmanager
def resume(identifier: str, timeout_s: float = 0) -> Iterator[Operation | None]:
    """Journal the block as the rest of an interrupted operation; None where it is already done.

    Whoever runs it elsewhere is waited for, up to `timeout_s`. An error leaves the operation
    interrupted, so that it can be resumed again, and says how.

    Raises NotFoundError `journal.unknown_operation`, ConflictError `journal.running` and
    `journal.over`, and what `journal.begin` raises.
    """
    resumed = _take_over(identifier, timeout_s)
    if resumed is None:
        yield None
        return
    with closing(resumed):
        try:
            yield resumed
            resumed.finish()
        except BaseException as error:
            resumed.release(error)
            point_to_resume(error, identifier)
            raise


def give_up(identifier: str, clean: Callable[[], bool]) -> bool:
    """Close an interrupted operation as cancelled, once `clean` has removed what it left behind.

    Where `clean` gives False or raises, the operation stays interrupted. Gives whether it is
    closed. Raises as `resume`.
    """
    given_up = _take_over(identifier, timeout_s=0, is_done_refused=True)
    assert given_up is not None  # noqa: S101 - what is done was refused
    with closing(given_up):
        try:
            is_clean = clean()
            if is_clean:
                given_up.finish(State.CANCELLED)
            else:
                given_up.release()
        except BaseException as error:
            given_up.release(error)
            raise
    return is_clean


def find_interrupted(identifier: str) -> OperationRecord:
    """Read an operation that has to be interrupted.

    Raises NotFoundError `journal.unknown_operation`, ConflictError `journal.running` and
    `journal.over`.
    """
    record = records.find(identifier)
    if record.state is State.INTERRUPTED:
        return record
    raise _running(record) if record.state is State.RUNNING else _over(record)


def refuse_interrupted(kind: str, about: Mapping[str, object]) -> None:
    """Refuse to begin where an operation on the same object was interrupted.

    `about` are the members of the plan that name the object. Raises ConflictError
    `journal.interrupted`, which says how to go on with the other.
    """
    for record in records.operations(unfinished=True):
        is_about = all(record.plan.get(name) == value for name, value in about.items())
        if record.kind == kind and is_about and record.state is State.INTERRUPTED:
            raise ConflictError(
                "journal.interrupted",
                f"An earlier {kind} on the same object was interrupted.",
                reason=f"Operation {record.id} stopped {_place(record)}.",
                fix=f"x0tta ops resume {record.id}",
                context={"operation": record.id, "kind": kind},
            )


def _take_over(
    identifier: str, timeout_s: float, *, is_done_refused: bool = False
) -> Operation | None:
    """Become the process of an interrupted operation, in one transaction; None where it is done."""
    records.find(identifier)
    deadline = time.monotonic() + timeout_s
    while True:
        connection = file.open_for_writing()
        try:
            with file.database_errors(file.path()):
                record = _claim(connection, identifier)
        except BaseException:
            connection.close()
            raise
        if record.state is State.INTERRUPTED:
            return Operation(identifier, record.plan, connection, record.done)
        connection.close()
        if record.state is State.DONE and not is_done_refused:
            return None
        if record.state is not State.RUNNING:
            raise _over(record)
        if time.monotonic() >= deadline:
            raise _running(record)
        time.sleep(POLL_S)


def _claim(connection: sqlite3.Connection, identifier: str) -> OperationRecord:
    """Read an operation, and write this process into it where its own is gone."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        [record] = records.read(connection, "id = ?", (identifier,))
        if record.state is State.INTERRUPTED:
            process = processes.current()
            connection.execute(
                "UPDATE operations SET pid = ?, process_started_ticks = ?, boot_id = ? "
                "WHERE id = ?",
                (process.pid, process.started_ticks, process.boot_id, identifier),
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return record


def _place(record: OperationRecord) -> str:
    if not record.steps:
        return "before its first step"
    last = record.steps[-1]
    return f"{'after' if last.ended_at else 'in'} the step '{last.name}'"


def _running(record: OperationRecord) -> ConflictError:
    return ConflictError(
        "journal.running",
        f"Operation {record.id} ({record.kind}) is still running.",
        reason=f"Process {record.pid} runs it.",
        fix=f"Wait for it to end; ps {record.pid} shows what it is.",
        retryable=True,
        context={"operation": record.id, "pid": record.pid},
    )


def _over(record: OperationRecord) -> ConflictError:
    ended = f" at {format_instant(record.ended_at)}" if record.ended_at else ""
    return ConflictError(
        "journal.over",
        f"Operation {record.id} ({record.kind}) is over: {record.state}{ended}.",
        reason="Only an operation that lost its process before it had an outcome is unfinished.",
        fix=f"See x0tta ops show {record.id}, and run its command again.",
        context={"operation": record.id, "state": record.state.value},
    )
