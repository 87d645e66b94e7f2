"""What the commands of `x0tta ops` return, and how it is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from x0tta_cli.terminal.blocks import Block, Cell, Column, Facts, Heading, Table, Text, Tone
from x0tta_cli.terminal.text import counted

if TYPE_CHECKING:
    from x0tta_cli.terminal.cleaning import Cleaning

TONE_OF: Mapping[str, Tone] = {
    "done": "good",
    "failed": "bad",
    "interrupted": "warning",
    "cancelled": "dim",
}
# What fits beside the other columns on two lines of a common terminal.
LONGEST_SUMMARY = 60


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
    plan: dict[str, Any]


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
        Column("STEPS DONE", "right", wide_only=True),
        Column("LAST STEP"),
        Column("WHAT"),
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
                _summary(operation.plan),
            )
            for operation in listed
        ],
    )
    resumable = [operation.id for operation in listed if operation.resumable]
    hints = [f"x0tta ops resume {resumable[-1]} goes on."] if resumable else []
    if any(operation.state == "interrupted" for operation in listed):
        hints.append("x0tta ops clean --dry-run shows what giving up would remove.")
        yield Text("\n".join(hints), "dim")


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


def blocks_of_resumption(result: Resumption) -> Iterator[Block]:
    """Say in a sentence what was done, or would be."""
    name = f"{result.kind} {result.id}"
    before = f"{counted(len(result.done_before), 'step')} done before"
    if result.would_change:
        yield Text(f"{name} would be gone on with: {before}.")
    elif not result.done_now and result.done_before:
        yield Text(f"{name} is {result.state} already.", "good")
    else:
        now = ", ".join(result.done_now) or "nothing"
        yield Text(f"{name} is {result.state}: {before}, now {now}.", "good")


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


def _state(state: str) -> Cell:
    return Cell(state, TONE_OF.get(state, "plain"))


def _error(error: Mapping[str, Any]) -> str:
    code = f" ({error['code']})" if "code" in error else ""
    return f"{error.get('message') or error.get('type')}{code}"


def _summary(plan: Mapping[str, Any]) -> str:
    """Put into a line what an operation is about; `x0tta ops show` has all of it."""
    said = []
    for name, value in plan.items():
        items = value if isinstance(value, list) else [value]
        if value not in (None, "", []) and all(isinstance(i, str | int | float) for i in items):
            written = [str(i).lower() if isinstance(i, bool) else str(i) for i in items]
            said.append(f"{name} {' '.join(written)}")
    line = ", ".join(said)
    return line if len(line) <= LONGEST_SUMMARY else f"{line[: LONGEST_SUMMARY - 1].rstrip()}…"
