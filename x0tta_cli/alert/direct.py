"""Tells channels at once and once, with no outbox between.

For what keeps its own record of what is done (a journaled drill), and for ending alerts on a
machine whose journal can't be used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from x0tta_cli.alert.channels.protocol import Channel, Outcome, words_of_error
from x0tta_cli.alert.model import DELIVERED, Action, ChannelDelivery, DeliveryState, Message
from x0tta_cli.alert.outbox.lineup import Lineup, lineup
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import OperatorError, UnavailableError
from x0tta_cli.core.notices import Delivery, Notice, Severity

log = logging.getLogger(__name__)

# Their servers know an alert by its key.
_KEYED = frozenset({"alertmanager", "pagerduty", "webhook"})


class DirectNotifier:
    """Implements `core.notices.Notifier` over channels; every peer has to take every notice."""

    def __init__(self, channels: Mapping[str, Channel], lasting_s: float = 3600.0) -> None:
        self._channels = channels
        self._lasting_s = lasting_s

    def deliver(self, notice: Notice) -> Delivery:
        """Open the notice everywhere; raises UnavailableError `alert.not_delivered`."""
        return self._tell(Action.FIRE, notice)

    def resolve(self, notice: Notice) -> Delivery:
        """Close the notice everywhere, with all that it was opened with; raises as `deliver`."""
        return self._tell(Action.RESOLVE, replace(notice, ends_at=datetime.now(UTC)))

    def _tell(self, action: Action, notice: Notice) -> Delivery:
        message = Message(0, notice.key(), action, notice, lasting_s=self._lasting_s)
        deliveries = list(tell(self._channels, message))
        failed = [delivery for delivery in deliveries if delivery.state not in DELIVERED]
        if failed or not deliveries:
            raise _not_delivered(notice, failed)
        first = deliveries[0]
        peers = ", ".join(dict.fromkeys(delivery.peer for delivery in deliveries))
        return Delivery(first.kind, peers, first.state.value, 1, first.detail)


def tell(channels: Mapping[str, Channel], message: Message) -> Iterator[ChannelDelivery]:
    """Tell every peer of every channel; what became of it on each, errors included."""
    for name, channel in channels.items():
        for peer in channel.peers():
            outcome = attempt(channel, peer, message)
            yield ChannelDelivery(
                message.number, name, channel.kind, peer, outcome.state, 1, outcome.detail
            )


def attempt(channel: Channel, peer: str, message: Message) -> Outcome:
    """Tell one peer, once; an error becomes an outcome."""
    try:
        [outcome] = channel.deliver(peer, [message], {})
    except OperatorError as error:
        state = DeliveryState.QUEUED if error.retryable else DeliveryState.REJECTED
        return Outcome(state, words_of_error(error))
    return outcome


def end(
    action: Action, key: str, settings: AlertSettings, for_s: float, *, is_sure: bool
) -> tuple[Notice, tuple[ChannelDelivery, ...]] | None:
    """Resolve or acknowledge by its key what no outbox knows of; None where no server does either.

    What Alertmanagers list has the key of its labels; PagerDuty finds it where a REST token lets us
    ask. Where `is_sure`, this machine has told nobody of it, and only servers that know keys are
    told of the end. Where it is not, for its records can't be read, whoever is told of such an
    alert hears of the end, and servers that know keys even of an alert that is found nowhere.
    """
    with lineup(settings) as opened:
        channels = _opened(opened)
        notice = _listed_with(key, channels)
        if notice is not None and not is_sure:
            told = channels_for(notice, settings)
        else:
            told = tuple(name for name, each in channels.items() if each.kind in _KEYED)
        if notice is None:
            # Nobody lists it: an Alertmanager has nothing to end, and others go by the key.
            told = tuple(name for name in told if channels[name].kind != "alertmanager")
            paged = _paged_with(key, channels)
            if not paged and (is_sure or not told):
                return None
            notice = next(iter(paged.values()), Notice(key, Severity.INFO, {}, datetime.now(UTC)))
            told = tuple(paged) if is_sure else told
        ends_at = datetime.now(UTC) if action is Action.RESOLVE else None
        message = Message(0, key, action, replace(notice, ends_at=ends_at), lasting_s=for_s)
        chosen = {
            name: channel
            for name, channel in channels.items()
            if name in told and (action is Action.RESOLVE or channel.traits.acknowledges)
        }
        return notice, tuple(_final(delivery) for delivery in tell(chosen, message))


def _opened(opened: Lineup) -> dict[str, Channel]:
    """Open what can be opened; the rest is a warning."""
    channels = {}
    for name in opened.settings.channels:
        # What can't be opened was told of when it was tried.
        with suppress(OperatorError):
            channels[name] = opened.channel(name)
    return channels


def _listed_with(key: str, channels: Mapping[str, Channel]) -> Notice | None:
    from x0tta_cli.alert.alertmanager.notices import notice_of
    from x0tta_cli.alert.channels.alertmanager import AlertmanagerPeers

    for channel in channels.values():
        if not isinstance(channel, AlertmanagerPeers):
            continue
        for peer in channel.peers():
            try:
                notices = [notice_of(alert) for alert in channel.peer(peer).alerts()]
            except OperatorError as error:
                log.warning("not asked", extra={"peer": peer, "reason": str(error)})
                continue
            for notice in notices:
                if notice.key() == key:
                    return notice
    return None


def _paged_with(key: str, channels: Mapping[str, Channel]) -> dict[str, Notice]:
    """Find the channels at whose PagerDuty an incident is open under a key, and what it says."""
    from x0tta_cli.alert.channels.pagerduty import PagerDuty

    found = {}
    for name, channel in channels.items():
        if not isinstance(channel, PagerDuty) or channel.incidents is None:
            continue
        try:
            incidents = channel.incidents.with_key(key)
        except OperatorError as error:
            log.warning("not asked", extra={"peer": name, "reason": str(error)})
            continue
        for incident in incidents:
            found[name] = Notice(incident.title, Severity.INFO, {}, incident.created_at)
    return found


def _final(delivery: ChannelDelivery) -> ChannelDelivery:
    """Say of what was not delivered that nothing will try it again."""
    is_waiting = delivery.state is DeliveryState.QUEUED
    return replace(delivery, state=DeliveryState.DEAD) if is_waiting else delivery


def _not_delivered(notice: Notice, failed: list[ChannelDelivery]) -> UnavailableError:
    said = [f"{each.channel} at {each.peer}: {each.detail or each.state}" for each in failed]
    return UnavailableError(
        "alert.not_delivered",
        f"The alert {notice.name} was not delivered.",
        reason="; ".join(said) or "No channel is configured.",
        fix="See whether the server is well: x0tta alert test. Then run the command again.",
        retryable=True,
        context={"alert": notice.name, "key": notice.key()},
    )
