"""The nouns of `alert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from x0tta_cli.core.notices import Notice

# No alert, silence or acknowledgement lasts longer: whatever ends after it still has a date.
LONGEST = timedelta(days=36_500)


class Action(StrEnum):
    """What a message asks of a channel; `renew` repeats one of the first two, and tells nobody."""

    FIRE = "fire"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    RENEW = "renew"


class DeliveryState(StrEnum):
    """How far a message got.

    accepted       the server took it; nobody knows what became of it (PagerDuty's 202)
    visible        it was read back from the server
    handed_on      the server gave it to the next one (SMTP, apprise)
    acknowledged   the server confirmed the whole of it (Telegram's message id)
    collapsed      told as part of a storm's or a flapping alert's one notice
    queued         it will be tried, or tried again
    rejected       the server will never take it
    dead           given up: rejected alone, or expired; `outbox retry` queues it again
    superseded     a newer message for the same alert took its place before it was tried
    """

    ACCEPTED = "accepted"
    VISIBLE = "visible"
    HANDED_ON = "handed_on"
    ACKNOWLEDGED = "acknowledged"
    COLLAPSED = "collapsed"
    QUEUED = "queued"
    REJECTED = "rejected"
    DEAD = "dead"
    SUPERSEDED = "superseded"


DELIVERED = frozenset(
    {
        DeliveryState.ACCEPTED,
        DeliveryState.VISIBLE,
        DeliveryState.HANDED_ON,
        DeliveryState.ACKNOWLEDGED,
    }
)


class IncidentState(StrEnum):
    """Where an alert stands on this machine."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one channel about one alert.

    `notice` has the labels and annotations that the alert was opened with, for a resolve too, and
    for that `ends_at` is when it ended. `count` is how often the alert came. `attempts` is how
    often this message was tried before; `memory` what the channel remembered of this alert when
    it was told of before (`Outcome.remember`), empty where it never was. `note` is a line for
    readers, such as that the alert is flapping; empty mostly. `lasting_s` is how long a server
    that keeps leases is to hold the alert from now on, and how long an acknowledgement lasts.
    """

    number: int
    key: str
    action: Action
    notice: Notice
    count: int = 1
    attempts: int = 0
    memory: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    lasting_s: float = 14_400.0


@dataclass(frozen=True, slots=True)
class Incident:
    """An alert as this machine knows it: `count` times received, `lasting_s` from each renewal."""

    key: str
    notice: Notice
    state: IncidentState
    opened_at: datetime
    changed_at: datetime
    last_received_at: datetime
    count: int
    lasting_s: float
    acknowledged_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelDelivery:
    """What became of one message on one channel and peer; `number` names it in the outbox."""

    number: int
    channel: str
    kind: str
    peer: str
    state: DeliveryState
    attempts: int
    detail: str


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message for one channel and peer, as `outbox list` shows it."""

    number: int
    key: str
    name: str
    severity: str
    action: Action
    channel: str
    peer: str
    state: DeliveryState
    attempts: int
    count: int
    created_at: datetime
    due_at: datetime | None
    detail: str
