"""Token buckets on the disk: a limit holds for all processes of this machine, and after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from x0tta_cli.alert.channels.protocol import Limit

if TYPE_CHECKING:
    import sqlite3


def take(
    connection: sqlite3.Connection, limits: Sequence[Limit], wanted: int, now: float
) -> tuple[int, float]:
    """Take tokens for up to `wanted` messages from every bucket.

    Gives how many may be sent now, and for none the seconds until one may. Runs within a
    transaction of its caller.
    """
    levels = [_level(connection, limit, now) for limit in limits]
    granted = min([wanted, *(int(level) for level in levels)])
    if granted < 1:
        waits = [
            (1.0 - level) * limit.per_s / limit.burst
            for limit, level in zip(limits, levels, strict=True)
            if level < 1.0
        ]
        return 0, max(waits)
    for limit, level in zip(limits, levels, strict=True):
        connection.execute(
            "INSERT OR REPLACE INTO alert_buckets VALUES (?, ?, ?)",
            (limit.scope, level - granted, now),
        )
    return granted, 0.0


def charge(connection: sqlite3.Connection, limits: Sequence[Limit], further: int) -> None:
    """Take what was used beyond the tokens that `take` gave; levels may fall below nothing."""
    for limit in limits:
        connection.execute(
            "UPDATE alert_buckets SET tokens = tokens - ? WHERE scope = ?", (further, limit.scope)
        )


def _level(connection: sqlite3.Connection, limit: Limit, now: float) -> float:
    row = connection.execute(
        "SELECT tokens, filled_at FROM alert_buckets WHERE scope = ?", (limit.scope,)
    ).fetchone()
    if row is None:
        return float(limit.burst)
    tokens, filled_at = row
    # A clock that was set back must not keep the bucket empty for as long.
    elapsed_s = max(0.0, now - filled_at) if filled_at <= now + limit.per_s else limit.per_s
    # What float arithmetic leaves out of a whole token would be waited for once more.
    return min(float(limit.burst), float(tokens) + elapsed_s * limit.burst / limit.per_s + 1e-9)
