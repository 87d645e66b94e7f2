"""Reads what Alertmanager's webhook receiver sends.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config (version 4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from x0tta_cli.alert.alertmanager.notices import severity_of
from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.notices import Notice

# The last two: lists within lists without end, and dates beyond the calendar.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True)
class Received:
    """One alert of a notification."""

    notice: Notice
    is_firing: bool


def read(body: bytes) -> list[Received]:
    """Read a notification; raises UsageError `alert.bad_webhook`."""
    try:
        payload = json.loads(body)
        return [_received(alert) for alert in payload["alerts"]]
    except _UNREADABLE as error:
        raise UsageError(
            "alert.bad_webhook",
            "What was posted is no notification of Alertmanager.",
            reason=f"Reading it: {type(error).__name__}: {error}.",
            fix="Point a webhook_config of Alertmanager at this address, and nothing else.",
        ) from error


def _received(alert: Mapping[str, Any]) -> Received:
    if alert["status"] not in {"firing", "resolved"}:
        raise ValueError(f"the status {alert['status']!r} is unknown")
    is_firing = alert["status"] == "firing"
    labels = {str(name): str(value) for name, value in alert["labels"].items()}
    told = alert.get("annotations") or {}
    annotations = {str(name): str(text) for name, text in told.items()}
    return Received(
        Notice(
            name=labels.pop("alertname", "") or "unnamed",
            severity=severity_of(labels.pop("severity", "")),
            labels=labels,
            annotations=annotations,
            starts_at=_instant(alert["startsAt"]),
            ends_at=None if is_firing else _instant(alert["endsAt"]),
            source_url=str(alert.get("generatorURL") or ""),
            runbook_url=annotations.get("runbook_url", ""),
        ),
        is_firing,
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
