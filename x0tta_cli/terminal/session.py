"""What the shared options say, and what a running command may ask of the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.core.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration
    from x0tta_cli.core.progress import Progress


@dataclass(frozen=True, slots=True)
class Session:
    """The shared options of one command line, merged; the innermost won.

    The last three are given by commands that change the world, and by no others.
    """

    output: str = "table"
    fields: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    profile: str | None = None
    config: Path | None = None
    no_color: bool = False
    timeout_s: float | None = None
    utc: bool = False
    read_only: bool = False
    dry_run: bool = False
    exit_code: bool = False
    yes: bool = False

    @property
    def for_programs(self) -> bool:
        """Whether a program reads the result, so that errors are JSON as well."""
        return self.output in {"json", "jsonl"}


@dataclass(slots=True)
class _Run:
    session: Session
    resources: ExitStack = field(default_factory=ExitStack)
    progress: Progress | None = None


_runs: list[_Run] = []


@contextmanager
def running(session: Session) -> Iterator[Callable[[], None]]:
    """Make a session the current one; yields what ends its live progress before a result shows."""
    run = _Run(session)
    _runs.append(run)
    try:
        with run.resources:
            yield run.resources.close
    finally:
        _runs.remove(run)


def session() -> Session:
    """Tell a command its shared options."""
    return _runs[-1].session if _runs else Session()


def configuration() -> Configuration:
    """Give a command its configuration, with --config and --profile applied; read when asked."""
    current = session()
    return _configuration(current.config, current.profile)


def progress() -> Progress:
    """Give a command its progress: live on a terminal, silent with -q and elsewhere."""
    from x0tta_cli.core.progress import Silent
    from x0tta_cli.terminal.progress import LiveProgress, is_wanted

    if not _runs or not is_wanted(_runs[-1].session):
        return Silent()
    run = _runs[-1]
    if run.progress is None:
        live = run.resources.enter_context(LiveProgress(no_color=run.session.no_color))
        run.progress = live
    return run.progress


def confirm(question: str) -> None:
    """Ask before the world changes; --yes answers.

    Raises Interrupted `run.declined` (130), and UsageError `usage.no_terminal` (2) where there is
    nobody to ask.
    """
    if session().yes:
        return
    if sys.stdin is None or not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError(
            "usage.no_terminal",
            f"There is no terminal to ask on: {question}",
            fix="Add --yes to go ahead, or --dry-run to see what would be done.",
        )
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Interrupted("run.declined", "Declined; nothing was changed.")


@cache
def _configuration(path: Path | None, profile: str | None) -> Configuration:
    from x0tta_cli.core.config import load
    from x0tta_cli.terminal.groups import settings_models

    return load(path, profile, sections=tuple(settings_models()))
