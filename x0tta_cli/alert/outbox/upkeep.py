"""What time alone brings about: ends, expiries, the end of storms and of flapping, clearing up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from x0tta_cli.alert import stored
from x0tta_cli.alert.model import DeliveryState, IncidentState
from x0tta_cli.alert.outbox import runs, storms
from x0tta_cli.alert.outbox.intake import Intake
from x0tta_cli.alert.outbox.lineup import UNKNOWN_PEER, Lineup
from x0tta_cli.alert.outbox.own import OWN
from x0tta_cli.alert.outbox.recorder import report_dead_letter
from x0tta_cli.core.notices import Notice, Severity

if TYPE_CHECKING:
    import sqlite3

DELIVERED_KEPT_S = 7 * 86_400.0
DEAD_KEPT_S = 30 * 86_400.0


def keep_up(connection: sqlite3.Connection, lineup: Lineup, now: float) -> None:
    """Do all that is due by the clock; runs within a transaction of its caller."""
    intake = Intake(connection, lineup, now)
    if lineup.settings.channels:
        intake.address_what_was_kept()
    runs.tell_of_killed(intake)
    _settle_peers(connection, lineup)
    _expire(connection, intake, now)
    _end(connection, intake, now)
    _end_acknowledgements(connection, intake, now)
    _end_flapping(connection, intake, now)
    for channel, since in storms.over(connection, lineup.settings.storm, now):
        annotations = storms.summary_of(connection, channel, since)
        # Only its labels make the key.
        labels = {"channel": channel, **OWN}
        key = Notice("AlertStorm", Severity.INFO, labels, datetime.fromtimestamp(now, UTC)).key()
        intake.resolve(key, annotations=annotations)
    _clear(connection, now)


def _settle_peers(connection: sqlite3.Connection, lineup: Lineup) -> None:
    """Give rows of a peer that the channel has not, or not any more, to those that it has.

    A channel that could not be opened has peers that nobody knows; one whose URL was corrected has
    others than before. Who has the message already is not given it again.
    """
    for name in lineup.settings.channels:
        found = connection.execute(
            "SELECT DISTINCT peer FROM alert_deliveries WHERE channel = ? AND state = 'queued'",
            (name,),
        )
        waiting = {str(peer) for (peer,) in found}
        peers = [lane.peer for lane in lineup.lanes(name)] if waiting else []
        if not peers or peers == [UNKNOWN_PEER]:
            continue
        for gone in sorted(waiting - set(peers)):
            for peer in peers:
                connection.execute(
                    "INSERT OR IGNORE INTO alert_deliveries SELECT message, channel, ?, kind, key, "
                    "rank, state, attempts, due_at, expires_at, changed_at, detail "
                    "FROM alert_deliveries WHERE channel = ? AND peer = ? AND state = 'queued'",
                    (peer, name, gone),
                )
            connection.execute(
                "DELETE FROM alert_deliveries WHERE channel = ? AND peer = ? AND state = 'queued'",
                (name, gone),
            )


def _expire(connection: sqlite3.Connection, intake: Intake, now: float) -> None:
    rows = connection.execute(
        "SELECT d.message, d.channel, d.peer, d.detail, m.notice FROM alert_deliveries d "
        "JOIN alert_messages m ON m.number = d.message "
        "WHERE d.state = 'queued' AND d.expires_at <= ?",
        (now,),
    ).fetchall()
    for message, channel, peer, detail, notice in rows:
        words = f"expired; the last word was: {detail}" if detail else "expired"
        connection.execute(
            "UPDATE alert_deliveries SET state = ?, changed_at = ?, detail = ? "
            "WHERE message = ? AND channel = ? AND peer = ?",
            (DeliveryState.DEAD, now, words, message, channel, peer),
        )
        report_dead_letter(intake, channel, stored.read(notice), words, now)


def _end(connection: sqlite3.Connection, intake: Intake, now: float) -> None:
    rows = connection.execute(
        "SELECT key, ends_at FROM alert_incidents WHERE state != ? AND ends_at <= ?",
        (IncidentState.RESOLVED, now),
    ).fetchall()
    for key, ends_at in rows:
        intake.resolve(key, datetime.fromtimestamp(ends_at, UTC))


def _end_acknowledgements(connection: sqlite3.Connection, intake: Intake, now: float) -> None:
    rows = connection.execute(
        "SELECT key FROM alert_incidents WHERE state = ? AND acknowledged_until <= ?",
        (IncidentState.ACKNOWLEDGED, now),
    ).fetchall()
    for (key,) in rows:
        connection.execute(
            "UPDATE alert_incidents SET state = ?, changed_at = ?, acknowledged_until = NULL "
            "WHERE key = ?",
            (IncidentState.FIRING, now, key),
        )
        intake.tell_again(key, "It was acknowledged; the time for that is over.")


def _end_flapping(connection: sqlite3.Connection, intake: Intake, now: float) -> None:
    quiet_since = now - intake.settings.flapping.within.total_seconds()
    rows = connection.execute(
        "SELECT key, held, state FROM alert_incidents "
        "WHERE flapping_since IS NOT NULL AND changed_at <= ?",
        (quiet_since,),
    ).fetchall()
    for key, held, state in rows:
        connection.execute(
            "UPDATE alert_incidents SET flapping_since = NULL, held = 0, changes = '[]' "
            "WHERE key = ?",
            (key,),
        )
        stands = "resolved" if state == IncidentState.RESOLVED else "firing"
        intake.tell_again(
            key, f"It was flapping: {held} more changes were held back. It is {stands} now."
        )


def _clear(connection: sqlite3.Connection, now: float) -> None:
    """Forget what is long over; what is queued, dead or open stays."""
    connection.execute(
        "DELETE FROM alert_deliveries WHERE state = 'dead' AND changed_at < ?",
        (now - DEAD_KEPT_S,),
    )
    connection.execute(
        "DELETE FROM alert_incidents WHERE state = ? AND changed_at < ?",
        (IncidentState.RESOLVED, now - DELIVERED_KEPT_S),
    )
    connection.execute(
        "DELETE FROM alert_messages WHERE created_at < ? AND NOT EXISTS (SELECT 1 FROM "
        "alert_deliveries d WHERE d.message = number AND d.state IN ('queued', 'dead')) "
        "AND NOT EXISTS (SELECT 1 FROM alert_incidents i WHERE i.key = alert_messages.key)",
        (now - DELIVERED_KEPT_S,),
    )
