"""The one place that catches everything: whatever a command does, it ends with a status."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from x0tta_cli.core.errors import ExitStatus
from x0tta_cli.terminal import signals, streams


def guard(work: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Run `work`, show what went wrong, and return the exit status. Raises nothing."""
    try:
        signals.install()
        streams.prepare()
        status = work(arguments)
        streams.flush()
    except streams.OutputClosedError:
        status = ExitStatus.BROKEN_PIPE
    except BaseException as error:  # noqa: BLE001 - every way to end has its status
        signals.disarm()
        status = _report(error, arguments)
    signals.release()
    return status


def _report(error: BaseException, arguments: list[str]) -> int:
    from x0tta_cli.terminal import problems
    from x0tta_cli.terminal.options import scan

    with suppress(Exception):
        # What was already shown stays before the error, also where both go to one file.
        streams.flush()
    return problems.report(error, scan(arguments))
