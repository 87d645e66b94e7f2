"""What the journal says on the screen of `x0tta status`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from x0tta_cli.core.journal.records import OperationRecord, State, operations
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.status import StatusLine

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration

NAMED = 3


def status_lines(_configuration: Configuration) -> Iterator[StatusLine]:
    """Tell what is going on and what was interrupted. Raises what `operations` raises."""
    unfinished = operations(unfinished=True)
    running = [record for record in unfinished if record.state is State.RUNNING]
    interrupted = [record for record in unfinished if record.state is State.INTERRUPTED]
    if running:
        yield StatusLine(Severity.INFO, f"running: {_named(running)}", len(running))
    if interrupted:
        yield StatusLine(
            Severity.WARNING,
            f"interrupted: {_named(interrupted)}",
            len(interrupted),
            "x0tta ops list --unfinished"
            if len(interrupted) > 1
            else f"x0tta ops resume {interrupted[0].id}",
        )


def _named(records: Sequence[OperationRecord]) -> str:
    """Name the newest of some operations."""
    names = [f"{record.kind} {record.id}" for record in reversed(records[-NAMED:])]
    others = len(records) - len(names)
    return ", ".join(names) + (f" and {others} more" if others else "")
