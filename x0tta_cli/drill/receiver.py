"""A receiver of alerts on loopback that speaks Alertmanager's API v2.

It takes what a real Alertmanager takes and refuses what that refuses, so that a drill shows the
whole way of an alert on a machine without one. Alerts live in memory, for as long as it runs.

Source: the OpenAPI document `api/v2/openapi.yaml` of prometheus/alertmanager, and the behaviour of
release 0.25 where that document is silent: labels with an empty value are dropped, a batch with
one bad alert stores the good ones and answers 400, and of two posts of one alert the earliest
start and the newest annotations win.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from x0tta_cli.core.listener import Answer, Request, listen
from x0tta_cli.core.times import format_instant

RESOLVE_TIMEOUT = timedelta(minutes=5)
LARGEST_BODY_BYTES = 8 * 1024 * 1024
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class RefusedAlertError(ValueError):
    """An alert that Alertmanager would not take; `status` is its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """One alert as Alertmanager keeps it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    generator_url: str

    @property
    def fingerprint(self) -> str:
        """Identity of the alert: its labels alone."""
        text = json.dumps(sorted(self.labels.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def merged_over(self, older: ReceivedAlert) -> ReceivedAlert:
        """Make one alert of the two: the earliest start wins, else the newest word."""
        return replace(self, starts_at=min(self.starts_at, older.starts_at))

    def as_gettable(self) -> dict[str, object]:
        """Give the alert in the form of `GET /api/v2/alerts` (gettableAlert)."""
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": format_instant(self.starts_at),
            "endsAt": format_instant(self.ends_at),
            "updatedAt": format_instant(self.updated_at),
            "generatorURL": self.generator_url,
            "fingerprint": self.fingerprint,
            "receivers": [{"name": "drill"}],
            "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        }


class Receiver:
    """The alerts that were posted, and the address to post to."""

    def __init__(self) -> None:
        self.base_url = ""
        self._alerts: dict[str, ReceivedAlert] = {}
        self._lock = Lock()
        self._started_at = datetime.now(UTC)

    def accept(self, posted: object) -> None:
        """Store a batch; raises `RefusedAlertError` for the first bad alert, the good ones stay."""
        if not isinstance(posted, list):
            raise RefusedAlertError(400, "the body is no array of alerts")
        refusal: RefusedAlertError | None = None
        for item in posted:
            try:
                alert = parse_alert(item, now=datetime.now(UTC))
            except RefusedAlertError as error:
                refusal = refusal or error
            else:
                self._store(alert)
        if refusal:
            raise refusal

    def active(self) -> list[ReceivedAlert]:
        """List the alerts that have not ended."""
        now = datetime.now(UTC)
        with self._lock:
            return [alert for alert in self._alerts.values() if alert.ends_at > now]

    def answer(self, request: Request) -> Answer:
        """Answer one request as Alertmanager does."""
        if request.method == "POST" and request.path == "/api/v2/alerts":
            return self._posted(request)
        if request.path in {"/-/healthy", "/-/ready"}:
            return Answer(body=b"OK")
        if request.path == "/api/v2/alerts":
            return _json(200, [alert.as_gettable() for alert in self.active()])
        if request.path == "/api/v2/status":
            return _json(200, self._status())
        return _json(404, f"path {request.path} was not found")

    def _posted(self, request: Request) -> Answer:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            return _json(415, "unsupported media type, only application/json is taken")
        try:
            self.accept(json.loads(request.body))
        except RefusedAlertError as error:
            return _json(error.status, str(error))
        except (ValueError, RecursionError) as error:
            return _json(400, f"the body is no JSON: {error}")
        return Answer(content_type="application/json")

    def _status(self) -> dict[str, object]:
        return {
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": "route:\n  receiver: drill\nreceivers:\n- name: drill\n"},
            "uptime": format_instant(self._started_at),
            "versionInfo": {"version": "x0tta drill receiver"},
        }

    def _store(self, alert: ReceivedAlert) -> None:
        with self._lock:
            older = self._alerts.get(alert.fingerprint)
            if older is not None and older.ends_at > alert.updated_at:
                alert = alert.merged_over(older)
            self._alerts[alert.fingerprint] = alert


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Serve on a free port of 127.0.0.1 for as long as the block runs."""
    receiver = Receiver()
    with listen("127.0.0.1:0", receiver.answer, max_body_bytes=LARGEST_BODY_BYTES) as listener:
        receiver.base_url = listener.url
        yield receiver


def parse_alert(posted: object, *, now: datetime) -> ReceivedAlert:
    """Read one postableAlert; raises `RefusedAlertError` as Alertmanager refuses."""
    if not isinstance(posted, dict):
        raise RefusedAlertError(400, "an alert is an object")
    labels = {
        name: value for name, value in _strings(posted, "labels", required=True).items() if value
    }
    if not labels:
        raise RefusedAlertError(400, "at least one label pair required")
    for name in labels:
        if not LABEL_NAME.fullmatch(name):
            raise RefusedAlertError(400, f"invalid label name {name!r}")
    url = posted.get("generatorURL", "")
    if not isinstance(url, str) or (url and not urlsplit(url).scheme):
        raise RefusedAlertError(422, f"generatorURL must be of type uri: {url!r}")
    starts_at, ends_at = _span(posted, now)
    return ReceivedAlert(labels, _strings(posted, "annotations"), starts_at, ends_at, now, url)


def _span(posted: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    start, end = _instant(posted, "startsAt"), _instant(posted, "endsAt")
    starts_at = start or end or now
    ends_at = end or now + RESOLVE_TIMEOUT
    if ends_at < starts_at:
        raise RefusedAlertError(400, "start time must be before end time")
    return starts_at, ends_at


def _instant(posted: Mapping[str, Any], field: str) -> datetime | None:
    value = posted.get(field)
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise RefusedAlertError(400, f"{field} is no RFC 3339 instant: {value!r}") from None
    if instant.tzinfo is None:
        raise RefusedAlertError(400, f"{field} has no offset: {value!r}")
    return instant


def _strings(posted: Mapping[str, Any], field: str, *, required: bool = False) -> dict[str, str]:
    pairs = posted.get(field)
    if pairs is None and not required:
        return {}
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise RefusedAlertError(400, f"{field} is no object of strings")
    return pairs


def _json(status: int, content: object) -> Answer:
    return Answer(status, json.dumps(content).encode(), "application/json")
