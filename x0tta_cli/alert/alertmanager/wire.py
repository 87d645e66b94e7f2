"""How a notice is written for Alertmanager, and how what it lists is read.

Source: `api/v2/openapi.yaml` and `docs/alerts_api.md` of prometheus/alertmanager.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from x0tta_cli.alert.model import Action, Message
from x0tta_cli.core.notices import Notice
from x0tta_cli.core.times import format_instant

# Quoted for a URL it stays below the 8 KiB that nginx takes.
LONGEST_CHOICE = 2_500

_LEGAL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s]+")


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert as Alertmanager lists it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    state: str
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    receivers: tuple[str, ...]

    def standing(self) -> str:
        """Say in a few words why nobody is notified of it; empty where somebody is."""
        if self.silenced_by:
            return f"silenced by {', '.join(self.silenced_by)}"
        if self.inhibited_by:
            return f"inhibited by {', '.join(self.inhibited_by)}"
        return ""


def legal_labels(notice: Notice, severity: str | None = None) -> dict[str, str]:
    """Give the labels under which Alertmanager knows a notice, in names that it takes.

    Other signs than letters, digits and '_' become '_', and a name that is taken then gets a
    number; empty values are left out, as Alertmanager itself does. `severity` in place of the
    notice's own is for what was told before.
    """
    labels: dict[str, str] = {}
    for name, value in sorted(notice.labels.items()):
        if value and name not in {"alertname", "severity"}:
            labels[_free_name(_legal(name), labels)] = _valid(value)
    named = {"alertname": _valid(notice.name)} if notice.name else {}
    return {**named, "severity": severity or notice.severity.value, **labels}


def key_as_listed(notice: Notice) -> str:
    """Give the key that an alert has by the labels under which Alertmanager lists it."""
    labels = legal_labels(notice)
    name, _ = labels.pop("alertname", ""), labels.pop("severity")
    return replace(notice, name=name, labels=labels).key()


def renamed(notice: Notice) -> list[str]:
    """List the label names that had to be changed."""
    return sorted(name for name in notice.labels if not _LEGAL_NAME.fullmatch(name))


def annotations_of(notice: Notice) -> dict[str, str]:
    """Give a notice's annotations with its explanation and runbook among them."""
    told = notice.explanation
    parts = {
        "observed": "\n".join(told.observed),
        "inferred": "\n".join(told.inferred),
        "not_known": "\n".join(told.unknown),
        "runbook_url": notice.runbook_url,
    }
    said = {name: text for name, text in parts.items() if text}
    given = {_legal(name): _valid(text) for name, text in notice.annotations.items()}
    return {**said, **given}


def alert_of(
    message: Message, now: datetime, skew: timedelta, severity: str | None = None
) -> dict[str, object]:
    """Write a message as a member of POST /api/v2/alerts, both times always in it.

    `now` is this clock, `skew` by how much it is ahead of the server's and to be corrected. What
    is told as a time to come, by a machine whose clock is ahead, has begun by now.
    """
    notice = message.notice
    ends = _end(message, now)
    starts = min(notice.starts_at, now, ends)
    alert: dict[str, object] = {
        "labels": legal_labels(notice, severity),
        "annotations": annotations_of(notice),
        "startsAt": format_instant(starts - skew),
        "endsAt": format_instant(ends - skew),
    }
    if _URI.fullmatch(notice.source_url):
        alert["generatorURL"] = notice.source_url
    return alert


def has_ended(message: Message, now: datetime) -> bool:
    """Whether a message says that its alert is over."""
    ends_at = message.notice.ends_at
    return message.action is Action.RESOLVE or (ends_at is not None and ends_at <= now)


def matchers_for(labels: Sequence[Mapping[str, str]]) -> list[str]:
    """Write matchers that let through all these alerts and few others.

    What all have in common is asked for as it is, and of the other labels that all have the one
    with the most different values, which tells them apart best.
    """
    common = set.intersection(*(set(each) for each in labels)) or {"alertname"}
    values = {name: sorted({each[name] for each in labels}) for name in sorted(common)}
    matchers = [matcher(name, "=", each[0]) for name, each in values.items() if len(each) == 1]
    name = max(values, key=lambda key: len(values[key]))
    choice = "|".join(map(_escaped, values[name]))
    # A proxy refuses longer URLs; then more is listed than was asked for, and looked through here.
    if len(values[name]) > 1 and len(choice) <= LONGEST_CHOICE:
        matchers.append(matcher(name, "=~", choice))
    return matchers


def choice_of(name: str, values: Sequence[str]) -> str:
    """Write a matcher that lets any of these values through."""
    if len(values) == 1:
        return matcher(name, "=", values[0])
    return matcher(name, "=~", "|".join(map(_escaped, values)))


def matcher(name: str, operator: str, value: str) -> str:
    """Write one matcher; the value is quoted as in Go."""
    return f"{name}{operator}{json.dumps(value, ensure_ascii=False)}"


def listed(answer: Iterable[Mapping[str, Any]]) -> list[ListedAlert]:
    """Read what GET /api/v2/alerts gave; raises KeyError and ValueError for another form."""
    return [
        ListedAlert(
            labels=dict(alert["labels"]),
            annotations=dict(alert.get("annotations", {})),
            starts_at=datetime.fromisoformat(alert["startsAt"]),
            ends_at=datetime.fromisoformat(alert["endsAt"]),
            state=str(alert.get("status", {}).get("state", "active")),
            silenced_by=tuple(alert.get("status", {}).get("silencedBy") or ()),
            inhibited_by=tuple(alert.get("status", {}).get("inhibitedBy") or ()),
            receivers=tuple(receiver["name"] for receiver in alert.get("receivers", ())),
        )
        for alert in answer
    ]


def _end(message: Message, now: datetime) -> datetime:
    ends_at = message.notice.ends_at
    if message.action is Action.RESOLVE:
        # An end to come would keep it firing until then.
        return min(ends_at or now, now)
    return ends_at or now + timedelta(seconds=message.lasting_s)


def _legal(name: str) -> str:
    legal = re.sub(r"[^a-zA-Z0-9_]", "_", name) or "_"
    return f"_{legal}" if legal[0].isdigit() else legal


def _free_name(name: str, taken: Mapping[str, str]) -> str:
    free, number = name, 2
    while free in taken or free in {"alertname", "severity"}:
        free, number = f"{name}_{number}", number + 1
    return free


def _valid(text: str) -> str:
    # What is no Unicode would be stored as something else than was sent, and not found again.
    return text.encode("utf-8", "replace").decode()


def _escaped(value: str) -> str:
    """Escape a value for RE2, in which a backslash goes before any sign that is no word's."""
    return re.sub(r"([^\w\s]|_)", lambda found: _escape_sign(found[0]), value)


def _escape_sign(sign: str) -> str:
    return f"\\{sign}" if sign in r"\.+*?()|[]{}^$" else sign
