"""Silences at Alertmanagers, whose peers tell each other of them: each is made at one."""

from __future__ import annotations

import getpass
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from x0tta_cli.alert.alertmanager.api import Alertmanager, Silence
from x0tta_cli.alert.channels.alertmanager import AlertmanagerPeers
from x0tta_cli.alert.channels.protocol import ATTEMPT_S
from x0tta_cli.alert.results import SilencePlan, SilenceRow
from x0tta_cli.alert.settings import AlertmanagerChannel, AlertSettings
from x0tta_cli.core import journal
from x0tta_cli.core.errors import (
    ConfigurationError,
    NotFoundError,
    OperatorError,
    UnavailableError,
    UsageError,
)
from x0tta_cli.core.times import format_instant

log = logging.getLogger(__name__)

Result = TypeVar("Result")
LATELY = timedelta(days=1)
_MATCHER = re.compile(r"""([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*)""", re.DOTALL)


def add(
    matchers: Sequence[str],
    for_s: float,
    comment: str,
    channel: str | None,
    settings: AlertSettings,
    *,
    dry_run: bool,
) -> list[SilenceRow] | SilencePlan:
    """Make one silence, journaled; a journal that can't be used is a warning.

    Raises UsageError `alert.bad_matcher`, `alert.bad_silence` and `alert.which_channel`, and as
    `Alertmanager.post`.
    """
    name = _chosen(channel, settings)
    wanted = [_parsed(text) for text in matchers]
    if dry_run:
        return SilencePlan("silence", name, tuple(matchers))
    now = datetime.now(UTC)
    plan: dict[str, object] = {
        "channel": name,
        "matchers": wanted,
        "starts_at": format_instant(now),
        "ends_at": format_instant(now + timedelta(seconds=for_s)),
        "created_by": _user(),
        "comment": comment or "silenced by x0tta",
    }
    try:
        with journal.operation("alert.silence", plan) as operation:
            made = operation.once("silence", lambda: _make(operation.id, operation.plan, settings))
    except OperatorError as error:
        if not error.code.startswith(("journal.", "state.")):
            raise
        log.warning("the journal can't be used", extra={"reason": str(error)})
        made = _make("", plan, settings)
    return [row for row in listed(settings, every=True) if row.id == made["id"]]


def resume(operation: journal.Operation, settings: AlertSettings) -> None:
    """Make the silence of an interrupted operation, unless it is there already; raises as `add`."""
    operation.once("silence", lambda: _make(operation.id, operation.plan, settings))


def listed(settings: AlertSettings, *, every: bool) -> list[SilenceRow]:
    """List silences: active and pending ones, those that ran out within a day, or all."""
    rows = []
    oldest = datetime.now(UTC) - LATELY
    for name in _alertmanagers(settings):
        silences, alerts = _at_one_peer(
            name, settings, lambda peer: (peer.silences(), peer.alerts())
        )
        for silence in silences:
            if every or silence.state != "expired" or silence.ends_at >= oldest:
                matching = sum(silence.id in alert.silenced_by for alert in alerts)
                rows.append(_row(silence, name, matching))
    return sorted(rows, key=lambda row: (row.state == "expired", row.ends_at))


def expire(
    identifier: str, settings: AlertSettings, *, dry_run: bool
) -> list[SilenceRow] | SilencePlan:
    """End a silence; raises NotFoundError `alert.unknown_silence`, and as `add`."""
    found = next((row for row in listed(settings, every=True) if row.id == identifier), None)
    if found is None:
        raise NotFoundError(
            "alert.unknown_silence",
            f"There is no silence '{identifier}'.",
            reason=f"Asked were {', '.join(_alertmanagers(settings)) or 'no channels'}.",
            fix="x0tta alert silence list",
        )
    if dry_run:
        return SilencePlan("end the silence", found.channel, found.matchers)
    _at_one_peer(found.channel, settings, lambda peer: peer.expire_silence(identifier))
    return [row for row in listed(settings, every=True) if row.id == identifier]


def _make(operation: str, plan: Mapping[str, Any], settings: AlertSettings) -> Mapping[str, object]:
    # The operation's id in the comment tells a silence that was made before a kill.
    comment = f"{plan['comment']} ({operation})" if operation else plan["comment"]

    def make(peer: Alertmanager) -> str:
        correction = peer.correction
        if correction:
            log.warning(
                "the clocks differ, the times were corrected",
                extra={"peer": peer.url, "ahead_s": round(correction.total_seconds())},
            )
        made = [each.id for each in peer.silences() if each.comment == comment]
        return (
            made[0]
            if made and operation
            else peer.silence(
                {
                    "matchers": plan["matchers"],
                    "startsAt": _corrected(plan["starts_at"], correction),
                    "endsAt": _corrected(plan["ends_at"], correction),
                    "createdBy": plan["created_by"],
                    "comment": comment,
                }
            )
        )

    return {"id": _at_one_peer(plan["channel"], settings, make)}


def _corrected(instant: str, correction: timedelta) -> str:
    """Write an instant of this clock as one of the server's."""
    return format_instant(datetime.fromisoformat(instant) - correction)


def _at_one_peer(
    name: str, settings: AlertSettings, act: Callable[[Alertmanager], Result]
) -> Result:
    """Do something at the first peer that answers; raises what the last one said."""
    known = _alertmanagers(settings)
    if name not in known:
        raise _unknown_channel(name, known)
    with closing(AlertmanagerPeers(name, known[name], ATTEMPT_S)) as channel:
        peers = channel.peers()
        for peer in peers[:-1]:
            try:
                return act(channel.peer(peer))
            except UnavailableError as error:
                log.warning("not asked", extra={"peer": peer, "reason": str(error)})
        return act(channel.peer(peers[-1]))


def _alertmanagers(settings: AlertSettings) -> dict[str, AlertmanagerChannel]:
    return {
        name: channel
        for name, channel in settings.channels.items()
        if isinstance(channel, AlertmanagerChannel)
    }


def _chosen(channel: str | None, settings: AlertSettings) -> str:
    known = _alertmanagers(settings)
    if channel is not None:
        if channel not in known:
            raise _unknown_channel(channel, known)
        return channel
    if not known:
        raise _unknown_channel("", known)
    if len(known) > 1:
        raise UsageError(
            "alert.which_channel",
            "Several channels are Alertmanagers.",
            reason=f"They are {', '.join(known)}.",
            fix=f"--channel {next(iter(known))}",
        )
    return next(iter(known))


def _unknown_channel(name: str, known: Mapping[str, object]) -> ConfigurationError:
    quoted = f"'{name}' " if name else ""
    return ConfigurationError(
        "alert.unknown_channel",
        f"There is no channel {quoted}of the kind alertmanager.",
        reason=f"There are {', '.join(known) or 'none at all'}.",
        fix=f"Configure [alert.channels.{name or 'am'}].",
        context={"channel": name},
    )


def _parsed(text: str) -> dict[str, object]:
    found = _MATCHER.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            "alert.bad_matcher",
            f"'{text}' is no matcher.",
            reason="A label's name, one of = != =~ !~, and a value have to follow each other.",
            fix="x0tta alert silence add alertname=HighLatency component=~'cart|shop'",
        )
    name, operator, value = found.groups()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return {
        "name": name,
        "value": value,
        "isRegex": operator.endswith("~"),
        "isEqual": not operator.startswith("!"),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "x0tta"


def _row(silence: Silence, channel: str, matching: int) -> SilenceRow:
    return SilenceRow(
        id=silence.id,
        channel=channel,
        state=silence.state,
        matchers=silence.matchers,
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        matching=matching,
        created_by=silence.created_by,
        comment=silence.comment,
    )
