"""One lane at work: what waits for one peer of one channel, in order, critical first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from x0tta_cli.alert import stored
from x0tta_cli.alert.channels.protocol import Outcome, words_of_error
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.outbox import buckets
from x0tta_cli.alert.outbox.connections import Connections
from x0tta_cli.alert.outbox.lane_lock import working_on
from x0tta_cli.alert.outbox.lineup import Lane, Lineup
from x0tta_cli.alert.outbox.recorder import TOLD, Recorder, Tried
from x0tta_cli.core.errors import InternalError, OperatorError, UnavailableError
from x0tta_cli.core.journal.tables import transaction

if TYPE_CHECKING:
    import sqlite3

# Bounds one request, whatever each message weighs.
MAX_BATCH_BYTES = 4 * 1024 * 1024
POLL_S = 0.2

log = logging.getLogger(__name__)

Clock = Callable[[], float]
Pause = Callable[[float], None]


class LaneWork:
    """Delivers what is due on one lane. For one thread."""

    def __init__(
        self,
        lane: Lane,
        lineup: Lineup,
        connections: Connections,
        clock: Clock = time.time,
        pause: Pause = time.sleep,
    ) -> None:
        self.lane = lane
        self.warnings: list[str] = []
        self._lineup, self._connections = lineup, connections
        self._clock, self._pause = clock, pause

    def run(self, deadline: float) -> None:
        """Deliver until nothing is due, the lane fails, or the clock is past `deadline`.

        Another process that works on the lane is waited for until then. Raises what the journal
        raises.
        """
        within_s = max(0.0, deadline - self._clock())
        with working_on(self.lane, within_s) as is_ours, self._connections.one() as connection:
            while is_ours and self._step(connection, deadline):
                pass

    def _step(self, connection: sqlite3.Connection, deadline: float) -> bool:
        """Deliver one batch; False where there is no more to do now."""
        now = self._clock()
        place = (self.lane.channel, self.lane.peer)
        with transaction(connection):
            batch = self._due(connection, now)
            granted, wait_s = (
                buckets.take(connection, self.lane.traits.limits, len(batch), now)
                if batch
                else (0, 0.0)
            )
            if granted:
                self._note_attempt(connection, batch[:granted], now)
            memory = dict(
                connection.execute(
                    "SELECT name, value FROM alert_memory "
                    "WHERE channel = ? AND peer = ? AND key = ''",
                    place,
                )
            )
        if not batch:
            return False
        if not granted:
            if now + wait_s >= deadline:
                return False
            self._pause(min(wait_s, POLL_S))
            return True
        tried = Tried()
        self._try(batch[:granted], memory, tried)
        self.warnings += tried.warnings
        further = sum(outcome.weight - 1 for outcome in tried.outcomes.values())
        with transaction(connection):
            if further:
                buckets.charge(connection, self.lane.traits.limits, further)
            Recorder(connection, self._lineup, self.lane, self._clock()).record(
                batch[:granted], tried
            )
        return tried.failure is None and not self._must_rest(tried) and self._clock() < deadline

    def _note_attempt(
        self, connection: sqlite3.Connection, batch: Sequence[Message], now: float
    ) -> None:
        """Write that something is tried, where nothing is written yet: a limit's bucket is.

        What fails on a disk without room fails before anybody is told: told of, and not written
        down as such, it would be told again and again. An Alertmanager hears of it once a minute
        anyway.
        """
        traits = self.lane.traits
        if not traits.limits and not traits.takes_every_change:
            connection.executemany(
                "UPDATE alert_deliveries SET changed_at = ? "
                "WHERE message = ? AND channel = ? AND peer = ?",
                [(now, each.number, self.lane.channel, self.lane.peer) for each in batch],
            )

    def _due(self, connection: sqlite3.Connection, now: float) -> list[Message]:
        place = (self.lane.channel, self.lane.peer)
        row = connection.execute(
            "SELECT retry_at FROM alert_lanes WHERE channel = ? AND peer = ?", place
        ).fetchone()
        if row and row[0] > now:
            return []
        rows = connection.execute(
            "SELECT m.number, m.key, m.action, m.notice, m.count, d.attempts, m.note, m.lasting_s "
            "FROM alert_deliveries d JOIN alert_messages m ON m.number = d.message "
            "WHERE d.channel = ? AND d.peer = ? AND d.state = 'queued' AND d.due_at <= ? "
            "AND NOT EXISTS (SELECT 1 FROM alert_deliveries o WHERE o.channel = d.channel "
            "AND o.peer = d.peer AND o.key = d.key AND o.state = 'queued' "
            "AND o.message < d.message) ORDER BY d.rank, d.message LIMIT ?",
            (*place, now, self.lane.traits.batch_size),
        ).fetchall()
        batch: list[Message] = []
        size_bytes = 0
        for number, key, action, notice, count, attempts, note, lasting_s in rows:
            size_bytes += len(notice)
            if batch and size_bytes > MAX_BATCH_BYTES:
                break
            remembered = connection.execute(
                "SELECT name, value FROM alert_memory WHERE channel = ? AND peer = ? AND key = ?",
                (*place, key),
            )
            batch.append(
                Message(
                    number,
                    key,
                    Action(action),
                    stored.read(notice),
                    count,
                    attempts,
                    {name: value for name, value in remembered if name != TOLD},
                    note,
                    lasting_s,
                )
            )
        return batch

    def _try(self, batch: Sequence[Message], memory: dict[str, str], tried: Tried) -> None:
        """Deliver; what is refused in company is tried in halves until it stands alone."""
        outcomes = self._ask(batch, memory, tried)
        if tried.failure is not None:
            return
        refused = []
        for message, outcome in zip(batch, outcomes, strict=True):
            memory.update(outcome.remember_channel)
            if outcome.state is DeliveryState.REJECTED and len(batch) > 1:
                refused.append(message)
                continue
            tried.outcomes[message.number] = outcome
            if outcome.warning:
                tried.warnings.append(outcome.warning)
        middle = (len(refused) + 1) // 2
        for half in filter(None, (refused[:middle], refused[middle:])):
            if tried.failure is None:
                self._try(half, memory, tried)

    def _ask(
        self, batch: Sequence[Message], memory: dict[str, str], tried: Tried
    ) -> Sequence[Outcome]:
        """Deliver once; no outcomes where the lane as a whole has failed."""
        try:
            channel = self._lineup.channel(self.lane.channel)
        except OperatorError as error:
            # What can't be opened now can be once the installation or configuration is mended.
            tried.failure = error
            return ()
        try:
            return channel.deliver(self.lane.peer, batch, memory)
        except OperatorError as error:
            # A certificate that has run out, a log-in page in place of an answer: no message is
            # refused by that, though asking again at once would be no use.
            if error.retryable or isinstance(error, UnavailableError):
                tried.failure = error
                return ()
            words = words_of_error(error)
            return [Outcome(DeliveryState.REJECTED, words)] * len(batch)
        except Exception as error:
            # What a message brings about must neither lose it nor stop the others: in company it
            # is looked for in halves, as what is refused, and alone it waits.
            if len(batch) > 1:
                return [Outcome(DeliveryState.REJECTED)] * len(batch)
            log.exception("a channel has a defect", extra={"channel": self.lane.channel})
            return [Outcome(DeliveryState.QUEUED, _defect(self.lane.channel, error))]

    def _must_rest(self, tried: Tried) -> bool:
        return any(
            outcome.disables or outcome.retry_after_s is not None
            for outcome in tried.outcomes.values()
        )


def _defect(channel: str, error: Exception) -> str:
    """Word what nobody foresaw, without secrets."""
    found = InternalError(
        "alert.channel_defect",
        f"The channel {channel} has run into something that it did not foresee.",
        reason=f"{type(error).__name__}: {error}",
    )
    return f"{found} {found.reason}"
