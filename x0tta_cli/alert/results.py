"""What the commands of `alert` give back; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.alert.model import (
    DELIVERED,
    Action,
    ChannelDelivery,
    DeliveryState,
    OutboxRow,
)
from x0tta_cli.core.errors import ExitStatus


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one alert: on each channel and peer how far it got.

    `lease_ends_at` is when Alertmanagers end it, unless it is renewed; None where they do not.
    """

    key: str
    name: str
    severity: str
    action: Action
    deliveries: tuple[ChannelDelivery, ...]
    lease_ends_at: datetime | None = None
    warnings: tuple[str, ...] = ()

    @property
    def exit_status(self) -> ExitStatus:
        """0 where everybody has it, 3 where one will never take it, 10 where some have to wait."""
        states = {delivery.state for delivery in self.deliveries}
        if states & {DeliveryState.DEAD, DeliveryState.REJECTED}:
            return ExitStatus.NO
        if DeliveryState.QUEUED in states:
            return ExitStatus.NOT_YET_KNOWN
        return ExitStatus.DONE


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command would tell whom."""

    key: str
    name: str
    severity: str
    action: Action
    channels: tuple[str, ...]
    would_change: bool = True


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is open somewhere; `at` is a server's URL, or this machine.

    At PagerDuty it is an incident, `count` its open alerts, whose keys stand side by side.
    """

    key: str
    name: str
    severity: str
    state: str
    at: str
    since: datetime
    count: int
    labels: dict[str, str]
    detail: str


@dataclass(frozen=True, slots=True)
class Round:
    """What one round has done; `queued` and `open` are what is left."""

    tried: int
    delivered: int
    queued: int
    dead: int
    renewed: int
    open: int
    troubles: tuple[str, ...] = ()
    would_change: bool = False

    @property
    def exit_status(self) -> ExitStatus:
        """0 where nothing waits, 10 where something does, 3 where something was given up."""
        if self.would_change:
            return ExitStatus.DONE
        if self.dead:
            return ExitStatus.NO
        return ExitStatus.NOT_YET_KNOWN if self.queued else ExitStatus.DONE


@dataclass(frozen=True, slots=True)
class Watched:
    """How the outbox stands at one look, and what was told or put aside last, the newest below."""

    at: datetime
    open: int
    queued: int
    dead: int
    troubles: tuple[str, ...]
    waiting: tuple[OutboxRow, ...]
    latest: tuple[OutboxRow, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """How many rows were queued again or dropped."""

    rows: int
    outcome: str
    would_change: bool = False


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence at a channel's Alertmanagers; `matching` is how many alerts it keeps quiet."""

    id: str
    channel: str
    state: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    matching: int
    created_by: str
    comment: str


@dataclass(frozen=True, slots=True)
class SilencePlan:
    """What would be silenced, or the silence that would be ended."""

    action: str
    channel: str
    matchers: tuple[str, ...]
    would_change: bool = True


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """What one peer of a channel made of its test; `latency_ms` until its server's answer.

    `state` is how far a delivery got (`accepted`, `visible`, `handed_on`, `acknowledged`),
    `rejected` where the server said no, `unreachable` where it said nothing. `resolved` is false
    where the test may still be open there.
    """

    channel: str
    kind: str
    peer: str
    state: str
    latency_ms: float
    detail: str
    resolved: bool

    @property
    def works(self) -> bool:
        """Whether the server took the test, and its end."""
        return self.state in {each.value for each in DELIVERED} and self.resolved


@dataclass(frozen=True, slots=True)
class ChannelTests:
    """A test of channels: a row for each peer."""

    name: str
    tests: tuple[ChannelTest, ...]

    @property
    def rows(self) -> tuple[ChannelTest, ...]:
        """Give the tests, for --fields and CSV."""
        return self.tests

    @property
    def exit_status(self) -> ExitStatus:
        """0 where all work, else 3."""
        return ExitStatus.DONE if all(test.works for test in self.tests) else ExitStatus.NO


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what became of its alert.

    `ending` is succeeded, failed, killed, timed_out or not_started; `alert` is fired, resolved,
    none (nothing was open, and nothing had to be), kept (on the disk until the configuration says
    who is told) or lost, which the log has told of.
    """

    name: str
    key: str
    ending: str
    status: int
    started_at: datetime
    duration_s: float
    output_bytes: int
    overlapped: bool
    alert: str
    deliveries: tuple[ChannelDelivery, ...] = ()

    @property
    def exit_status(self) -> int:
        """The command's own, as a shell has it."""
        return self.status


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat that was written; `interval_s` is how often it is to come, where that is told."""

    name: str
    file: str
    at: datetime
    interval_s: float | None
    would_change: bool = False
