"""Follows the outbox as it changes."""

from __future__ import annotations

import time
from collections.abc import Iterator

from x0tta_cli.alert.model import OutboxRow
from x0tta_cli.alert.outbox import listing


def changes(interval_s: float) -> Iterator[OutboxRow]:
    """Give what waits, and then every row that is new or has changed since the last look.

    Without end. Raises what the journal raises.
    """
    looked_at = time.time()
    known = {}
    for row in listing.rows():
        known[row.number, row.channel, row.peer] = row
        yield row
    while True:
        time.sleep(interval_s)
        # A row is written down a moment after its instant was taken, by other processes too.
        since, looked_at = looked_at - listing.LATE_S, time.time()
        rows = {
            (row.number, row.channel, row.peer): row for row in listing.rows_changed_since(since)
        }
        for place, row in rows.items():
            if known.get(place) != row:
                yield row
        known = rows
