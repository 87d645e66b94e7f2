"""One round of the outbox, as a timer starts it, and what an operator does with its rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox, outbox
from x0tta_cli.alert.results import Changed, Round
from x0tta_cli.alert.settings import AlertSettings

log = logging.getLogger(__name__)


def go(settings: AlertSettings, within_s: float) -> Round:
    """Deliver what is due, and renew what is open. Raises what the journal raises."""
    with outbox(settings) as opened:
        return turn(opened, within_s)


def turn(opened: Outbox, within_s: float) -> Round:
    """Make one round with an outbox that stays open; raises as `go`."""
    opened.keep_up()
    before = listing.counts()
    opened.deliver(within_s)
    # What the channels' troubles have brought about is told in the same round.
    opened.deliver(within_s)
    for warning in opened.take_warnings():
        log.warning("%s", warning)
    renewed = opened.renew()
    after = listing.counts()
    dead = max(0, after.dead - before.dead)
    delivered = max(0, before.queued - after.queued - dead)
    return Round(
        tried=before.queued,
        delivered=delivered,
        queued=after.queued,
        dead=dead,
        renewed=renewed,
        open=after.open,
        troubles=troubles_in_words(),
    )


def plan() -> Round:
    """Tell what a round would try."""
    now = listing.counts()
    return Round(now.queued, 0, now.queued, 0, now.open, now.open, (), now.queued + now.open > 0)


def retry(numbers: Sequence[int], settings: AlertSettings, *, dry_run: bool) -> Changed:
    """Queue rows again; raises NotFoundError `alert.unknown_row`, and what the journal raises."""
    if dry_run:
        return _planned(numbers, "queued again")
    now = time.time()
    return Changed(
        listing.retry(numbers, now, now + settings.expires_after.total_seconds()), "queued again"
    )


def drop(numbers: Sequence[int], *, dry_run: bool) -> Changed:
    """Give rows up; raises as `retry`."""
    if dry_run:
        return _planned(numbers, "dropped")
    return Changed(listing.drop(numbers, time.time()), "dropped")


def troubles_in_words() -> tuple[str, ...]:
    """Say which channels fail, since when and with which words."""
    return tuple(
        f"{each.channel} ({each.peer}) fails since {each.failing_since:%Y-%m-%d %H:%M:%S} UTC: "
        f"{each.detail}"
        for each in listing.troubles()
    )


def _planned(numbers: Sequence[int], outcome: str) -> Changed:
    waiting = listing.rows((DeliveryState.QUEUED, DeliveryState.DEAD))
    chosen = [row for row in waiting if not numbers or row.number in numbers]
    return Changed(len(chosen), outcome, would_change=bool(chosen))
