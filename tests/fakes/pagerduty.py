"""A wire-level fake of PagerDuty on a real socket: the Events API v2, and what REST reads back.

    with running_pagerduty() as pagerduty:
        ...                                  # events go to pagerduty.base_url + "/v2/enqueue"
        assert [alert.key for alert in pagerduty.open_alerts()] == ["disk-full"]

It follows PagerDuty/developer-docs: docs/events-API-v2/01-Overview.md, 02-Trigger-Events.md and
05-Rate-Limits.md, docs/REST-API/02-Authentication.md, 04-Rate-Limits.md, 09-Pagination.md and
14-Errors.md; for REST's objects developer.pagerduty.com/api-reference; for words of refusal
envato/pagerduty#70 and blockpane/tenderduty#10. As the real one does, it answers 202 to whatever
has the right form, and drops afterwards what ends or acknowledges an alert that it does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import Any

from fakes.http_server import Answer, Request, json_answer, serving

# 32 signs, of which a scan for secrets finds the first.
ROUTING_KEY = "hunter2pagerduty0123456789abcdef"
REST_TOKEN = "hunter2-rest-0123456789abcdef"
MAX_KEY, MAX_SUMMARY, MAX_BYTES = 255, 1024, 512 * 1024
SEVERITIES = ("critical", "error", "warning", "info")
ACTIONS = ("trigger", "acknowledge", "resolve")
MAX_PAGE, DEFAULT_PAGE = 100, 25


@dataclass
class Alert:
    """What a trigger has opened; `events` are all that were applied to it, the first among them."""

    key: str
    routing_key: str
    number: int
    events: list[dict[str, Any]] = field(default_factory=list)
    status: str = "triggered"
    opened_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def actions(self) -> list[str]:
        return [event["event_action"] for event in self.events]


class PagerDuty:
    """One account with the services of `routing_keys`.

    Each alert has an incident of its own, unless `groups` is set: then all open ones of a service
    are in one. `shows_keys` is whether an incident has its alert's key. `on_event` is called with
    each event that was taken, before the 202 leaves. `hides` drops every event after its 202, as an
    event rule or a service that is disabled does.
    """

    def __init__(self, routing_keys: tuple[str, ...], rest_token: str) -> None:
        self.routing_keys, self.rest_token, self.base_url = routing_keys, rest_token, ""
        self.alerts: list[Alert] = []
        self.events: list[dict[str, Any]] = []
        self.dropped: list[dict[str, Any]] = []
        self.groups, self.shows_keys, self.hides = False, True, False
        self.looks_before_shown = 0
        self.on_event: Callable[[dict[str, Any]], None] = lambda event: None
        self.on_request: Callable[[Request], Answer | None] = lambda request: None
        self._failures: list[tuple[int, Answer]] = []
        self._numbers = count(1)
        self._lock = RLock()

    def open_alerts(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.status != "resolved"]

    def fail(self, status: int, *, times: int = 1, **headers: str) -> None:
        """Give the next events this status."""
        said = {"status": "throttle exceeded" if status == 429 else "error", "message": "try later"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._failures += [(status, json_answer(status, said, **named))] * times

    def answer(self, request: Request) -> Answer:
        interfering = self.on_request(request)
        if interfering is not None:
            return interfering
        if request.path == "/v2/enqueue":
            if request.method != "POST":
                return Answer(405)
            return self._enqueue(request)
        return self._rest(request)

    def _enqueue(self, request: Request) -> Answer:
        with self._lock:
            if self._failures:
                return self._failures.pop(0)[1]
            try:
                event = json.loads(request.body)
            except ValueError:
                return _invalid("Invalid JSON")
            errors = [*faults_of(event, len(request.body))]
            if errors:
                return _invalid(*errors)
            if event["routing_key"] not in self.routing_keys:
                return _invalid("Invalid routing key")
            key = event.setdefault("dedup_key", f"generated-{len(self.events)}")
            self.events.append(event)
            self._apply(event)
        self.on_event(event)
        taken = {"status": "success", "message": "Event processed", "dedup_key": key}
        return json_answer(202, taken)

    def _apply(self, event: dict[str, Any]) -> None:
        found = next(
            (
                alert
                for alert in self.open_alerts()
                if (alert.key, alert.routing_key) == (event["dedup_key"], event["routing_key"])
            ),
            None,
        )
        action = event["event_action"]
        if self.hides or (found is None and action != "trigger"):
            self.dropped.append(event)
            return
        if found is None:
            found = Alert(event["dedup_key"], event["routing_key"], next(self._numbers))
            self.alerts.append(found)
        found.events.append(event)
        found.status = {"acknowledge": "acknowledged", "resolve": "resolved"}.get(
            action, found.status
        )

    # The REST API.

    def _rest(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Token token={self.rest_token}":
            return _rest_error(401, 2006, "Authentication failed")
        if request.headers.get("accept") != "application/vnd.pagerduty+json;version=2":
            return _rest_error(400, 2001, "Invalid Input Provided")
        with self._lock:
            if request.path == "/incidents":
                return self._list_incidents(request)
            found = re.fullmatch(r"/incidents/Q(\d+)/alerts", request.path)
            if found is None:
                return _rest_error(404, 2100, "Not Found")
            members = self._incidents().get(int(found[1]), [])
            return json_answer(200, {"alerts": [_alert_object(each) for each in members]})

    def _list_incidents(self, request: Request) -> Answer:
        statuses = [value for name, value in request.pairs if name == "statuses[]"]
        key = request.query.get("incident_key")
        limit = min(MAX_PAGE, int(request.query.get("limit", DEFAULT_PAGE)))
        offset = int(request.query.get("offset", 0))
        if offset + limit > 10_000 + MAX_PAGE:
            return _rest_error(400, 2001, "Invalid Input Provided")
        if self.looks_before_shown > 0:
            self.looks_before_shown -= 1
            return json_answer(200, _page([], limit, offset))
        shown = [
            self._incident_object(number, members)
            for number, members in self._incidents().items()
            if key is None or any(alert.key == key for alert in members)
        ]
        shown = [each for each in shown if not statuses or each["status"] in statuses]
        return json_answer(200, _page(shown, limit, offset))

    def _incidents(self) -> dict[int, list[Alert]]:
        incidents: dict[int, list[Alert]] = {}
        for alert in self.alerts:
            number = alert.number
            if self.groups:
                number = next(each.number for each in self.alerts)
            incidents.setdefault(number, []).append(alert)
        return incidents

    def _incident_object(self, number: int, members: list[Alert]) -> dict[str, Any]:
        states = {alert.status for alert in members}
        status = next(each for each in ("triggered", "acknowledged", "resolved") if each in states)
        first = members[0]
        assigned = [] if status == "resolved" else [{"assignee": {"summary": "Ada"}}]
        return {
            "id": f"Q{number}",
            "type": "incident",
            "incident_number": number,
            "title": first.events[0]["payload"]["summary"],
            "status": status,
            "urgency": "high",
            "incident_key": first.key if self.shows_keys and len(members) == 1 else None,
            "service": {"id": "PSVC", "type": "service_reference", "summary": "Mesh"},
            "assignments": assigned,
            "created_at": first.opened_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "html_url": f"https://example.pagerduty.com/incidents/Q{number}",
        }


@contextmanager
def running_pagerduty(*routing_keys: str, rest_token: str = REST_TOKEN) -> Iterator[PagerDuty]:
    """Serve both APIs on one free port of 127.0.0.1."""
    pagerduty = PagerDuty(routing_keys or (ROUTING_KEY,), rest_token)
    with serving(pagerduty.answer) as pagerduty.base_url:
        yield pagerduty


def faults_of(event: Any, size_bytes: int) -> Iterator[str]:
    """Say what is wrong with the form of an event."""
    if not isinstance(event, dict):
        yield "Event object is not an object"
        return
    if size_bytes > MAX_BYTES:
        yield "Event object is too large (at most 512 KB)"
    yield from _faults_of_routing_key(event.get("routing_key"))
    yield from _faults_of_action(event)
    if event.get("event_action") == "trigger" or "payload" in event:
        yield from _faults_of_payload(event.get("payload"))
    for image in event.get("images") or ():
        if not str(image.get("src", "")).startswith("https://"):
            yield "'images.src' is invalid (must be served via HTTPS)"
    for link in event.get("links") or ():
        if not link.get("href"):
            yield "'links.href' is missing or blank"


def _faults_of_routing_key(routing_key: Any) -> Iterator[str]:
    if not isinstance(routing_key, str):
        yield "'routing_key' is missing or blank"
    else:
        if len(routing_key) != 32:
            yield "Length of 'routing_key' is incorrect (should be 32 characters)"
        if not routing_key.isalnum():
            yield "'routing_key' cannot contain non-alphanumeric characters."


def _faults_of_action(event: dict[str, Any]) -> Iterator[str]:
    action = event.get("event_action")
    if action not in ACTIONS:
        yield f"'event_action' is invalid (must be one of {', '.join(ACTIONS)})"
    key = event.get("dedup_key")
    if key is None and action != "trigger":
        yield "'dedup_key' is missing or blank"
    if key is not None and (not isinstance(key, str) or not 0 < len(key) <= MAX_KEY):
        yield f"'dedup_key' is invalid (must be a string with a maximum length of {MAX_KEY})"


def _faults_of_payload(payload: Any) -> Iterator[str]:
    if not isinstance(payload, dict):
        yield "'payload' is missing or blank"
        return
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            yield f"'payload.{name}' is missing or blank"
    if len(str(payload.get("summary", ""))) > MAX_SUMMARY:
        yield f"'payload.summary' is too long (at most {MAX_SUMMARY} characters)"
    if payload.get("severity") not in SEVERITIES:
        yield f"'payload.severity' is invalid (must be one of {', '.join(SEVERITIES)})"
    if "timestamp" in payload:
        try:
            datetime.fromisoformat(payload["timestamp"])
        except (TypeError, ValueError):
            yield "'payload.timestamp' is invalid (must be in ISO 8601)"
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is invalid (must be an object)"


def _alert_object(alert: Alert) -> dict[str, Any]:
    return {
        "id": f"A{alert.number}",
        "type": "alert",
        "alert_key": alert.key,
        "status": "resolved" if alert.status == "resolved" else "triggered",
        "severity": alert.events[-1].get("payload", {}).get("severity"),
    }


def _page(shown: list[dict[str, Any]], limit: int, offset: int) -> dict[str, Any]:
    return {
        "incidents": shown[offset : offset + limit],
        "limit": limit,
        "offset": offset,
        "more": offset + limit < len(shown),
        "total": None,
    }


def _invalid(*errors: str) -> Answer:
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": [*errors]}
    return json_answer(400, said)


def _rest_error(status: int, code: int, message: str) -> Answer:
    return json_answer(status, {"error": {"message": message, "code": code, "errors": []}})
