"""The outbox as a whole: takes alerts in, delivers on all lanes at once, and keeps them open."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from x0tta_cli.alert.channels.protocol import ATTEMPT_S
from x0tta_cli.alert.model import ChannelDelivery, DeliveryState
from x0tta_cli.alert.outbox import renewal, upkeep
from x0tta_cli.alert.outbox.connections import Connections
from x0tta_cli.alert.outbox.intake import Intake
from x0tta_cli.alert.outbox.lane import Clock, LaneWork, Pause
from x0tta_cli.alert.outbox.lineup import Lane, Lineup
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.journal import file
from x0tta_cli.core.journal.tables import transaction

if TYPE_CHECKING:
    import sqlite3


class Outbox:
    """What is to be told, and who delivers it. Close it, or use `outbox`.

    `clock` gives seconds since 1970, `pause` lets them pass. Calls may come from several threads
    and processes.
    """

    def __init__(
        self,
        settings: AlertSettings,
        timeout_s: float = ATTEMPT_S,
        clock: Clock = time.time,
        pause: Pause = time.sleep,
    ) -> None:
        self.lineup = Lineup(settings, timeout_s)
        self._clock, self._pause = clock, pause
        self._connections = Connections()
        self.warnings: list[str] = []

    def close(self) -> None:
        """Close the channels, and the journal's file."""
        self.lineup.close()
        self._connections.close()

    @contextmanager
    def intake(self) -> Iterator[Intake]:
        """Take in alerts in one transaction: when the block has ended they are on the disk.

        Raises what `journal.begin` raises.
        """
        with self._connections.one() as connection, transaction(connection):
            yield Intake(connection, self.lineup, self._clock())

    def deliver(self, within_s: float, channels: Iterable[str] | None = None) -> None:
        """Deliver what is due, on all lanes at once, for up to `within_s` seconds.

        Raises what the journal raises.
        """
        with self._connections.one() as connection:
            lanes = self._lanes_with_work(connection, channels)
        deadline = self._clock() + within_s
        works = [
            LaneWork(lane, self.lineup, self._connections, self._clock, self._pause)
            for lane in lanes
        ]
        errors: list[BaseException] = []
        # The last lane is this thread's own: mostly there is no other.
        threads = [
            # Left behind by Ctrl-C: what they do not finish is due again.
            threading.Thread(target=_run, args=(work, deadline, errors), daemon=True)
            for work in works[:-1]
        ]
        for thread in threads:
            thread.start()
        for work in works[-1:]:
            _run(work, deadline, errors)
        for thread in threads:
            thread.join()
        self.warnings += [warning for work in works for warning in work.warnings]
        if errors:
            raise errors[0]

    def take_warnings(self) -> tuple[str, ...]:
        """Give what the operator has to hear, each once, and forget it."""
        taken = tuple(dict.fromkeys(self.warnings))
        self.warnings.clear()
        return taken

    def keep_up(self) -> None:
        """Do what time alone brings about; raises what the journal raises."""
        with self._connections.one() as connection, transaction(connection):
            upkeep.keep_up(connection, self.lineup, self._clock())

    def renew(self) -> int:
        """Renew leases where that is due; gives how many. Raises what the journal raises."""
        with self._connections.one() as connection:
            return renewal.renew(connection, self.lineup, self._clock())

    def outcome(self, number: int) -> list[ChannelDelivery]:
        """Tell what became of a message on each lane; raises what the journal raises."""
        with self._connections.one() as connection, file.database_errors(file.path()):
            return deliveries_of(connection, number)

    def _lanes_with_work(
        self, connection: sqlite3.Connection, channels: Iterable[str] | None
    ) -> list[Lane]:
        chosen = set(self.lineup.settings.channels if channels is None else channels)
        with file.database_errors(file.path()):
            waiting = set(
                connection.execute(
                    "SELECT DISTINCT channel, peer FROM alert_deliveries WHERE state = 'queued'"
                )
            )
        names = sorted({channel for channel, _ in waiting} & chosen)
        return [
            lane
            for name in names
            if name in self.lineup.settings.channels
            for lane in self.lineup.lanes(name)
            if (lane.channel, lane.peer) in waiting
        ]


@contextmanager
def outbox(
    settings: AlertSettings, timeout_s: float = ATTEMPT_S, clock: Clock = time.time
) -> Iterator[Outbox]:
    """Open the outbox for a block."""
    opened = Outbox(settings, timeout_s, clock)
    try:
        yield opened
    finally:
        opened.close()


def deliveries_of(connection: sqlite3.Connection, number: int) -> list[ChannelDelivery]:
    """Read what became of one message on each channel and peer."""
    rows = connection.execute(
        "SELECT message, channel, kind, peer, state, attempts, detail FROM alert_deliveries "
        "WHERE message = ? ORDER BY channel, peer",
        (number,),
    ).fetchall()
    return [
        ChannelDelivery(message, channel, kind, peer, DeliveryState(state), attempts, detail)
        for message, channel, kind, peer, state, attempts, detail in rows
    ]


def _run(work: LaneWork, deadline: float, errors: list[BaseException]) -> None:
    try:
        work.run(deadline)
    except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
        errors.append(error)
