"""Errors as an operator sees them: what happened, why, how to mend it, and the code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from x0tta_cli.core.errors import (
    InternalError,
    Interrupted,
    OperatorError,
    Terminated,
    UnavailableError,
)
from x0tta_cli.core.text import escape
from x0tta_cli.terminal import signals, streams
from x0tta_cli.terminal.records import plain
from x0tta_cli.terminal.session import Session
from x0tta_cli.terminal.text import wrap

LABEL_WIDTH = 6
BOLD_RED, DIM, RESET = "\033[1;31m", "\033[2m", "\033[0m"


def report(error: BaseException, session: Session) -> int:
    """Show an error on stderr in the form that the command line asked for; its exit status.

    An exception that nobody foresaw leaves a crash file; only --debug shows tracebacks.
    """
    if session.debug:
        streams.write_error(_traceback(error))
    interruption = _interruption(error)
    if interruption is None:
        problem = error if isinstance(error, OperatorError) else _internal(error)
    else:
        problem = interruption
        if isinstance(error, OperatorError):
            # Cleaning up has failed as well, and that is worth knowing.
            _show(error, session)
    _show(problem, session)
    return int(problem.exit_status)


def render(problem: OperatorError, width: int | None, *, colored: bool) -> str:
    """Lay out one error: the message, then `why`, `mend` and `code`, wrapped to `width` cells."""
    lines = _hanging("error: ", str(problem), width, BOLD_RED if colored else "")
    parts = [("why", problem.reason), ("mend", problem.fix)]
    if not isinstance(problem, Interrupted | Terminated):
        parts.append(("code", f"{problem.code} (x0tta explain {problem.code})"))
    for label, text in parts:
        if text:
            lines += _hanging(f"  {label:<{LABEL_WIDTH}}", text, width, DIM if colored else "")
    return "\n".join(lines) + "\n"


def _hanging(label: str, text: str, width: int | None, color: str) -> list[str]:
    """Put text behind a label; its further lines stand under its first."""
    room = None if width is None else max(16, width - len(label))
    lines = [
        piece
        for line in text.splitlines()
        for piece in (wrap(escape(line), room) if room else [escape(line)])
    ]
    shown = f"{color}{label}{RESET}" if color else label
    first, *others = lines or [""]
    return [shown + first, *(" " * len(label) + line for line in others)]


def _show(problem: OperatorError, session: Session) -> None:
    if session.for_programs:
        streams.write_error(json.dumps(plain(problem.problem())) + "\n")
    else:
        colored = streams.has_colors(sys.stderr, no_color=session.no_color)
        streams.write_error(render(problem, streams.width_of(sys.stderr), colored=colored))


def _interruption(error: BaseException) -> OperatorError | None:
    """Tell how a command was ended from outside; what that broke on its way is not the error."""
    kind = type(error) if isinstance(error, KeyboardInterrupt) else signals.arrived()
    if kind is None:
        return None
    if issubclass(kind, signals.TerminationRequested):
        return Terminated("run.terminated", "Terminated by a signal, after cleaning up.")
    if issubclass(kind, signals.DeadlinePassed):
        return UnavailableError(
            "run.timed_out",
            "The time given by --timeout is over.",
            reason="The command was ended and has cleaned up.",
            fix="Give it more time, or find out with -v where the time goes.",
            retryable=True,
        )
    return Interrupted("run.interrupted", "Interrupted.")


def _traceback(error: BaseException) -> str:
    """Tell where an error came from; its message may hold secrets, and text from outside."""
    from x0tta_cli.core.secrets import redact
    from x0tta_cli.core.text import escape_lines

    return escape_lines(redact("".join(traceback.format_exception(error))))


def _internal(error: BaseException) -> InternalError:
    from x0tta_cli.core.secrets import redact

    summary = redact("".join(traceback.format_exception_only(error)).strip().splitlines()[-1])
    path, failure = _write_crash_file(error)
    return InternalError(
        "internal",
        "x0tta has run into something that it did not foresee.",
        reason=summary,
        fix=f"The report to pass on is {path}." if path else f"No report was kept: {failure}.",
        context={"crash_file": str(path)} if path else {},
    )


def _write_crash_file(error: BaseException) -> tuple[Path | None, str]:
    """Keep what a maintainer needs, secrets taken out, readable by its owner alone."""
    import tempfile

    from x0tta_cli.core import state

    now = datetime.now(UTC)
    name = f"crash-{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    failure = ""
    for folder_of in (state.ensure, tempfile.gettempdir):
        try:
            path = Path(folder_of()) / name
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(_crash_report(error, now))
        except (OSError, OperatorError) as reason:
            failure = str(reason)
        else:
            return path, ""
    return None, failure


def _crash_report(error: BaseException, now: datetime) -> str:
    import platform
    import shlex

    from x0tta_cli import __version__
    from x0tta_cli.core.secrets import redact

    return (
        f"x0tta {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{now:%Y-%m-%dT%H:%M:%SZ}\n"
        f"{redact(shlex.join(sys.argv))}\n\n"
        f"{_traceback(error)}"
    )
