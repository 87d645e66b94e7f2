"""`x0tta status`: what is going on, over all groups, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from x0tta_cli.core.errors import ExitStatus, OperatorError, first_of
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Table,
    Text,
    Tone,
    configuration,
)

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration
    from x0tta_cli.core.status import StatusLine

app = App("See what is going on, over all groups.", single=True)

# Far more than any group takes, also where a busy machine has to import what it needs first.
BOUND_S = 10.0
TONE_OF: dict[str, Tone] = {
    "info": "good",
    "warning": "warning",
    "error": "bad",
    "critical": "bad",
    "unknown": "warning",
}


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A line of a group; `unknown` in place of a severity where it could not be found out."""

    group: str
    severity: str
    summary: str
    count: int
    next: str
    exit_status: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that groups have to say."""

    lines: tuple[GroupLine, ...]

    @property
    def rows(self) -> tuple[GroupLine, ...]:
        """What a table or CSV shows: the lines."""
        return self.lines

    @property
    def exit_status(self) -> ExitStatus:
        """0, or the gravest error of a group that could not find out how it is."""
        return first_of(line.exit_status for line in self.lines)


def blocks(overview: Overview) -> Iterator[Block]:
    """Lay the lines out as a table, or say that there is nothing."""
    if not overview.lines:
        yield Text("Nothing is going on, and nothing waits for you.", "good")
        return
    yield Table(
        [Column("GROUP"), Column("STATE"), Column("WHAT"), Column("NEXT")],
        [
            (line.group, Cell(_word(line), TONE_OF[line.severity]), line.summary, line.next)
            for line in overview.lines
        ],
    )


@app.command(view=blocks, examples=["x0tta status", "x0tta status -o json"])
def status() -> Overview:
    """See what is going on, over all groups.

    A group with nothing to say, or switched off, is silent. Ends with 0, also where something waits
    for you; a group that can't find out how it is gives its error's status.
    """
    from x0tta_cli.core.bounded import call_all
    from x0tta_cli.terminal.groups import GROUPS
    from x0tta_cli.terminal.switches import switched_off

    current = configuration()
    off = switched_off(current)
    asked = {
        group.name: group.status
        for group in GROUPS.values()
        if group.status and group.name not in off
    }
    answers = call_all([partial(_ask, reference, current) for reference in asked.values()], BOUND_S)
    lines: list[GroupLine] = []
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, Exception):
            lines.append(_not_known(name, answer))
        else:
            lines += [
                GroupLine(name, line.severity.value, line.summary, line.count, line.next)
                for line in answer
            ]
    return Overview(tuple(lines))


def _ask(reference: str, current: Configuration) -> list[StatusLine]:
    from x0tta_cli.terminal.groups import load

    return list(load(reference)(current))


def _not_known(name: str, error: Exception) -> GroupLine:
    from x0tta_cli.core.secrets import redact

    if isinstance(error, OperatorError):
        summary = f"{error} ({error.code})"
        return GroupLine(name, "unknown", summary, 0, error.fix, int(error.exit_status))
    if isinstance(error, TimeoutError):
        status = ExitStatus.UNAVAILABLE
        return GroupLine(name, "unknown", f"{error}", 0, f"x0tta {name} --help", int(status))
    summary = redact(f"{type(error).__name__}: {error}")
    return GroupLine(name, "unknown", summary, 0, "x0tta doctor", int(ExitStatus.INTERNAL))


def _word(line: GroupLine) -> str:
    return "ok" if line.severity == "info" else line.severity
