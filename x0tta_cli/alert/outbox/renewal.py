"""Renews leases: a server that forgets what nobody repeats is told again of what is open."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from x0tta_cli.alert import stored
from x0tta_cli.alert.channels.protocol import Channel, Outcome
from x0tta_cli.alert.model import Action, DeliveryState, IncidentState, Message
from x0tta_cli.alert.outbox.lineup import Lane, Lineup
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.journal.tables import transaction

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger(__name__)

# A restarted Alertmanager has forgotten all alerts; it hears of them again within this time.
RENEWED_EVERY_S = 60.0
# As long as every sender repeats what is resolved: prometheus/alertmanager docs/alerts_api.md.
RESOLVED_REPEATED_S = 300.0


def renew(connection: sqlite3.Connection, lineup: Lineup, now: float) -> int:
    """Repeat open and lately resolved alerts where that is due; gives how many were repeated.

    A peer that can't be reached is left for the next time. Raises what the journal raises.
    """
    return sum(
        _renew_lane(connection, lineup, lane, now)
        for lane in lineup.all_lanes()
        if lane.traits.renews and _is_due(connection, lane, now)
    )


def _is_due(connection: sqlite3.Connection, lane: Lane, now: float) -> bool:
    row = connection.execute(
        "SELECT renewed_at, retry_at FROM alert_lanes WHERE channel = ? AND peer = ?",
        (lane.channel, lane.peer),
    ).fetchone()
    return row is None or (now - row[0] >= RENEWED_EVERY_S and row[1] <= now)


def _renew_lane(connection: sqlite3.Connection, lineup: Lineup, lane: Lane, now: float) -> int:
    channel, renewed = lineup.channel(lane.channel), 0
    for batch in _batches(connection, lineup, lane, now):
        try:
            outcomes = _told_again(channel, lane, batch)
        except OperatorError as error:
            log.warning(
                "alerts were not renewed", extra={"channel": lane.channel, "reason": str(error)}
            )
            return renewed
        refused = [each for each in outcomes if each.state is DeliveryState.REJECTED]
        if refused:
            # One of them spoils the answer, not the others: the server keeps the good ones.
            log.warning(
                "some alerts were not renewed",
                extra={"channel": lane.channel, "reason": refused[0].detail},
            )
        renewed += len(batch)
    with transaction(connection):
        connection.execute(
            "INSERT INTO alert_lanes (channel, peer, renewed_at) VALUES (?, ?, ?) "
            "ON CONFLICT (channel, peer) DO UPDATE SET renewed_at = excluded.renewed_at",
            (lane.channel, lane.peer, now),
        )
    return renewed


def _told_again(channel: Channel, lane: Lane, batch: Sequence[Message]) -> list[Outcome]:
    """Repeat a batch; what can't even be written spoils it for itself alone.

    Raises OperatorError where the peer as a whole fails.
    """
    try:
        return list(channel.deliver(lane.peer, batch, {}))
    except OperatorError:
        raise
    except Exception as error:
        if len(batch) == 1:
            log.exception("an alert can't be renewed", extra={"key": batch[0].key})
            return [Outcome(DeliveryState.REJECTED, f"{type(error).__name__}: {error}")]
    middle = len(batch) // 2
    return [
        *_told_again(channel, lane, batch[:middle]),
        *_told_again(channel, lane, batch[middle:]),
    ]


def _batches(
    connection: sqlite3.Connection, lineup: Lineup, lane: Lane, now: float
) -> Iterator[list[Message]]:
    """Read what a lane is to be told again, a batch at a time: there may be very many."""
    after = ""
    while True:
        rows = connection.execute(
            "SELECT key, notice, count, lasting_s, avoids FROM alert_incidents "
            "WHERE key > ? AND (state != ? OR changed_at > ?) ORDER BY key LIMIT ?",
            (after, IncidentState.RESOLVED, now - RESOLVED_REPEATED_S, lane.traits.batch_size),
        ).fetchall()
        if not rows:
            return
        after = rows[-1][0]
        messages = [
            Message(0, key, Action.RENEW, stored.read(notice), count, lasting_s=lasting_s)
            for key, notice, count, lasting_s, avoids in rows
            if lane.channel not in json.loads(avoids)
        ]
        batch = [
            message
            for message in messages
            if lane.channel in channels_for(message.notice, lineup.settings)
        ]
        if batch:
            yield batch
