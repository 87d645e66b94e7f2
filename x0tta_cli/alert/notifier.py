"""Who takes the notices of every capability: through the outbox, so that none is lost."""

from __future__ import annotations

from x0tta_cli.alert.model import DELIVERED, ChannelDelivery, DeliveryState
from x0tta_cli.alert.outbox.delivery import Outbox, outbox
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Delivery, Notice

# How long a caller waits for channels; what takes longer is delivered by the next run.
PATIENCE_S = 10.0
_FURTHEST = (
    DeliveryState.ACKNOWLEDGED,
    DeliveryState.VISIBLE,
    DeliveryState.HANDED_ON,
    DeliveryState.ACCEPTED,
    DeliveryState.COLLAPSED,
    DeliveryState.QUEUED,
)


class OutboxNotifier:
    """Implements `core.notices.Notifier`: what it has taken is on the disk, and will be told."""

    def __init__(self, settings: AlertSettings, patience_s: float = PATIENCE_S) -> None:
        self._settings, self._patience_s = settings, patience_s

    def deliver(self, notice: Notice) -> Delivery:
        """Open the notice, or update the one with the same key.

        Raises ConfigurationError `alert.no_channel` and `alert.unknown_channel`, and what
        `journal.begin` raises.
        """
        channels_for(notice, self._settings)
        with outbox(self._settings) as opened:
            with opened.intake() as intake:
                number = intake.fire(notice)
            return self._told(opened, number)

    def resolve(self, notice: Notice) -> Delivery:
        """Close the notice with the same key; one that is not known is opened and closed.

        Raises as `deliver`.
        """
        from x0tta_cli.core.errors import NotFoundError

        channels_for(notice, self._settings)
        with outbox(self._settings) as opened:
            with opened.intake() as intake:
                try:
                    number = intake.resolve(notice.key(), notice.ends_at)
                except NotFoundError:
                    intake.fire(notice)
                    number = intake.resolve(notice.key(), notice.ends_at)
            return self._told(opened, number)

    def _told(self, opened: Outbox, number: int) -> Delivery:
        opened.deliver(self._patience_s)
        return summary_of(opened.outcome(number))


def summary_of(deliveries: list[ChannelDelivery]) -> Delivery:
    """Sum up what became of one message: the one that got furthest, and what has to wait."""
    ordered = sorted(
        deliveries,
        key=lambda each: _FURTHEST.index(each.state) if each.state in _FURTHEST else len(_FURTHEST),
    )
    if not ordered:
        return Delivery("none", "", DeliveryState.COLLAPSED.value, 0)
    first = ordered[0]
    waiting = [f"{each.channel}: {each.state}" for each in ordered if each.state not in DELIVERED]
    return Delivery(
        first.kind,
        first.peer,
        first.state.value,
        first.attempts,
        first.detail or ", ".join(waiting),
    )
