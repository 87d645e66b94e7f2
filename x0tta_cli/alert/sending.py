"""Sends, resolves and acknowledges alerts: the verbs of the command line, as a library."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from x0tta_cli.alert import usable
from x0tta_cli.alert.model import Action
from x0tta_cli.alert.notifier import PATIENCE_S
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox, outbox
from x0tta_cli.alert.outbox.intake import Intake
from x0tta_cli.alert.results import Plan, Sent
from x0tta_cli.alert.routing import channels_for
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import NotFoundError, OperatorError
from x0tta_cli.core.notices import Notice

log = logging.getLogger(__name__)

_BROKEN_JOURNAL = ("journal.", "state.")


def send(
    notice: Notice,
    settings: AlertSettings,
    *,
    key: str | None = None,
    lasting_s: float | None = None,
    patience_s: float = PATIENCE_S,
) -> Sent:
    """Open or update an alert; it is on the disk before anybody is told.

    Where the settings name no channel it is kept until they do. Raises ConfigurationError
    `alert.unknown_channel`, and what `journal.begin` raises.
    """
    lease_s = lasting_s or settings.lasting.total_seconds()
    sent = _through_outbox(
        Action.FIRE,
        settings,
        lambda intake: intake.fire(notice, key=key, lasting_s=lasting_s),
        key or notice.key(),
        patience_s,
    )
    has_lease = any(delivery.kind == "alertmanager" for delivery in sent.deliveries)
    ends_at = datetime.fromtimestamp(time.time() + lease_s, UTC)
    return replace(sent, lease_ends_at=(notice.ends_at or ends_at) if has_lease else None)


def plan_to_send(notice: Notice, settings: AlertSettings, key: str | None = None) -> Plan:
    """Tell who would be told; raises as `channels_for`."""
    return Plan(
        key or notice.key(),
        notice.name,
        notice.severity.value,
        Action.FIRE,
        channels_for(notice, settings),
    )


def plan_to_end(key: str, action: Action, settings: AlertSettings) -> Plan:
    """Tell who would be told that an alert is over or taken care of; raises as `resolve`."""
    notice = _known(key)
    return Plan(key, notice.name, notice.severity.value, action, channels_for(notice, settings))


def resolve(
    key: str,
    settings: AlertSettings,
    patience_s: float = PATIENCE_S,
    annotations: Mapping[str, str] = {},
) -> Sent:
    """Close an alert everywhere, with the labels and annotations that it was opened with.

    `annotations` are added to them. Where the journal can't be used, or another machine has opened
    it, the alert is looked for at the Alertmanagers, and every server that knows the key is told at
    once. Raises NotFoundError `alert.unknown_key`.
    """
    return _end(
        Action.RESOLVE,
        key,
        settings,
        lambda intake: intake.resolve(key, annotations=annotations),
        patience_s,
    )


def acknowledge(
    key: str, for_s: float, settings: AlertSettings, patience_s: float = PATIENCE_S
) -> Sent:
    """Tell whoever can know it that an alert is taken care of; raises as `resolve`."""
    return _end(
        Action.ACKNOWLEDGE,
        key,
        settings,
        lambda intake: intake.acknowledge(key, for_s),
        patience_s,
        for_s,
    )


def is_about_the_journal(error: OperatorError) -> bool:
    """Whether it says that nothing can be written down here, not that somebody can't be told."""
    return error.code.startswith(_BROKEN_JOURNAL)


def _end(  # noqa: PLR0917 - what both ends of an alert need
    action: Action,
    key: str,
    settings: AlertSettings,
    take_in: Callable[[Intake], int],
    patience_s: float,
    for_s: float = 0.0,
) -> Sent:
    try:
        return _through_outbox(action, settings, take_in, key, patience_s)
    except OperatorError as error:
        return _without_outbox(error, action, key, settings, for_s)


def _through_outbox(
    action: Action,
    settings: AlertSettings,
    take_in: Callable[[Intake], int],
    key: str,
    patience_s: float,
) -> Sent:
    with outbox(settings) as opened:
        with opened.intake() as intake:
            number = take_in(intake)
        _deliver(opened, number, patience_s)
        if not settings.channels:
            usable.say_that_it_is_kept()
        notice = _known(key)
        return Sent(
            key,
            notice.name,
            notice.severity.value,
            action,
            tuple(opened.outcome(number)),
            warnings=tuple(dict.fromkeys(opened.warnings)),
        )


def _deliver(opened: Outbox, number: int, patience_s: float) -> None:
    channels = {delivery.channel for delivery in opened.outcome(number)}
    opened.deliver(patience_s, channels)


def _known(key: str) -> Notice:
    found = listing.incident(key)
    if found is None:
        raise _unknown_key(key)
    return found.notice


def _without_outbox(
    error: OperatorError, action: Action, key: str, settings: AlertSettings, for_s: float
) -> Sent:
    """Go on without the outbox, where that is what it failed for; raises the error elsewhere."""
    from x0tta_cli.alert.direct import end

    if is_about_the_journal(error):
        log.warning("the outbox can't be used", extra={"reason": str(error), "fix": error.fix})
    elif not isinstance(error, NotFoundError):
        raise error
    if not settings.channels:
        # Nobody can be asked either.
        raise error
    found = end(action, key, settings, for_s, is_sure=isinstance(error, NotFoundError))
    if found is None:
        raise _unknown_key(key) from error
    notice, deliveries = found
    return Sent(key, notice.name, notice.severity.value, action, deliveries)


def _unknown_key(key: str) -> NotFoundError:
    return NotFoundError(
        "alert.unknown_key",
        f"No alert has the key '{key}'.",
        reason="Neither this machine's outbox nor an Alertmanager has it.",
        fix="x0tta alert list shows the keys.",
        context={"key": key},
    )
