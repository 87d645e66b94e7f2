"""The seam between the outbox and whoever is told; one module in this folder for each kind.

The outbox calls `deliver` with messages that are on the disk, in the order in which they were
written for each alert, at most `traits.batch_size` of them and never two of one alert. What the
outcomes say is written down before the next call. After `kill -9` a message may come a second
time: a channel whose server knows deduplication keys passes `message.key` on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from x0tta_cli.alert.model import DeliveryState, Message
from x0tta_cli.core.errors import OperatorError, UnsupportedError

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: `burst` messages at once, afterwards `burst` in `per_s` seconds.

    Channels whose limits have the same `scope` share one bucket, across processes: it names what
    the server counts by, without a secret ("telegram-chat:-100123").
    """

    scope: str
    burst: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Traits:
    """What the outbox has to know of a channel.

    `batch_size` is how many messages one `deliver` takes, `max_attempt_s` how long it may last.
    `renews`: the server forgets alerts that nobody repeats, so open ones come again as
    `Action.RENEW` (`notice.ends_at` set: it has ended). `takes_every_change`: the server groups
    by itself, so neither storms nor flapping alerts are collapsed for it. `acknowledges`: it
    knows acknowledgements; others are not asked. `limits` are held by the outbox.
    """

    batch_size: int = 1
    max_attempt_s: float = 30.0
    renews: bool = False
    takes_every_change: bool = False
    acknowledges: bool = False
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message.

    `state` is `accepted`, `visible`, `handed_on` or `acknowledged` where it was delivered (say
    no more than is known); `rejected` where this message will never be taken (it becomes a dead
    letter with `detail`; from a batch of several it is tried once more, alone); `queued` where it
    is to be tried again, not before `retry_after_s` where the server says so.

    `detail` is the server's own words, or what is worth knowing ("silenced by 0b4c…"); without
    secrets. `warning` is for the operator, at once. `remember` is kept for this alert and comes
    back in `Message.memory` (Telegram's message id); `remember_channel` is kept for the channel
    and peer (a migrated chat id) and comes back in `deliver`'s `memory`; an empty text forgets.
    `disables` says that the channel as a whole is refused (403): the outbox leaves it alone for
    an hour, and the other channels tell of it. `weight` is how many messages the server counts:
    what a long text or an answer took beyond one is taken out of the buckets afterwards.
    """

    state: DeliveryState
    detail: str = ""
    warning: str = ""
    retry_after_s: float | None = None
    remember: Mapping[str, str] = field(default_factory=dict)
    remember_channel: Mapping[str, str] = field(default_factory=dict)
    disables: bool = False
    weight: int = 1


class Channel(Protocol):
    """Whoever is told of alerts. Safe to use from one thread for each peer; `close` ends it."""

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        ...

    @property
    def kind(self) -> str:
        """The kind: a key of `KINDS`."""
        ...

    @property
    def traits(self) -> Traits:
        """What the outbox has to know of it."""
        ...

    def peers(self) -> tuple[str, ...]:
        """Name each server that has to take every message, without secrets (a URL, a chat)."""
        ...

    def deliver(
        self, peer: str, batch: Sequence[Message], memory: Mapping[str, str]
    ) -> Sequence[Outcome]:
        """Tell one peer; gives an outcome for each message, in their order.

        Tries once: repeating is the outbox's work. Raises OperatorError where the whole batch has
        failed: UnavailableError and any `retryable` one is tried again later, and every other
        counts as `rejected`.
        """
        ...

    def reach(self, peer: str) -> str:
        """See whether the peer is there and knows us, cheaply, telling nobody; a word on it.

        Raises OperatorError where it is not.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


# Each as `module:function`; the function takes (name, the kind's settings, timeout_s).
KINDS: Mapping[str, str] = {
    "alertmanager": "x0tta_cli.alert.channels.alertmanager:open_channel",
    "apprise": "x0tta_cli.alert.channels.apprise:open_channel",
    "email": "x0tta_cli.alert.channels.email:open_channel",
    "pagerduty": "x0tta_cli.alert.channels.pagerduty:open_channel",
    "telegram": "x0tta_cli.alert.channels.telegram:open_channel",
    "webhook": "x0tta_cli.alert.channels.webhook:open_channel",
}
ATTEMPT_S = 10.0


def open_channel(name: str, settings: Any, timeout_s: float = ATTEMPT_S) -> Channel:
    """Make one channel from its settings; its kind's module is imported here, nothing is sent.

    Raises what the kind's own `open_channel` raises (`extras.missing`, `files.not_found`).
    """
    module, _, function = KINDS[settings.kind].partition(":")
    make: Callable[[str, Any, float], Channel] = getattr(import_module(module), function)
    return make(name, settings, timeout_s)


def open_channels(settings: AlertSettings, timeout_s: float = ATTEMPT_S) -> dict[str, Channel]:
    """Make every configured channel, by name; raises as `open_channel`."""
    return {
        name: open_channel(name, channel, timeout_s) for name, channel in settings.channels.items()
    }


def words_of_error(error: OperatorError) -> str:
    """Say in one line what has failed and why; and what installs it, where something is missing."""
    mend = f"Mend: {error.fix}" if isinstance(error, UnsupportedError) and error.fix else ""
    return " ".join(filter(None, (str(error), error.reason, mend)))
