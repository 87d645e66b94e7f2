"""What is known about one error code."""

from __future__ import annotations

from dataclasses import dataclass

from x0tta_cli.core.errors import ExitStatus


@dataclass(frozen=True, slots=True)
class Entry:
    """One error code: the status it ends with, what it is, where it comes from, how to mend it.

    `example` shows a command line or a line of configuration that does it right.
    """

    code: str
    status: ExitStatus
    title: str
    cause: str
    mend: str
    example: str
