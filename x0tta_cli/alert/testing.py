"""Sends a real, marked test through each channel, as far as its server confirms it, and ends it.

Nothing of it goes through the outbox: what is to be known is whether the channel works now. Limits,
storms and routes do not count for it; what keeps secrets out of texts does.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from x0tta_cli.alert.channels.protocol import ATTEMPT_S, Channel, Outcome, words_of_error
from x0tta_cli.alert.model import DELIVERED, Action, DeliveryState, Message
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.lineup import Lineup, lineup
from x0tta_cli.alert.outbox.own import OWN
from x0tta_cli.alert.results import ChannelTest, ChannelTests, Plan
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import ConfigurationError, OperatorError, UnavailableError
from x0tta_cli.core.notices import Notice, Severity

log = logging.getLogger(__name__)

NAME = "X0ttaTest"
ALL = "all"
# What a kill leaves behind ends there by itself.
LASTING_S = 300.0
# Their servers know the key: ending what never came does no harm there, and tells nobody.
_KEYED = frozenset({"alertmanager", "pagerduty", "webhook"})
UNREACHABLE = "unreachable"


def plan(settings: AlertSettings, only: str) -> Plan:
    """Tell which channels would be tried; raises as `try_channels`."""
    notice = _notice("")
    names = chosen(settings, only)
    return Plan(notice.key(), NAME, notice.severity.value, Action.FIRE, names)


def try_channels(settings: AlertSettings, only: str, within_s: float) -> ChannelTests:
    """Try the channels side by side, for up to `within_s` seconds; each test is ended as well.

    An interruption ends what was opened, too, before it goes on. Raises ConfigurationError
    `alert.no_channel` and `alert.unknown_channel`.
    """
    names = chosen(settings, only)
    stop = threading.Event()
    # Telling and ending both have to fit, with what reading back takes.
    with lineup(settings, min(ATTEMPT_S, within_s / 3)) as opened:
        trials = [trial for name in names for trial in _trials(opened, name, stop)]
        for trial in trials:
            threading.Thread(target=trial.run, daemon=True).start()
        try:
            _wait(trials, within_s)
        except BaseException:
            stop.set()
            log.warning("ending the tests that were opened")
            _wait(trials, within_s)
            raise
        return ChannelTests(NAME, tuple(trial.row(within_s) for trial in trials))


def chosen(settings: AlertSettings, only: str) -> tuple[str, ...]:
    """Name the channels that are meant; raises as `try_channels`."""
    if not settings.channels:
        raise ConfigurationError(
            "alert.no_channel",
            "There is nobody to tell.",
            reason="The configuration names no channel.",
            fix="Add [alert.channels.NAME] with its kind to the file that x0tta config path names.",
        )
    if only == ALL:
        return tuple(settings.channels)
    if only not in settings.channels:
        raise ConfigurationError(
            "alert.unknown_channel",
            f"There is no channel '{only}'.",
            reason=f"There are {', '.join(settings.channels)}.",
            fix=f"Configure [alert.channels.{only}], or choose another.",
            context={"channel": only},
        )
    return (only,)


@dataclass(slots=True)
class _Trial:
    """One peer's test, in a thread of its own."""

    channel: Channel | OperatorError
    name: str
    kind: str
    peer: str
    stop: threading.Event
    over: threading.Event = field(default_factory=threading.Event)
    done: ChannelTest | None = None

    def run(self) -> None:
        """Tell, and end."""
        try:
            self._run()
        finally:
            self.over.set()

    def _run(self) -> None:
        if isinstance(self.channel, OperatorError):
            self.done = self._row(_judged(self.channel), 0.0, is_resolved=True)
            return
        if self.stop.is_set():
            return
        notice = _notice(self.name)
        message = Message(1, notice.key(), Action.FIRE, notice, lasting_s=LASTING_S)
        memory = _memory(self.name, self.peer)
        began = time.monotonic()
        state, outcome = _attempt(self.channel, self.peer, message, memory)
        latency_ms = (time.monotonic() - began) * 1000
        is_told = outcome.state in DELIVERED
        is_resolved = True
        if is_told or (self.kind in _KEYED and outcome.state is not DeliveryState.REJECTED):
            over = replace(
                message,
                number=2,
                action=Action.RESOLVE,
                notice=replace(notice, ends_at=datetime.now(UTC)),
                memory=outcome.remember,
            )
            channel_memory = {**memory, **outcome.remember_channel}
            _, ended = _attempt(self.channel, self.peer, over, channel_memory)
            is_resolved = ended.state in DELIVERED or not is_told
            if not is_resolved:
                outcome = replace(outcome, detail=f"{outcome.detail}; not ended: {ended.detail}")
        self.done = self._row((state, outcome), latency_ms, is_resolved=is_resolved)

    def row(self, within_s: float) -> ChannelTest:
        """Give what became of it by now."""
        late = Outcome(DeliveryState.QUEUED, f"no answer within {within_s:g} s")
        return self.done or self._row((UNREACHABLE, late), within_s * 1000, is_resolved=False)

    def _row(
        self, judged: tuple[str, Outcome], latency_ms: float, *, is_resolved: bool
    ) -> ChannelTest:
        state, outcome = judged
        words = "; ".join(filter(None, (outcome.detail, outcome.warning)))
        return ChannelTest(
            self.name, self.kind, self.peer, state, round(latency_ms, 1), words, is_resolved
        )


def _trials(opened: Lineup, name: str, stop: threading.Event) -> list[_Trial]:
    try:
        channel: Channel | OperatorError = opened.channel(name)
    except OperatorError as error:
        channel = error
    return [_Trial(channel, name, lane.kind, lane.peer, stop) for lane in opened.lanes(name)]


def _attempt(
    channel: Channel, peer: str, message: Message, memory: Mapping[str, str]
) -> tuple[str, Outcome]:
    try:
        [outcome] = channel.deliver(peer, [message], memory)
    except OperatorError as error:
        return _judged(error)
    except Exception as error:
        log.exception("a channel has a defect", extra={"channel": channel.name})
        defect = Outcome(DeliveryState.QUEUED, f"a defect: {type(error).__name__}")
        return DeliveryState.REJECTED.value, defect
    if outcome.state in DELIVERED:
        return outcome.state.value, outcome
    # It has answered, and not with yes.
    return DeliveryState.REJECTED.value, outcome


def _judged(error: OperatorError) -> tuple[str, Outcome]:
    """Tell a server that says no from one that says nothing."""
    words = words_of_error(error)
    is_silent = isinstance(error, UnavailableError) and "status" not in error.context
    state = UNREACHABLE if is_silent else DeliveryState.REJECTED.value
    kept = DeliveryState.QUEUED if error.retryable else DeliveryState.REJECTED
    return state, Outcome(kept, words)


def _memory(name: str, peer: str) -> Mapping[str, str]:
    try:
        return listing.channel_memory(name, peer)
    except OperatorError as error:
        log.warning("the outbox can't be read", extra={"reason": str(error)})
        return {}


def _notice(channel: str) -> Notice:
    host = socket.gethostname()
    return Notice(
        name=NAME,
        severity=Severity.INFO,
        # The number keeps two tests apart, and both from every real alert.
        labels={**OWN, "channel": channel, "instance": host, "test": secrets.token_hex(4)},
        annotations={
            "summary": f"This is a test of the alert channel '{channel}' by x0tta on {host}. "
            "Nothing is wrong, and it is over in a moment."
        },
        starts_at=datetime.now(UTC),
    )


def _wait(trials: list[_Trial], within_s: float) -> None:
    # Not by joining threads: up to Python 3.12 an interrupted join takes them for ended.
    deadline = time.monotonic() + within_s
    for trial in trials:
        trial.over.wait(max(0.0, deadline - time.monotonic()))
