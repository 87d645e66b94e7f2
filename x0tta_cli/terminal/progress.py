"""Live progress on a terminal's standard error; gone when the result shows."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from x0tta_cli.core.text import escape
from x0tta_cli.terminal import streams
from x0tta_cli.terminal.session import Session

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

BAR_CELLS = 16
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def is_wanted(session: Session) -> bool:
    """Whether a person watches: no -q, and a terminal that can move its cursor."""
    return (
        not session.quiet and streams.is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
    )


@dataclass(slots=True)
class _Stage:
    name: str
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    fraction: float | None = None
    note: str = ""


class LiveProgress:
    """The `Progress` of core, as one line a stage: done, running, and for how long."""

    def __init__(self, *, no_color: bool = False) -> None:
        self._no_color = no_color
        self._stages: list[_Stage] = []

    def __enter__(self) -> LiveProgress:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, no_color=self._no_color or None, highlight=False)
        self._live = Live(
            get_renderable=self._lines,
            console=console,
            transient=True,
            refresh_per_second=10,
            redirect_stdout=False,
        )
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage as running until the block ends."""
        stage = _Stage(name)
        self._stages.append(stage)
        try:
            yield
        finally:
            stage.ended_at = time.monotonic()

    def update(self, fraction: float | None = None, note: str = "") -> None:
        """Say how far the running stage is (0 to 1, None where unknown), and at what."""
        for stage in reversed(self._stages):
            if stage.ended_at is None:
                stage.fraction, stage.note = fraction, note
                break

    def _lines(self) -> Group:
        from rich.console import Group

        name_width = max((len(stage.name) for stage in self._stages), default=0)
        return Group(*(self._line(stage, name_width) for stage in self._stages))

    def _line(self, stage: _Stage, name_width: int) -> Text:
        from rich.text import Text

        now = time.monotonic()
        line = Text(no_wrap=True, overflow="ellipsis")
        if stage.ended_at:
            line.append("✓ ", style="green")
        else:
            line.append(SPINNER[int(now * len(SPINNER)) % len(SPINNER)] + " ")
        line.append(f"{escape(stage.name):<{name_width}}")
        line.append(f" {(stage.ended_at or now) - stage.started_at:5.1f} s", style="dim")
        if stage.ended_at is None and stage.fraction is not None:
            filled = round(BAR_CELLS * min(1.0, max(0.0, stage.fraction)))
            line.append("  " + "━" * filled, style="cyan")
            line.append("━" * (BAR_CELLS - filled), style="dim")
            line.append(f" {stage.fraction:4.0%}")
        if stage.ended_at is None and stage.note:
            line.append(f"  {escape(stage.note)}", style="dim")
        return line
