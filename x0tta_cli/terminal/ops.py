"""`x0tta ops`: the journal of what x0tta changed, and the way on from what was interrupted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x0tta_cli.terminal.arguments import LockTimeout, seconds, since_when
from x0tta_cli.terminal.cleaning import Cleaning
from x0tta_cli.terminal.command import App, Kind, confirm, session
from x0tta_cli.terminal.ops_results import (
    ListedOperation,
    Resumption,
    ShownOperation,
    ShownStep,
    blocks_of_cleaning,
    blocks_of_list,
    blocks_of_operation,
    blocks_of_resumption,
)
from x0tta_cli.terminal.text import counted

if TYPE_CHECKING:
    from x0tta_cli.core.journal import OperationRecord, StepRecord

app = App("See what x0tta changed and what was interrupted, and go on with it or clean it up.")

_ID = typer.Argument(metavar="ID", help="As `x0tta ops list` names it.")
Identifier = Annotated[str, _ID, Kind("operation")]
Unfinished = Annotated[str, _ID, Kind("unfinished_operation")]


@app.command(
    "list",
    view=blocks_of_list,
    examples=[
        "x0tta ops list",
        "x0tta ops list --since 2h  # what changed?",
        "x0tta ops list --unfinished -o json",
    ],
)
def list_(
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Only what runs now or was interrupted.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="WHEN",
            help="Only what was under way since then: 2h ago, or 2026-11-25T10:00:00Z.",
        ),
    ] = None,
) -> list[ListedOperation]:
    """List what x0tta changed in the world and in its configuration, the newest last."""
    from datetime import UTC

    from x0tta_cli.core import journal

    start = since_when(since, datetime.now(UTC)) if since else datetime.min.replace(tzinfo=UTC)
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
            dict(record.plan),
        )
        for record in journal.operations(unfinished=unfinished)
        if record.ended_at is None or record.ended_at >= start
    ]


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
    things, given_up = counted(len(plan.removed), "thing"), counted(len(plan.given_up), "operation")
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
