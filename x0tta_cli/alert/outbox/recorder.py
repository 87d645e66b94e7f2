"""What became of messages, written down; and what the other channels have to hear of it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from x0tta_cli.alert.channels.protocol import Outcome, words_of_error
from x0tta_cli.alert.model import DELIVERED, Action, DeliveryState, Message
from x0tta_cli.alert.outbox.intake import Intake
from x0tta_cli.alert.outbox.lineup import Lane, Lineup
from x0tta_cli.alert.outbox.own import OWN, own_notice
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Notice, Severity

if TYPE_CHECKING:
    import sqlite3

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 300.0
DISABLED_S = 3600.0
# A dead letter is told of for this long; it stays listed.
DEAD_LETTER_LASTING = timedelta(hours=1)
# What the memory holds of each alert that was told of on a lane.
TOLD = "told"


@dataclass(slots=True)
class Tried:
    """What became of a batch: outcomes by message number, and what has failed the whole lane."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    failure: OperatorError | None = None
    warnings: list[str] = field(default_factory=list)


class Recorder:
    """Writes down what became of a batch, and what the other channels have to hear of it."""

    def __init__(
        self, connection: sqlite3.Connection, lineup: Lineup, lane: Lane, now: float
    ) -> None:
        self._connection, self._lineup, self._lane, self._now = connection, lineup, lane, now
        self._place = (lane.channel, lane.peer)

    def record(self, batch: Sequence[Message], tried: Tried) -> None:
        """Write all of it; runs within a transaction of its caller."""
        for message in batch:
            outcome = tried.outcomes.get(message.number)
            if outcome is None:
                failure = tried.failure
                words = words_of_error(failure) if failure else ""
                # The lane waits as a whole; the message itself is due when it goes on.
                self._update(message, DeliveryState.QUEUED, self._now, words)
            elif outcome.state in DELIVERED:
                self._update(message, outcome.state, self._now, outcome.detail)
                self._remember(message, outcome)
            elif outcome.state is DeliveryState.QUEUED:
                due_at = self._now + max(backoff_s(message.attempts), outcome.retry_after_s or 0.0)
                self._update(message, DeliveryState.QUEUED, due_at, outcome.detail)
                self._remember_channel(outcome)
            else:
                self._bury(message, outcome.detail)
        self._note_lane(tried)

    def _update(self, message: Message, state: DeliveryState, due_at: float, detail: str) -> None:
        self._connection.execute(
            "UPDATE alert_deliveries SET state = ?, attempts = attempts + 1, due_at = ?, "
            "changed_at = ?, detail = ? WHERE message = ? AND channel = ? AND peer = ? "
            "AND state = 'queued'",
            (state, due_at, self._now, detail, message.number, *self._place),
        )

    def _remember(self, message: Message, outcome: Outcome) -> None:
        if message.action is Action.RESOLVE:
            self._connection.execute(
                "DELETE FROM alert_memory WHERE channel = ? AND peer = ? AND key = ?",
                (*self._place, message.key),
            )
        else:
            self._keep(message.key, {**outcome.remember, TOLD: "1"})
        self._remember_channel(outcome)

    def _remember_channel(self, outcome: Outcome) -> None:
        self._keep("", outcome.remember_channel)

    def _keep(self, key: str, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            if value:
                self._connection.execute(
                    "INSERT OR REPLACE INTO alert_memory VALUES (?, ?, ?, ?, ?)",
                    (*self._place, key, name, value),
                )
            else:
                self._connection.execute(
                    "DELETE FROM alert_memory "
                    "WHERE channel = ? AND peer = ? AND key = ? AND name = ?",
                    (*self._place, key, name),
                )

    def _bury(self, message: Message, words: str) -> None:
        """Give a message up, and let the other channels tell of it."""
        self._update(message, DeliveryState.DEAD, self._now, words)
        if message.action is Action.FIRE and not message.memory:
            # What nobody heard of here needs no end.
            self._connection.execute(
                "UPDATE alert_deliveries SET state = ?, detail = ? WHERE channel = ? AND peer = ? "
                "AND key = ? AND state = 'queued' AND message > ? AND message IN "
                "(SELECT number FROM alert_messages WHERE key = ? AND action = ?)",
                (
                    DeliveryState.COLLAPSED,
                    "nobody was told here that it fired",
                    *self._place,
                    message.key,
                    message.number,
                    message.key,
                    Action.RESOLVE,
                ),
            )
        report_dead_letter(self._intake(), self._lane.channel, message.notice, words, self._now)

    def _note_lane(self, tried: Tried) -> None:
        states = {outcome.state for outcome in tried.outcomes.values()}
        disabling = next((o for o in tried.outcomes.values() if o.disables), None)
        failed = tried.failure is not None or states == {DeliveryState.QUEUED}
        if disabling is not None:
            self._lane_fails(disabling.detail, DISABLED_S, disabled=True)
        elif failed:
            waits = [o.retry_after_s or 0.0 for o in tried.outcomes.values()]
            words = str(tried.failure or next(iter(tried.outcomes.values())).detail)
            told_wait_s = tried.failure.context.get("retry_after_s") if tried.failure else None
            wait_s = max([*waits, float(str(told_wait_s or 0.0))])
            self._lane_fails(words, wait_s, pauses=tried.failure is not None)
        else:
            self._lane_works()

    def _lane_fails(
        self, detail: str, wait_s: float, *, pauses: bool = True, disabled: bool = False
    ) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO alert_lanes (channel, peer) VALUES (?, ?)", self._place
        )
        failures, since, is_told = self._connection.execute(
            "SELECT failures, failing_since, is_told FROM alert_lanes "
            "WHERE channel = ? AND peer = ?",
            self._place,
        ).fetchone()
        since = self._now if since is None else since
        pause_s = max(wait_s, backoff_s(failures) if pauses else 0.0)
        patience_s = self._lineup.settings.channel_down_after.total_seconds()
        tells = not is_told and (disabled or self._now - since >= patience_s)
        self._connection.execute(
            "UPDATE alert_lanes SET failures = ?, failing_since = ?, retry_at = ?, disabled = ?, "
            "is_told = ?, detail = ? WHERE channel = ? AND peer = ?",
            (
                failures + 1,
                since,
                self._now + pause_s,
                int(disabled),
                int(is_told or tells),
                detail,
                *self._place,
            ),
        )
        if tells:
            summary = f"{self._name} can't be reached: {detail}"
            if disabled:
                summary = f"{self._name} refuses us and is left alone for an hour: {detail}"
            self._tell_others(summary)

    def _lane_works(self) -> None:
        row = self._connection.execute(
            "SELECT is_told, failing_since FROM alert_lanes WHERE channel = ? AND peer = ?",
            self._place,
        ).fetchone()
        if row is None or row[1] is None:
            return
        self._connection.execute(
            "UPDATE alert_lanes SET failures = 0, failing_since = NULL, retry_at = 0, "
            "disabled = 0, is_told = 0, detail = '' WHERE channel = ? AND peer = ?",
            self._place,
        )
        if row[0] and self._others():
            notice = self._down_notice("")
            self._intake().resolve(notice.key())

    def _tell_others(self, summary: str) -> None:
        if self._others():
            self._intake().fire(self._down_notice(summary), avoids=[self._lane.channel])

    def _down_notice(self, summary: str) -> Notice:
        labels = {"channel": self._lane.channel, "peer": self._lane.peer}
        return own_notice("AlertChannelDown", Severity.ERROR, labels, summary, self._now)

    def _intake(self) -> Intake:
        return Intake(self._connection, self._lineup, self._now)

    def _others(self) -> bool:
        return len(self._lineup.settings.channels) > 1

    @property
    def _name(self) -> str:
        return f"The alert channel {self._lane.channel} ({self._lane.peer or self._lane.kind})"


def report_dead_letter(
    intake: Intake, channel: str, notice: Notice, words: str, now: float
) -> None:
    """Let the other channels tell that an alert could not be delivered on this one."""
    settings = intake.settings
    if notice.labels.get("origin") == OWN["origin"] or len(settings.channels) < 2:
        return
    report = own_notice(
        "AlertUndeliverable",
        Severity.ERROR,
        {"channel": channel, "alert": notice.name},
        f"The alert {notice.name} could not be delivered on the channel {channel}: {words}",
        now,
        lasting=DEAD_LETTER_LASTING,
    )
    intake.fire(report, avoids=[channel])


def backoff_s(failures: int) -> float:
    """Give the pause after so many failures before: it doubles, up to five minutes, with jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ('equal jitter':
    some pause is always kept).
    """
    ceiling_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures, 16))
    return random.uniform(ceiling_s / 2, ceiling_s)  # noqa: S311 - it spreads load
