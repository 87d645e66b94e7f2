"""Operations as they happen: every line is on the disk before the next action starts."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from x0tta_cli.core import processes
from x0tta_cli.core.errors import Interrupted, OperatorError, Terminated
from x0tta_cli.core.journal import file
from x0tta_cli.core.journal.records import State
from x0tta_cli.core.secrets import json_form
from x0tta_cli.core.times import format_instant

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger(__name__)

# Crockford's base 32: no letter that is mistaken for another, and it sorts as the number does.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_704_067_200_000


class Step:
    """A step that is going on; give it a `result` where the next one or a later run needs it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.result: Mapping[str, object] | None = None


class Operation:
    """An operation that is going on. `id` names everything that it creates in the world.

    `plan` is what the journal has of it: in JSON's types, without secrets.
    """

    def __init__(
        self,
        identifier: str,
        plan: Mapping[str, Any],
        connection: sqlite3.Connection,
        done: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.id = identifier
        self.plan = plan
        self._connection = connection
        self._done = dict(done or {})
        self._is_open = True

    @property
    def is_over(self) -> bool:
        """Whether its outcome is written."""
        return not self._is_open

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Write that a step starts, run the block, write how it ended.

        Nothing of the block is done before the line is on the disk. Raises what `begin` raises.
        """
        number = self._write(
            "INSERT INTO steps (operation, name, started_at) VALUES (?, ?, ?)",
            (self.id, name, _now()),
        )
        step = Step(name)
        try:
            yield step
        except BaseException as error:
            with _beside(error):
                self._end_step(number, _outcome_of(error), error=error)
            raise
        self._end_step(number, State.DONE, result=step.result)

    def once(self, name: str, act: Callable[[], Mapping[str, object] | None]) -> Mapping[str, Any]:
        """Do the step `name`, unless it is already done; give its result as the journal has it.

        So that a body written in such steps can be run again by `resume`: names are unique within
        the operation. A step that was cut short is done again, for nobody knows whether it had its
        effect: `act` has to bear that. Raises what `begin` and `act` raise.
        """
        if name not in self._done:
            with self.step(name) as step:
                step.result = act()
            self._done[name] = json.loads(_json(step.result or {}) or "{}")
        return self._done[name]

    def finish(self, outcome: State = State.DONE) -> None:
        """Write the outcome; the operation is over. Raises what `begin` raises."""
        self._end(outcome)

    def fail(self, error: BaseException) -> None:
        """Write the error, or that the operator cancelled; a journal that fails is a warning."""
        with _beside(error):
            self._end(_outcome_of(error), error)

    def release(self, error: BaseException | None = None) -> None:
        """Let go of the operation itself: without an outcome it counts as interrupted at once."""
        if self._is_open:
            with nullcontext() if error is None else _beside(error):
                self._write(
                    "UPDATE operations SET process_started_ticks = -1 WHERE id = ?", (self.id,)
                )

    def close(self) -> None:
        """Let go of the journal; an operation without an outcome stays unfinished in it."""
        self._connection.close()

    def _end(self, outcome: State, error: BaseException | None = None) -> None:
        if self._is_open:
            self._write(
                "UPDATE operations SET ended_at = ?, outcome = ?, error = ? WHERE id = ?",
                (_now(), outcome.value, _described(error), self.id),
            )
            self._is_open = False
            self.close()

    def _end_step(
        self,
        number: int,
        outcome: State,
        *,
        result: Mapping[str, object] | None = None,
        error: BaseException | None = None,
    ) -> None:
        self._write(
            "UPDATE steps SET ended_at = ?, outcome = ?, result = ?, error = ? WHERE number = ?",
            (_now(), outcome.value, _json(result), _described(error), number),
        )

    def _write(self, statement: str, values: tuple[object, ...]) -> int:
        with file.database_errors(file.path()):
            return self._connection.execute(statement, values).lastrowid or 0


def begin(kind: str, plan: Mapping[str, object]) -> Operation:
    """Write down an operation before anything of it happens, with its secrets taken out.

    Raises `state.not_writable` (6), `state.disk_full` (7), `journal.busy` (5), `journal.newer` and
    `journal.corrupt` (9).
    """
    process = processes.current()
    written = _json(plan) or "{}"
    connection = file.open_for_writing()
    running = Operation(_new_identifier(), json.loads(written), connection)
    try:
        running._write(
            "INSERT INTO operations "
            "(id, kind, plan, started_at, pid, process_started_ticks, boot_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                running.id,
                kind,
                written,
                _now(),
                process.pid,
                process.started_ticks,
                process.boot_id,
            ),
        )
    except BaseException:
        running.close()
        raise
    return running


@contextmanager
def operation(kind: str, plan: Mapping[str, object]) -> Iterator[Operation]:
    """Journal the block as one operation: done at its end, failed or cancelled with its error.

    Raises what `begin` raises.
    """
    running = begin(kind, plan)
    try:
        yield running
        running.finish()
    except BaseException as error:
        running.fail(error)
        if not running.is_over:
            point_to_resume(error, running.id)
        raise
    finally:
        running.close()


def point_to_resume(error: BaseException, identifier: str) -> None:
    """Say with an error that left its operation unfinished how to go on with it."""
    if isinstance(error, OperatorError):
        error.fix = f"{error.fix} Then go on with it: x0tta ops resume {identifier}".lstrip()
    else:
        # A signal, or a defect: what is shown of those has no room for it.
        log.warning("unfinished", extra={"next": f"x0tta ops resume {identifier}"})


@contextmanager
def _beside(error: BaseException) -> Iterator[None]:
    """Let a journal that can't be written not take the place of the error that is on its way."""
    try:
        yield
    except OperatorError as failure:
        if failure is not error:
            error.add_note(f"The journal could not be written: {failure}")
            log.warning("the journal could not be written", extra={"reason": str(failure)})


def _outcome_of(error: BaseException) -> State:
    # Signals arrive as KeyboardInterrupt or one of its kind.
    by_operator = isinstance(error, Interrupted | Terminated) or not isinstance(error, Exception)
    return State.CANCELLED if by_operator else State.FAILED


def _described(error: BaseException | None) -> str | None:
    if error is None:
        return None
    code = {"code": error.code} if isinstance(error, OperatorError) else {}
    return _json({"type": type(error).__name__, "message": str(error), **code})


def _json(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else json.dumps(json_form(value), ensure_ascii=False)


def _now() -> str:
    return format_instant(datetime.now(UTC))


def _new_identifier() -> str:
    """Make a name of 12 signs that sorts by time: 8 for the millisecond, 4 by chance."""
    number = (time.time_ns() // 1_000_000 - _EPOCH_MS) << 20 | int.from_bytes(os.urandom(3)) >> 4
    signs = [_DIGITS[number >> shift & 31] for shift in range(55, -1, -5)]
    return "".join(signs)
