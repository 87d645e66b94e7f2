"""`x0tta ops`: the journal of what x0tta changed, and the way on from what was interrupted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x0tta_cli.terminal.arguments import LockTimeout, seconds
from x0tta_cli.terminal.cleaning import Cleaning
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Kind,
    Table,
    Text,
    Tone,
    confirm,
    session,
)

if TYPE_CHECKING:
    from x0tta_cli.core.journal import OperationRecord, StepRecord

app = App("See what x0tta changed and what was interrupted, and go on with it or clean it up.")

TONE_OF: Mapping[str, Tone] = {
    "done": "good",
    "failed": "bad",
    "interrupted": "warning",
    "cancelled": "dim",
}

_ID = typer.Argument(metavar="ID", help="As `x0tta ops list` names it.")
Identifier = Annotated[str, _ID, Kind("operation")]
Unfinished = Annotated[str, _ID, Kind("unfinished_operation")]


@dataclass(frozen=True, slots=True)
class ListedOperation:
    """One operation in a line; `resumable` where it was interrupted and can be gone on with."""

    id: str
    kind: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    steps_done: int
    last_step: str | None
    resumable: bool


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step: `interrupted` where nobody knows whether it had its effect."""

    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ShownOperation:
    """One operation, whole; `resumable` where it was interrupted and can be gone on with."""

    id: str
    kind: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    pid: int
    plan: dict[str, Any]
    steps: tuple[ShownStep, ...]
    error: dict[str, Any] | None
    resumable: bool

    @property
    def rows(self) -> tuple[ShownStep, ...]:
        """What a table or CSV shows: the steps."""
        return self.steps


@dataclass(frozen=True, slots=True)
class Resumption:
    """What was left of an operation, and what became of it."""

    id: str
    kind: str
    state: str
    done_before: tuple[str, ...]
    done_now: tuple[str, ...]
    would_change: bool


def blocks_of_list(listed: list[ListedOperation]) -> Iterator[Block]:
    """Lay the operations out as a table, and say what can be done about interrupted ones."""
    columns = [
        Column("ID"),
        Column("KIND"),
        Column("STATE"),
        Column("STARTED"),
        Column("ENDED", wide_only=True),
        Column("STEPS DONE", "right"),
        Column("LAST STEP"),
    ]
    if not listed:
        return
    yield Table(
        columns,
        [
            (
                operation.id,
                operation.kind,
                _state(operation.state),
                operation.started_at,
                operation.ended_at,
                operation.steps_done,
                operation.last_step,
            )
            for operation in listed
        ],
    )
    resumable = [operation.id for operation in listed if operation.resumable]
    hints = [f"x0tta ops resume {resumable[-1]} goes on."] if resumable else []
    if any(operation.state == "interrupted" for operation in listed):
        hints.append("x0tta ops clean --dry-run shows what giving up would remove.")
        yield Text("\n".join(hints), "dim")


@app.command(
    "list",
    view=blocks_of_list,
    examples=["x0tta ops list", "x0tta ops list --unfinished -o json"],
)
def list_(
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Only what runs now or was interrupted.")
    ] = False,
) -> list[ListedOperation]:
    """List what x0tta changed in the world, the newest last."""
    from x0tta_cli.core import journal

    return [
        ListedOperation(
            record.id,
            record.kind,
            record.state.value,
            record.started_at,
            record.ended_at,
            len(record.done),
            record.steps[-1].name if record.steps else None,
            _is_resumable(record),
        )
        for record in journal.operations(unfinished=unfinished)
    ]


def blocks_of_operation(shown: ShownOperation) -> Iterator[Block]:
    """Lay one operation out: facts, plan, steps, and the way on."""
    yield Heading(f"{shown.kind} {shown.id}")
    facts: list[tuple[str, Any]] = [
        ("state", _state(shown.state)),
        ("started", shown.started_at),
        ("ended", shown.ended_at),
        ("process", shown.pid),
    ]
    if shown.error:
        facts.append(("error", Cell(_error(shown.error), "bad")))
    yield Facts(facts)
    if shown.plan:
        yield Heading("Plan")
        yield Facts(list(shown.plan.items()))
    if shown.steps:
        yield Heading("Steps")
        columns = [Column("STEP"), Column("STATE"), Column("STARTED"), Column("RESULT")]
        yield Table(
            columns,
            [
                (
                    step.name,
                    _state(step.state),
                    step.started_at,
                    Cell(_error(step.error), "bad") if step.error else step.result or "",
                )
                for step in shown.steps
            ],
        )
    if shown.resumable:
        yield Text(f"x0tta ops resume {shown.id} goes on with it.", "dim")


@app.command(
    view=blocks_of_operation,
    examples=["x0tta ops show 0e9q4mx1c7ab", "x0tta ops show 0e9q4mx1c7ab -o json"],
)
def show(identifier: Identifier) -> ShownOperation:
    """Show one operation: its plan, how far it came, and what went wrong."""
    from x0tta_cli.core import journal

    record = journal.find(_named(identifier))
    return ShownOperation(
        record.id,
        record.kind,
        record.state.value,
        record.started_at,
        record.ended_at,
        record.pid,
        dict(record.plan),
        tuple(_shown_step(step, record) for step in record.steps),
        dict(record.error) if record.error else None,
        resumable=_is_resumable(record),
    )


def blocks_of_resumption(result: Resumption) -> Iterator[Block]:
    """Say in a sentence what was done, or would be."""
    name = f"{result.kind} {result.id}"
    before = f"{_count(len(result.done_before), 'step')} done before"
    if result.would_change:
        yield Text(f"{name} would be gone on with: {before}.")
    elif not result.done_now and result.done_before:
        yield Text(f"{name} is {result.state} already.", "good")
    else:
        now = ", ".join(result.done_now) or "nothing"
        yield Text(f"{name} is {result.state}: {before}, now {now}.", "good")


@app.command(
    changes_world=True,
    view=blocks_of_resumption,
    examples=[
        "x0tta ops resume 0e9q4mx1c7ab",
        "x0tta ops resume 0e9q4mx1c7ab --lock-timeout 1m  # wait for who runs it",
    ],
)
def resume(identifier: Unfinished, lock_timeout: LockTimeout = "0s") -> Resumption:
    """Go on with an operation where it was interrupted.

    What is done is not repeated; a step that was cut short is done again. An operation that is
    done already stays so, with status 0; one that still runs elsewhere is a conflict.
    """
    from x0tta_cli.core import journal

    timeout_s = seconds(lock_timeout)
    record = journal.find(_named(identifier))
    if session().dry_run:
        return _resumption(record, before=record, would_change=_may_resume(record))
    resumer = _resumer(record.kind)
    if resumer is None and record.state in {journal.State.INTERRUPTED, journal.State.RUNNING}:
        raise _not_resumable(record)
    with journal.resume(record.id, timeout_s) as operation:
        if operation is not None:
            assert resumer is not None  # noqa: S101 - refused above
            resumer(operation)
    return _resumption(journal.find(record.id), before=record, would_change=False)


def blocks_of_cleaning(result: Cleaning) -> Iterator[Block]:
    """Say what was removed, given up and kept, or would be."""
    verb = "Would be" if result.would_change else "Was"
    if not (result.removed or result.given_up or result.kept or result.failed):
        yield Text("Nothing was left behind.", "good")
    if result.removed:
        yield Heading(f"{verb} removed")
        columns = [Column("WHAT"), Column("NAME"), Column("OPERATION")]
        yield Table(
            columns, [(thing.what, thing.name, thing.operation) for thing in result.removed]
        )
    if result.given_up:
        yield Heading(f"{verb} given up")
        yield Table(
            [Column("OPERATION"), Column("KIND")],
            [(operation.id, operation.kind) for operation in result.given_up],
        )
    if result.failed:
        yield Heading("Could not be removed")
        yield Table(
            [Column("WHAT"), Column("NAME"), Column("WHY", tone="bad"), Column("OPERATION")],
            [(item.what, item.name, item.reason, item.operation) for item in result.failed],
        )
    if result.kept:
        yield Heading("Kept")
        yield Table(
            [Column("OPERATION"), Column("KIND"), Column("WHY"), Column("MEND")],
            [(item.id, item.kind, item.reason, item.fix) for item in result.kept],
        )


@app.command(
    changes_world=True,
    view=blocks_of_cleaning,
    examples=[
        "x0tta ops clean --dry-run  # what would be removed",
        "x0tta ops clean --yes",
        "x0tta ops clean 0e9q4mx1c7ab  # this one, also where nobody can resume it",
    ],
)
def clean(
    identifiers: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Only these operations; without it, all interrupted."),
        Kind("unfinished_operation"),
    ] = None,
    lock_timeout: LockTimeout = "0s",
) -> Cleaning:
    """Remove what killed operations left behind, and give those operations up.

    Nothing that still runs is touched. An operation of which x0tta does not know what it leaves
    behind is kept, unless it is named.
    """
    from x0tta_cli.core import locks
    from x0tta_cli.terminal import cleaning

    timeout_s = seconds(lock_timeout)
    names = [_named(name) for name in identifiers or []]
    plan = cleaning.plan(names)
    if session().dry_run or not plan.would_change:
        return plan
    things, given_up = _count(len(plan.removed), "thing"), _count(len(plan.given_up), "operation")
    confirm(f"Remove {things} and give up {given_up}?")
    with locks.hold("ops clean", timeout_s):
        return cleaning.carry_out(names)


def _named(identifier: str) -> str:
    return identifier.strip().lower()


def _is_resumable(record: OperationRecord) -> bool:
    from x0tta_cli.terminal.groups import operation_kind

    known = operation_kind(record.kind)
    return record.state == "interrupted" and known is not None and known.resume is not None


def _resumer(kind: str) -> Any:
    from x0tta_cli.terminal.groups import load, operation_kind

    known = operation_kind(kind)
    return load(known.resume) if known and known.resume else None


def _may_resume(record: OperationRecord) -> bool:
    from x0tta_cli.core.journal import State, find_interrupted

    if record.state is State.DONE:
        return False
    find_interrupted(record.id)
    if _resumer(record.kind) is None:
        raise _not_resumable(record)
    return True


def _not_resumable(record: OperationRecord) -> Exception:
    from x0tta_cli.core.errors import UnsupportedError

    return UnsupportedError(
        "ops.not_resumable",
        f"Nobody can resume an operation of the kind {record.kind}.",
        reason="No group of this x0tta goes on with such operations.",
        fix=f"See x0tta ops show {record.id}; x0tta ops clean {record.id} gives it up.",
        context={"operation": record.id, "kind": record.kind},
    )


def _resumption(
    record: OperationRecord, *, before: OperationRecord, would_change: bool
) -> Resumption:
    now = [name for name in record.done if name not in before.done]
    return Resumption(
        record.id, record.kind, record.state.value, tuple(before.done), tuple(now), would_change
    )


def _shown_step(step: StepRecord, record: OperationRecord) -> ShownStep:
    is_last = step is record.steps[-1]
    unknown = "running" if is_last and record.state == "running" else "interrupted"
    return ShownStep(
        step.name,
        step.outcome or unknown,
        step.started_at,
        step.ended_at,
        dict(step.result) if step.result else None,
        dict(step.error) if step.error else None,
    )


def _state(state: str) -> Cell:
    return Cell(state, TONE_OF.get(state, "plain"))


def _error(error: Mapping[str, Any]) -> str:
    code = f" ({error['code']})" if "code" in error else ""
    return f"{error.get('message') or error.get('type')}{code}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
