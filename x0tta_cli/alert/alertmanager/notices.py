"""What Alertmanagers list, as notices with their keys."""

from __future__ import annotations

from x0tta_cli.alert.alertmanager.wire import ListedAlert
from x0tta_cli.alert.channels.alertmanager import AlertmanagerPeers
from x0tta_cli.core.notices import Notice, Severity

# Words that other rules use for the four severities; what is none of them is informative.
SEVERITIES = {
    "critical": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "error": Severity.ERROR,
    "high": Severity.ERROR,
    "major": Severity.ERROR,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "minor": Severity.WARNING,
}


def severity_of(label: str) -> Severity:
    """Read the label `severity`, whatever words the rules use."""
    return SEVERITIES.get(label.lower(), Severity.INFO)


def notice_of(alert: ListedAlert) -> Notice:
    """Read an alert as a notice; its key is the one under which it was sent from here."""
    labels = dict(alert.labels)
    return Notice(
        name=labels.pop("alertname", ""),
        severity=severity_of(labels.pop("severity", "")),
        labels=labels,
        annotations=alert.annotations,
        starts_at=alert.starts_at,
    )


def notices_with_key(channel: AlertmanagerPeers, key: str) -> list[Notice]:
    """Find the alerts with a key at all peers of a channel; raises as `Alertmanager.alerts`."""
    found = [notice_of(alert) for peer in channel.peers() for alert in channel.peer(peer).alerts()]
    return [notice for notice in found if notice.key() == key]
