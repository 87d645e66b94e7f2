"""Storms: when many alerts at once are told as one notice that names what most of them share."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from x0tta_cli.alert.settings import Storm
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.times import format_duration

if TYPE_CHECKING:
    import sqlite3

TOP_LABELS = 8
_ORDER = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)


class Standing(Enum):
    """Whether a new alert of a channel is one of many."""

    CALM = auto()
    BEGINS = auto()
    STORM = auto()


def count(connection: sqlite3.Connection, channel: str, limits: Storm, now: float) -> Standing:
    """Count one new alert of a channel, and tell whether it is part of a storm."""
    row = connection.execute(
        "SELECT window_began_at, fresh, began_at FROM alert_storms WHERE channel = ?", (channel,)
    ).fetchone()
    began, fresh, storm_since = row or (now, 0, None)
    if now - began >= limits.within.total_seconds():
        began, fresh = now, 0
    fresh += 1
    begins = storm_since is None and fresh > limits.alerts
    connection.execute(
        "INSERT INTO alert_storms (channel, window_began_at, fresh, began_at) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (channel) DO UPDATE SET "
        "window_began_at = excluded.window_began_at, fresh = excluded.fresh, "
        "began_at = excluded.began_at",
        (channel, began, fresh, now if begins else storm_since),
    )
    if begins:
        return Standing.BEGINS
    return Standing.CALM if storm_since is None else Standing.STORM


def over(connection: sqlite3.Connection, limits: Storm, now: float) -> list[tuple[str, float]]:
    """List the channels whose storm has passed, with its beginning, and forget the storms.

    It has passed when a whole window has brought no more alerts than the limit.
    """
    window_s = limits.within.total_seconds()
    rows = connection.execute(
        "SELECT channel, began_at, fresh, window_began_at FROM alert_storms "
        "WHERE began_at IS NOT NULL AND window_began_at <= ?",
        (now - window_s,),
    ).fetchall()
    passed = []
    for channel, began_at, fresh, window_began_at in rows:
        # The window that has just ended may have been stormy itself: one more is waited for.
        if fresh > limits.alerts and now - window_began_at < 2 * window_s:
            continue
        connection.execute(
            "UPDATE alert_storms SET began_at = NULL, fresh = 0 WHERE channel = ?", (channel,)
        )
        passed.append((channel, float(began_at)))
    return passed


def notice_of(
    connection: sqlite3.Connection, channel: str, limits: Storm, since: float, severity: Severity
) -> Notice:
    """Word a storm: how many alerts, how grave, and which labels most of them share."""
    begun = since - limits.within.total_seconds()
    rows = connection.execute(
        "SELECT notice FROM alert_incidents WHERE opened_at >= ?", (begun,)
    ).fetchall()
    notices = [json.loads(row[0]) for row in rows]
    gravest = max(
        [severity, *(Severity(notice["severity"]) for notice in notices)], key=_ORDER.index
    )
    return Notice(
        name="AlertStorm",
        severity=gravest,
        labels={"channel": channel, "origin": "x0tta-alert"},
        annotations={
            "summary": f"{len(notices)} alerts within {format_duration(limits.within)}: "
            "from here on they are counted, and summed up when it is over.",
            "most_frequent": "\n".join(_top_labels(notices)),
        },
        starts_at=datetime.fromtimestamp(since, UTC),
    )


def summary_of(connection: sqlite3.Connection, channel: str, since: float) -> dict[str, str]:
    """Sum up a storm: what was held back, and how much of it still fires."""
    rows = connection.execute(
        "SELECT i.notice, i.state FROM alert_incidents i WHERE i.key IN ("
        "SELECT DISTINCT key FROM alert_deliveries WHERE channel = ? AND state = 'collapsed' "
        "AND changed_at >= ?)",
        (channel, since),
    ).fetchall()
    firing = sum(state != "resolved" for _, state in rows)
    return {
        "summary": f"The storm is over: {len(rows)} alerts were held back, "
        f"{firing} of them are still firing (x0tta alert outbox list --collapsed).",
        "most_frequent": "\n".join(_top_labels([json.loads(text) for text, _ in rows])),
    }


def _top_labels(notices: list[dict[str, object]]) -> list[str]:
    counted: Counter[tuple[str, str]] = Counter()
    for notice in notices:
        labels = notice["labels"]
        assert isinstance(labels, dict)  # noqa: S101 - as `stored.written` wrote it
        counted.update([("alertname", str(notice["name"])), *labels.items()])
    return [
        f"{number} x {name}={value}" for (name, value), number in counted.most_common(TOP_LABELS)
    ]
