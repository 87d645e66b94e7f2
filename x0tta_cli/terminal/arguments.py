"""Options that several commands take, and the house reads."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

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
