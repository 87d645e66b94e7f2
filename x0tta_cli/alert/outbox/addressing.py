"""Addresses messages: a row for each lane that one is for, and whether it is told there at once.

Every function here runs within a transaction of its caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from x0tta_cli.alert import stored
from x0tta_cli.alert.model import Action, DeliveryState
from x0tta_cli.alert.outbox import storms
from x0tta_cli.alert.outbox.lineup import NOBODY_YET, Lane, Lineup
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.core.notices import Notice, Severity

if TYPE_CHECKING:
    import sqlite3

RANK = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}


class Addressing:
    """Writes messages and their rows down at one instant, `now` in seconds since 1970.

    `tell_of_storm` opens the notice of a storm that begins; the channels beside it are to be
    avoided by it.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lineup: Lineup,
        now: float,
        tell_of_storm: Callable[[Notice, Sequence[str]], object],
    ) -> None:
        self._connection, self._lineup, self._now = connection, lineup, now
        self._settings, self._tell_of_storm = lineup.settings, tell_of_storm

    def write(
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
        """Write a message down, and who is to be told; gives its number."""
        number = self._connection.execute(
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
        self.address(number or 0, action, key, notice, incident, is_new=is_new)
        return number or 0

    def address(
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
        routed = channels_for(notice, self._settings) if self._settings.channels else (NOBODY_YET,)
        told = () if is_new else self._told_beside(routed, key)
        names = [name for name in (*routed, *told) if name not in avoided]
        names = names or [name for name in self._settings.channels if name not in avoided]
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
            for name in self._settings.channels
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
        self._connection.execute(
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
                self._now,
                self._now + self._settings.expires_after.total_seconds(),
                self._now,
                detail,
            ),
        )

    def _is_in_storm(self, channel: str, notice: Notice) -> bool:
        lanes = self._lineup.lanes(channel)
        if all(lane.traits.takes_every_change for lane in lanes):
            return False
        standing = storms.count(self._connection, channel, self._settings.storm, self._now)
        if standing is storms.Standing.BEGINS:
            others = [name for name in self._settings.channels if name != channel]
            storm = storms.notice_of(
                self._connection, channel, self._settings.storm, self._now, notice.severity
            )
            self._tell_of_storm(storm, others)
        return standing is not storms.Standing.CALM

    def _is_told(self, key: str, lane: Lane) -> bool:
        place = (lane.channel, lane.peer, key)
        told = self._connection.execute(
            "SELECT 1 FROM alert_memory WHERE channel = ? AND peer = ? AND key = ?", place
        ).fetchone()
        return told is not None or self._is_queued(place)

    def _is_queued(self, place: tuple[str, str, str]) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM alert_deliveries "
            "WHERE channel = ? AND peer = ? AND key = ? AND state = 'queued'",
            place,
        ).fetchone()
        return row is not None
