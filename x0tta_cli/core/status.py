"""What a group says of itself on the one screen of `x0tta status`.

A group names a function as `status` in the groups' table; it takes the configuration and yields
lines, none where there is nothing to say, and takes no longer than it takes to look.
"""

from __future__ import annotations

from dataclasses import dataclass

from x0tta_cli.core.notices import Severity


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One line: how grave it is, what is going on, how many of it, and what to type about it."""

    severity: Severity
    summary: str
    count: int
    next: str = ""
