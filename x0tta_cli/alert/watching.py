"""Follows the outbox as it changes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from x0tta_cli.alert import rounds
from x0tta_cli.alert.model import OutboxRow
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.results import Watched

# More fits no terminal.
WAITING_SHOWN, LATEST_SHOWN = 100, 10


def changes(interval_s: float) -> Iterator[OutboxRow]:
    """Give what waits, and then every row that is new or has changed since the last look.

    Without end. Raises what the journal raises.
    """
    return chain.from_iterable(_looks(interval_s))


def states(interval_s: float) -> Iterator[Watched]:
    """Give how all stands at each look, with what has changed last; raises as `changes`."""
    latest: deque[OutboxRow] = deque(maxlen=LATEST_SHOWN)
    for changed in _looks(interval_s):
        latest.extend(row for row in changed if row.state not in listing.WAITING)
        counts = listing.counts()
        yield Watched(
            at=datetime.now(UTC),
            open=counts.open,
            queued=counts.queued,
            dead=counts.dead,
            troubles=rounds.troubles_in_words(),
            waiting=tuple(listing.rows(limit=WAITING_SHOWN)),
            latest=tuple(latest),
        )


def _looks(interval_s: float) -> Iterator[list[OutboxRow]]:
    looked_at = time.time()
    known = {(row.number, row.channel, row.peer): row for row in listing.rows()}
    yield list(known.values())
    while True:
        time.sleep(interval_s)
        # A row is written down a moment after its instant was taken, by other processes too.
        since, looked_at = looked_at - listing.LATE_S, time.time()
        rows = {
            (row.number, row.channel, row.peer): row for row in listing.rows_changed_since(since)
        }
        yield [row for place, row in rows.items() if known.get(place) != row]
        known = rows
