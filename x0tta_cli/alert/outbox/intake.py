"""Takes alerts in: what of them is told to whom, written down before anybody is.

Every function here runs within a transaction of its caller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from x0tta_cli.alert import stored
from x0tta_cli.alert.model import Action, DeliveryState, IncidentState
from x0tta_cli.alert.outbox import storms
from x0tta_cli.alert.outbox.lineup import NOBODY_YET, Lane, Lineup
from x0tta_cli.alert.outbox.own import OWN
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.times import format_duration

if TYPE_CHECKING:
    import sqlite3

RANK = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}
# One of two Alertmanagers may say that an alert fires which the other has just resolved: it waited
# whether its peer would speak (--cluster.peer-timeout, 15 s). Its next word tells whether so.
ECHO_S, ECHO_HELD_S = 60.0, 60.0


class Intake:
    """Writes what comes in at one instant, `now` in seconds since 1970."""

    def __init__(self, connection: sqlite3.Connection, lineup: Lineup, now: float) -> None:
        self.connection, self._lineup, self._now = connection, lineup, now
        self.settings = lineup.settings
        self._held_s = 0.0

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
            if may_echo and found is not None and self._is_echo(notice, found):
                self._held_s = ECHO_HELD_S
            number = self._open(key, notice, found, lasting_s, avoids)
            self._held_s = 0.0
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
            self._last_message(key) if was_held else self._write(Action.RESOLVE, key, notice, found)
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
        return self._write(Action.ACKNOWLEDGE, key, notice, {**found, "lasting_s": for_s})

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
            self._address(number, Action(action), key, stored.read(text), incident, is_new=False)

    def tell_again(self, key: str, note: str) -> int:
        """Tell once more how an alert stands, with a line on why."""
        found = self._known(key)
        action = Action.RESOLVE if found["state"] == IncidentState.RESOLVED else Action.FIRE
        return self._write(action, key, stored.read(found["notice"]), found, note=note)

    def _open(
        self,
        key: str,
        notice: Notice,
        before: Mapping[str, Any] | None,
        lasting_s: float | None,
        avoids: Sequence[str],
    ) -> int:
        changes = [*self._recent_changes(before), self._now]
        flapping = self.settings.flapping
        was_flapping = before["flapping_since"] if before else None
        is_own = notice.labels.get("origin") == OWN["origin"]
        begins_to_flap = was_flapping is None and len(changes) > flapping.changes and not is_own
        incident: dict[str, Any] = {
            "key": key,
            "notice": stored.written(notice),
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
            "flapping_since": self._now if begins_to_flap else was_flapping,
            "held": before["held"] + 1 if before and was_flapping is not None else 0,
            "avoids": json.dumps(list(avoids)),
        }
        self.connection.execute(
            f"INSERT OR REPLACE INTO alert_incidents ({', '.join(incident)}) "  # noqa: S608
            f"VALUES ({', '.join(':' + name for name in incident)})",
            incident,
        )
        note = ""
        if begins_to_flap:
            within = format_duration(flapping.within)
            note = (
                f"It is flapping: {len(changes)} changes within {within}. "
                f"It is told again when it has been quiet for {within}."
            )
        told_of = incident | {"flapping_since": was_flapping}
        return self._write(
            Action.FIRE, key, notice, told_of, note=note, is_new=not is_own, text=incident["notice"]
        )

    def _again(self, key: str, notice: Notice, found: Mapping[str, Any]) -> int:
        before = stored.read(found["notice"])
        merged = replace(notice, starts_at=min(before.starts_at, notice.starts_at))
        got_worse_or_better = merged.severity is not before.severity
        says_new = (merged.annotations, merged.explanation) != (
            before.annotations,
            before.explanation,
        )
        is_late = self._now - found["told_at"] >= self.settings.collapse_within.total_seconds()
        is_told = got_worse_or_better or (says_new and is_late)
        count = found["count"] + 1
        self.connection.execute(
            "UPDATE alert_incidents SET notice = ?, severity = ?, received_at = ?, count = ?, "
            "ends_at = ?, told_at = ? WHERE key = ?",
            (
                stored.written(merged),
                merged.severity.value,
                self._now,
                count,
                merged.ends_at.timestamp() if merged.ends_at else None,
                self._now if is_told else found["told_at"],
                key,
            ),
        )
        if is_told:
            self._supersede(key)
            return self._write(Action.FIRE, key, merged, {**found, "count": count})
        return self._count_in_last_message(key, merged, count)

    def _write(
        self,
        action: Action,
        key: str,
        notice: Notice,
        incident: Mapping[str, Any],
        *,
        note: str = "",
        is_new: bool = False,
        text: str | None = None,
    ) -> int:
        """Write a message down, and who is to be told."""
        number = self.connection.execute(
            "INSERT INTO alert_messages (key, action, notice, note, count, lasting_s, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key,
                action,
                text or stored.written(notice),
                note,
                incident["count"],
                incident["lasting_s"],
                self._now,
            ),
        ).lastrowid
        self._address(number or 0, action, key, notice, incident, is_new=is_new)
        return number or 0

    def _address(
        self,
        number: int,
        action: Action,
        key: str,
        notice: Notice,
        incident: Mapping[str, Any],
        *,
        is_new: bool,
    ) -> None:
        """Write a row for each lane that a message is for."""
        avoided = json.loads(incident["avoids"])
        routed = channels_for(notice, self.settings) if self.settings.channels else (NOBODY_YET,)
        told = () if is_new else self._told_beside(routed, key)
        names = [name for name in (*routed, *told) if name not in avoided]
        names = names or [name for name in self.settings.channels if name not in avoided]
        for name in names:
            in_storm = is_new and self._is_in_storm(name, notice)
            for lane in self._lineup.lanes(name):
                if action is Action.ACKNOWLEDGE and not lane.traits.acknowledges:
                    continue
                state, detail = self._standing(action, key, lane, incident, in_storm=in_storm)
                self._row(number, lane, key, RANK[notice.severity], state, detail)

    def _told_beside(self, routed: Sequence[str], key: str) -> list[str]:
        """Name channels that know of an alert though the routes, or its severity, changed since."""
        return [
            name
            for name in self.settings.channels
            if name not in routed
            and any(self._is_told(key, lane) for lane in self._lineup.lanes(name))
        ]

    def _standing(
        self, action: Action, key: str, lane: Lane, incident: Mapping[str, Any], *, in_storm: bool
    ) -> tuple[DeliveryState, str]:
        if lane.traits.takes_every_change:
            return DeliveryState.QUEUED, "" if lane.channel else "nobody is named to be told"
        if in_storm:
            return DeliveryState.COLLAPSED, "told as part of a storm"
        if incident.get("flapping_since") is not None and action is not Action.ACKNOWLEDGE:
            return DeliveryState.COLLAPSED, "held while the alert is flapping"
        if action is Action.RESOLVE and not self._is_told(key, lane):
            # 'Resolved' for what nobody heard of would be a riddle.
            return DeliveryState.COLLAPSED, "nobody was told here that it fired"
        return DeliveryState.QUEUED, ""

    def _row(  # noqa: PLR0917 - a row has as many columns
        self, number: int, lane: Lane, key: str, rank: int, state: DeliveryState, detail: str
    ) -> None:
        self.connection.execute(
            "INSERT INTO alert_deliveries (message, channel, peer, kind, key, rank, state, "
            "attempts, due_at, expires_at, changed_at, detail) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)",
            (
                number,
                lane.channel,
                lane.peer,
                lane.kind,
                key,
                rank,
                state,
                self._now + self._held_s,
                self._now + self.settings.expires_after.total_seconds(),
                self._now,
                detail,
            ),
        )

    def _is_in_storm(self, channel: str, notice: Notice) -> bool:
        lanes = self._lineup.lanes(channel)
        if all(lane.traits.takes_every_change for lane in lanes):
            return False
        standing = storms.count(self.connection, channel, self.settings.storm, self._now)
        if standing is storms.Standing.BEGINS:
            others = [name for name in self.settings.channels if name != channel]
            storm = storms.notice_of(
                self.connection, channel, self.settings.storm, self._now, notice.severity
            )
            self.fire(storm, avoids=others)
        return standing is not storms.Standing.CALM

    def _is_told(self, key: str, lane: Lane) -> bool:
        place = (lane.channel, lane.peer, key)
        told = self.connection.execute(
            "SELECT 1 FROM alert_memory WHERE channel = ? AND peer = ? AND key = ?", place
        ).fetchone()
        return told is not None or self._is_queued(place)

    def _is_queued(self, place: tuple[str, str, str]) -> bool:
        row = self.connection.execute(
            "SELECT 1 FROM alert_deliveries "
            "WHERE channel = ? AND peer = ? AND key = ? AND state = 'queued'",
            place,
        ).fetchone()
        return row is not None

    def _is_echo(self, notice: Notice, found: Mapping[str, Any]) -> bool:
        began = stored.read(found["notice"]).starts_at
        return self._now - found["changed_at"] <= ECHO_S and notice.starts_at == began

    def _forget_held(self, key: str) -> bool:
        """Take back what was held and never tried: it is over before anybody was told."""
        taken_back = self.connection.execute(
            "UPDATE alert_deliveries SET state = ?, changed_at = ?, detail = ? WHERE key = ? "
            "AND state = 'queued' AND attempts = 0 AND due_at > ?",
            (DeliveryState.COLLAPSED, self._now, "an echo of what was over", key, self._now),
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
