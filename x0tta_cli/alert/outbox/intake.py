"""Takes alerts in: what becomes of each by what comes, written down before anybody is told.

Every function here runs within a transaction of its caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from x0tta_cli.alert import stored
from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.model import Action, DeliveryState, IncidentState
from x0tta_cli.alert.outbox.addressing import Addressing
from x0tta_cli.alert.outbox.lineup import NOBODY_YET, Lineup
from x0tta_cli.alert.outbox.own import OWN
from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.core.notices import Notice
from x0tta_cli.core.times import format_duration

if TYPE_CHECKING:
    import sqlite3

# One of two Alertmanagers may say that an alert fires which the other has just resolved: it waited
# whether its peer would speak (--cluster.peer-timeout, 15 s). Its next word tells whether so.
ECHO_S, ECHO_HELD_S = 60.0, 60.0


class Intake:
    """Writes what comes in at one instant, `now` in seconds since 1970."""

    def __init__(self, connection: sqlite3.Connection, lineup: Lineup, now: float) -> None:
        self.connection, self._lineup, self._now = connection, lineup, now
        self.settings = lineup.settings
        self._addressing = Addressing(connection, lineup, now, self._open_storm)

    def fire(
        self,
        notice: Notice,
        *,
        key: str | None = None,
        lasting_s: float | None = None,
        avoids: Sequence[str] = (),
        may_echo: bool = False,
    ) -> int:
        """Open an alert, or update the one that is open; gives the message that tells of it.

        What comes again with nothing new is counted, and told by the message before. `avoids` are
        channels that can't tell of it. With `may_echo` what was resolved a moment ago, and has
        begun at the same instant, is held back for a while. Raises as `channels_for`.
        """
        key = key or notice.key()
        found = self._incident(key)
        if found is None or found["state"] == IncidentState.RESOLVED:
            number = self._open(key, notice, found, lasting_s, avoids)
            if may_echo and found is not None and self._is_echo(notice, found):
                self._hold(number)
            return number
        return self._again(key, notice, found)

    def resolve(
        self, key: str, ended_at: datetime | None = None, annotations: Mapping[str, str] = {}
    ) -> int:
        """Close an alert with all that it was opened with; gives the message that tells of it.

        Raises NotFoundError `alert.unknown_key`.
        """
        found = self._known(key)
        if found["state"] == IncidentState.RESOLVED:
            return self._last_message(key)
        opened = stored.read(found["notice"])
        ended = ended_at or datetime.fromtimestamp(self._now, UTC)
        notice = replace(opened, ends_at=ended, annotations={**opened.annotations, **annotations})
        changes = self._recent_changes(found)
        was_held = self._forget_held(key)
        self.connection.execute(
            "UPDATE alert_incidents SET state = ?, changed_at = ?, notice = ?, changes = ?, "
            "held = held + (flapping_since IS NOT NULL), acknowledged_until = NULL WHERE key = ?",
            (
                IncidentState.RESOLVED,
                self._now,
                stored.written(notice),
                json.dumps([*changes, self._now]),
                key,
            ),
        )
        return (
            self._last_message(key)
            if was_held
            else self._addressing.write(Action.RESOLVE, key, notice, found)
        )

    def acknowledge(self, key: str, for_s: float) -> int:
        """Note that somebody takes care of it; gives the message that tells who can know.

        Raises NotFoundError `alert.unknown_key`.
        """
        found = self._known(key)
        self.connection.execute(
            "UPDATE alert_incidents SET state = ?, changed_at = ?, acknowledged_until = ? "
            "WHERE key = ? AND state != ?",
            (
                IncidentState.ACKNOWLEDGED,
                self._now,
                self._now + for_s,
                key,
                IncidentState.RESOLVED,
            ),
        )
        notice = stored.read(found["notice"])
        return self._addressing.write(
            Action.ACKNOWLEDGE, key, notice, {**found, "lasting_s": for_s}
        )

    def key_as_listed(self, notice: Notice) -> str:
        """Give the key of an alert that Alertmanagers list: that under which it was sent from here.

        One of the operator's own, and one over names that had to be made legal, can't be read off
        what is listed.
        """
        listed_as = notice.key()
        found = self.connection.execute(
            "SELECT key FROM alert_incidents WHERE listed_as = ? AND listed_as != '' "
            "ORDER BY opened_at DESC LIMIT 1",
            (listed_as,),
        ).fetchone()
        return str(found[0]) if found else listed_as

    def is_open(self, key: str) -> bool:
        """Whether an alert was opened and not resolved."""
        found = self._incident(key)
        return found is not None and found["state"] != IncidentState.RESOLVED

    def address_what_was_kept(self) -> None:
        """Address what came while the configuration was broken; raises as `channels_for`."""
        kept = self.connection.execute(
            "SELECT m.number, m.action, m.key, m.notice FROM alert_deliveries d "
            "JOIN alert_messages m ON m.number = d.message "
            "WHERE d.channel = ? AND d.state = 'queued' ORDER BY m.number",
            (NOBODY_YET,),
        ).fetchall()
        for number, action, key, text in kept:
            self.connection.execute(
                "DELETE FROM alert_deliveries WHERE message = ? AND channel = ?",
                (number, NOBODY_YET),
            )
            incident = self._incident(key) or {"avoids": "[]"}
            self._addressing.address(
                number, Action(action), key, stored.read(text), incident, is_new=False
            )

    def tell_again(self, key: str, note: str) -> int:
        """Tell once more how an alert stands, with a line on why."""
        found = self._known(key)
        action = Action.RESOLVE if found["state"] == IncidentState.RESOLVED else Action.FIRE
        return self._addressing.write(action, key, stored.read(found["notice"]), found, note=note)

    def _open(
        self,
        key: str,
        notice: Notice,
        before: Mapping[str, Any] | None,
        lasting_s: float | None,
        avoids: Sequence[str],
    ) -> int:
        changes = [*self._recent_changes(before), self._now]
        was_flapping = before["flapping_since"] if before else None
        note = self._note_of_flapping(notice, was_flapping, changes)
        text = stored.written(notice)
        listed_as = wire.key_as_listed(stored.read(text))
        incident: dict[str, Any] = {
            "key": key,
            "notice": text,
            "severity": notice.severity.value,
            "state": IncidentState.FIRING,
            "opened_at": self._now,
            "changed_at": self._now,
            "received_at": self._now,
            "told_at": self._now,
            "count": 1 if was_flapping is None or before is None else before["count"] + 1,
            "lasting_s": lasting_s or self.settings.lasting.total_seconds(),
            "ends_at": notice.ends_at.timestamp() if notice.ends_at else None,
            "acknowledged_until": None,
            "changes": json.dumps(changes),
            "flapping_since": self._now if note else was_flapping,
            "held": before["held"] + 1 if before and was_flapping is not None else 0,
            "avoids": json.dumps(list(avoids)),
            "listed_as": listed_as if listed_as != key else "",
        }
        self._keep(incident)
        told_of = incident | {"flapping_since": was_flapping}
        return self._addressing.write(
            Action.FIRE, key, notice, told_of, note=note, is_new=not _is_own(notice), text=text
        )

    def _again(self, key: str, notice: Notice, found: Mapping[str, Any]) -> int:
        before = stored.read(found["notice"])
        # What it was opened under has to be ended under: a key of the operator's own may come with
        # other labels.
        merged = replace(
            notice,
            name=before.name,
            labels=before.labels,
            starts_at=min(before.starts_at, notice.starts_at),
        )
        is_changed = merged.severity is not before.severity
        changes = [*self._recent_changes(found), *([self._now] if is_changed else [])]
        note = self._note_of_flapping(merged, found["flapping_since"], changes)
        says_new = (merged.annotations, merged.explanation) != (
            before.annotations,
            before.explanation,
        )
        is_late = self._now - found["told_at"] >= self.settings.collapse_within.total_seconds()
        is_told = is_changed or (says_new and is_late)
        changed: dict[str, Any] = {
            **found,
            "notice": stored.written(merged),
            "severity": merged.severity.value,
            "changed_at": self._now if is_changed else found["changed_at"],
            "received_at": self._now,
            "told_at": self._now if is_told else found["told_at"],
            "count": found["count"] + 1,
            "ends_at": merged.ends_at.timestamp() if merged.ends_at else None,
            "changes": json.dumps(changes),
            "flapping_since": self._now if note else found["flapping_since"],
            "held": found["held"] + (is_changed and found["flapping_since"] is not None),
        }
        self._keep(changed)
        if is_told:
            self._supersede(key)
            told_of = changed | {"flapping_since": found["flapping_since"]}
            return self._addressing.write(Action.FIRE, key, merged, told_of, note=note)
        return self._count_in_last_message(key, merged, changed["count"])

    def _keep(self, incident: Mapping[str, Any]) -> None:
        self.connection.execute(
            f"INSERT OR REPLACE INTO alert_incidents ({', '.join(incident)}) "  # noqa: S608
            f"VALUES ({', '.join(':' + name for name in incident)})",
            dict(incident),
        )

    def _note_of_flapping(
        self, notice: Notice, was_flapping: float | None, changes: Sequence[float]
    ) -> str:
        """Word that an alert begins to flap with the last of its changes; empty where not."""
        flapping = self.settings.flapping
        if was_flapping is not None or len(changes) <= flapping.changes or _is_own(notice):
            return ""
        within = format_duration(flapping.within)
        return (
            f"It is flapping: {len(changes)} changes within {within}. "
            f"It is told again when it has been quiet for {within}."
        )

    def _is_echo(self, notice: Notice, found: Mapping[str, Any]) -> bool:
        began = stored.read(found["notice"]).starts_at
        return self._now - found["changed_at"] <= ECHO_S and notice.starts_at == began

    def _open_storm(self, storm: Notice, others: Sequence[str]) -> None:
        self.fire(storm, avoids=others)

    def _hold(self, number: int) -> None:
        """Let a message wait for the word that tells whether it is an echo."""
        self.connection.execute(
            "UPDATE alert_deliveries SET due_at = ? WHERE message = ? AND state = 'queued'",
            (self._now + ECHO_HELD_S, number),
        )

    def _forget_held(self, key: str) -> bool:
        """Take back what was held and never tried: it is over before anybody was told."""
        taken_back = self.connection.execute(
            "UPDATE alert_deliveries SET state = ?, changed_at = ?, detail = ? WHERE key = ? "
            "AND state = 'queued' AND attempts = 0 AND due_at > ? "
            "AND message IN (SELECT number FROM alert_messages WHERE key = ?)",
            (DeliveryState.COLLAPSED, self._now, "an echo of what was over", key, self._now, key),
        )
        return taken_back.rowcount > 0

    def _supersede(self, key: str) -> None:
        self.connection.execute(
            "UPDATE alert_deliveries SET state = ?, changed_at = ? WHERE key = ? "
            "AND state = 'queued' AND message IN "
            "(SELECT number FROM alert_messages WHERE key = ? AND action = ?)",
            (DeliveryState.SUPERSEDED, self._now, key, key, Action.FIRE),
        )

    def _count_in_last_message(self, key: str, notice: Notice, count: int) -> int:
        """Let a message that still waits tell how often and with which words it came last."""
        number = self._last_message(key)
        self.connection.execute(
            "UPDATE alert_messages SET count = ?, notice = ? WHERE number = ? AND action = ?",
            (count, stored.written(notice), number, Action.FIRE),
        )
        return number

    def _last_message(self, key: str) -> int:
        row = self.connection.execute(
            "SELECT max(number) FROM alert_messages WHERE key = ?", (key,)
        ).fetchone()
        return int(row[0] or 0)

    def _recent_changes(self, incident: Mapping[str, Any] | None) -> list[float]:
        since = self._now - self.settings.flapping.within.total_seconds()
        changes: Iterable[float] = json.loads(incident["changes"]) if incident else ()
        return [instant for instant in changes if instant > since]

    def _incident(self, key: str) -> dict[str, Any] | None:
        cursor = self.connection.execute("SELECT * FROM alert_incidents WHERE key = ?", (key,))
        row = cursor.fetchone()
        names = [column[0] for column in cursor.description]
        return dict(zip(names, row, strict=True)) if row else None

    def _known(self, key: str) -> dict[str, Any]:
        found = self._incident(key)
        if found is None:
            raise NotFoundError(
                "alert.unknown_key",
                f"No alert with the key '{key}' was sent from this machine.",
                reason="Its outbox has no such alert, or it was resolved long ago.",
                fix="x0tta alert outbox list shows the keys.",
                context={"key": key},
            )
        return found


def _is_own(notice: Notice) -> bool:
    return notice.labels.get("origin") == OWN["origin"]
