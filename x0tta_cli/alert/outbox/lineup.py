"""The configured channels as the outbox sees them: a lane for each peer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from x0tta_cli.alert.channels.protocol import ATTEMPT_S, Channel, Traits, open_channel
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import OperatorError

log = logging.getLogger(__name__)

# The peer of a channel that can't be opened: nobody knows how many it has.
UNKNOWN_PEER = ""
# The channel of what came while the configuration named none, or could not be read.
NOBODY_YET = ""
# All of it is kept for those who are told one day.
_KEPT = Traits(takes_every_change=True, acknowledges=True)


@dataclass(frozen=True, slots=True)
class Lane:
    """One peer of one channel; what waits for it waits for nobody else."""

    channel: str
    peer: str
    kind: str
    traits: Traits


class Lineup:
    """Opens each channel when it is first asked for; one that can't be opened has a lane too."""

    def __init__(self, settings: AlertSettings, timeout_s: float = ATTEMPT_S) -> None:
        self.settings = settings
        self._timeout_s = timeout_s
        self._opened: dict[str, Channel] = {}
        self._errors: dict[str, OperatorError] = {}

    def lanes(self, name: str) -> list[Lane]:
        """List the lanes of a configured channel."""
        if name == NOBODY_YET:
            return [Lane(NOBODY_YET, UNKNOWN_PEER, "", _KEPT)]
        channel = self._try_to_open(name)
        if channel is None:
            return [Lane(name, UNKNOWN_PEER, self.settings.channels[name].kind, Traits())]
        return [Lane(name, peer, channel.kind, channel.traits) for peer in channel.peers()]

    def all_lanes(self) -> list[Lane]:
        """List the lanes of all configured channels."""
        return [lane for name in self.settings.channels for lane in self.lanes(name)]

    def channel(self, name: str) -> Channel:
        """Give an opened channel; raises what kept it from being opened."""
        channel = self._try_to_open(name)
        if channel is None:
            raise self._errors[name]
        return channel

    def close(self) -> None:
        """Close all channels that were opened."""
        for channel in self._opened.values():
            channel.close()

    def _try_to_open(self, name: str) -> Channel | None:
        if name not in self._opened and name not in self._errors:
            try:
                self._opened[name] = open_channel(
                    name, self.settings.channels[name], self._timeout_s
                )
            except OperatorError as error:
                # An alert for it is kept all the same, and the other channels are told.
                self._errors[name] = error
                log.warning("channel can't be used", extra={"channel": name, "reason": str(error)})
        return self._opened.get(name)


@contextmanager
def lineup(settings: AlertSettings, timeout_s: float = ATTEMPT_S) -> Iterator[Lineup]:
    """Open channels for a block."""
    opened = Lineup(settings, timeout_s)
    try:
        yield opened
    finally:
        opened.close()
