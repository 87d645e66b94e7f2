"""Options that several commands take, and the house reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from datetime import datetime

LockTimeout: TypeAlias = Annotated[
    str,
    typer.Option(
        "--lock-timeout",
        metavar="DURATION",
        help="Wait so long for another x0tta that is at work on the same, say 30s.",
    ),
]


def seconds(duration: str) -> float:
    """Read a duration such as `90s`; UsageError `times.bad_duration`."""
    from x0tta_cli.core.times import parse_duration

    return parse_duration(duration).total_seconds()


def since_when(text: str, now: datetime) -> datetime:
    """Read `2h` as two hours ago, and instants as everywhere; UsageError `times.bad_instant`."""
    from x0tta_cli.core.errors import UsageError
    from x0tta_cli.core.times import parse_duration, parse_instant

    try:
        return now - parse_duration(text)
    except (UsageError, OverflowError):
        return parse_instant(text, now)
