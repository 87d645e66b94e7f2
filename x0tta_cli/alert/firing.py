"""What is open, there and here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.alertmanager.notices import notice_of
from x0tta_cli.alert.channels.alertmanager import AlertmanagerPeers
from x0tta_cli.alert.model import Incident
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.lineup import Lineup, lineup
from x0tta_cli.alert.results import OpenAlert
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import OperatorError

if TYPE_CHECKING:
    from x0tta_cli.alert.channels.pagerduty_incidents import Incidents

log = logging.getLogger(__name__)

HERE = "this machine"
# Each takes a request more, of the 960 in a minute that PagerDuty grants.
MAX_LOOKED_INTO = 100


def open_alerts(settings: AlertSettings) -> list[OpenAlert]:
    """List what each Alertmanager holds, what is open at PagerDuty, then what was sent from here.

    PagerDuty tells whoever has a REST token. A server that can't be asked is a warning, unless none
    can. Raises as `Alertmanager.alerts` and `Incidents.open`.
    """
    found: list[OpenAlert] = []
    errors: list[OperatorError] = []
    ours = listing.incidents()
    with lineup(settings) as opened:
        asked = list(_to_ask(opened, _keys(ours)))
        for at, look in asked:
            try:
                found += look()
            except OperatorError as error:
                errors.append(error)
                log.warning("not asked", extra={"peer": at, "reason": str(error)})
    if errors and len(errors) == len(asked):
        raise errors[0]
    return found + [
        OpenAlert(
            key=incident.key,
            name=incident.notice.name,
            severity=incident.notice.severity.value,
            state=incident.state.value,
            at=HERE,
            since=incident.notice.starts_at,
            count=incident.count,
            labels=dict(incident.notice.labels),
            detail="",
        )
        for incident in ours
    ]


def _keys(incidents: Sequence[Incident]) -> dict[frozenset[tuple[str, str]], str]:
    """Give the keys of what was sent from here by the labels that Alertmanagers know it by.

    A key of the operator's own, and one over names that had to be made legal, can't be read off
    them.
    """
    return {
        frozenset(wire.legal_labels(incident.notice).items()): incident.key
        for incident in incidents
    }


def _to_ask(
    opened: Lineup, keys: Mapping[frozenset[tuple[str, str]], str]
) -> Iterator[tuple[str, Callable[[], list[OpenAlert]]]]:
    """Give each server that can list what is open, with how to ask it."""
    for name, settings in opened.settings.channels.items():
        if settings.kind == "alertmanager":
            peers = opened.channel(name)
            if isinstance(peers, AlertmanagerPeers):
                for peer in peers.peers():
                    yield peer, partial(_listed_at, peers, peer, keys)
        elif settings.kind == "pagerduty" and settings.rest_token is not None:
            from x0tta_cli.alert.channels.pagerduty import PagerDuty

            pagerduty = opened.channel(name)
            if isinstance(pagerduty, PagerDuty) and pagerduty.incidents is not None:
                yield pagerduty.incidents.base_url, partial(_incidents_at, pagerduty.incidents)


def _incidents_at(incidents: Incidents) -> list[OpenAlert]:
    rows = []
    for number, incident in enumerate(incidents.open()):
        # What has child alerts has no key of its own (api-reference, list incidents).
        alerts = incidents.alerts(incident) if number < MAX_LOOKED_INTO else []
        still_open = [alert for alert in alerts if alert.is_open] or alerts
        keys = [alert.key for alert in still_open] or [incident.key]
        severities = [alert.severity for alert in still_open]
        assigned = f", assigned to {', '.join(who)}" if (who := incident.assigned_to) else ""
        rows.append(
            OpenAlert(
                key=", ".join(filter(None, keys)),
                name=incident.title,
                severity=next(filter(None, severities), ""),
                state=incident.status,
                at=incidents.base_url,
                since=incident.created_at,
                count=max(1, len(still_open)),
                labels={"service": incident.service, "urgency": incident.urgency},
                detail=f"incident {incident.number}{assigned}, {incident.url}",
            )
        )
    return rows


def _listed_at(
    channel: AlertmanagerPeers, peer: str, keys: Mapping[frozenset[tuple[str, str]], str]
) -> list[OpenAlert]:
    rows = []
    for alert in channel.peer(peer).alerts():
        notice = notice_of(alert)
        rows.append(
            OpenAlert(
                key=keys.get(frozenset(alert.labels.items())) or notice.key(),
                name=notice.name,
                severity=alert.labels.get("severity", ""),
                state=alert.state,
                at=peer,
                since=alert.starts_at,
                count=1,
                labels=dict(alert.labels),
                detail=alert.standing(),
            )
        )
    return rows
