"""What PagerDuty's REST API tells of incidents: whether what was accepted has come to anything.

Sources: PagerDuty/developer-docs, docs/REST-API/02-Authentication.md, 09-Pagination.md and
14-Errors.md; developer.pagerduty.com/api-reference (list incidents, list alerts for an incident).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from x0tta_cli.core import secrets
from x0tta_cli.core.errors import NotPermittedError, OperatorError, UnavailableError
from x0tta_cli.core.http import Client, Response
from x0tta_cli.core.text import escape

PAGE, MAX_LISTED = 100, 10_000
OPEN = ("triggered", "acknowledged")


@dataclass(frozen=True, slots=True)
class Incident:
    """An open incident as PagerDuty lists it; `key` is '' where only its alerts have keys."""

    id: str
    number: int
    title: str
    status: str
    urgency: str
    key: str
    service: str
    assigned_to: tuple[str, ...]
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentAlert:
    """One of the alerts that an incident holds."""

    key: str
    severity: str
    is_open: bool


class Incidents:
    """The incidents of an account. Close it."""

    def __init__(self, base_url: str, token: str, timeout_s: float) -> None:
        secrets.register(token)
        headers = {
            "authorization": f"Token token={token}",
            "accept": "application/vnd.pagerduty+json;version=2",
        }
        self._client = Client(base_url, timeout_s=timeout_s, headers=headers, retries=1)
        self.base_url = self._client.base_url

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def with_key(self, key: str) -> list[Incident]:
        """Find the open incidents that an alert with this key belongs to; raises as `open`."""
        return self._page([("incident_key", key)], 0)[0]

    def open(self) -> list[Incident]:
        """List all open incidents.

        Raises NotPermittedError `alert.not_permitted`, and UnavailableError `alert.unavailable`,
        `http.unreachable` and `http.timed_out`.
        """
        found: list[Incident] = []
        has_more = True
        while has_more and len(found) < MAX_LISTED:
            page, has_more = self._page([], len(found))
            found += page
            has_more = has_more and bool(page)
        return found

    def alerts(self, incident: Incident) -> list[IncidentAlert]:
        """List the alerts of an incident, 100 at most; raises as `open`."""
        answer = self._get(f"/incidents/{incident.id}/alerts", [("limit", str(PAGE))])
        return [
            IncidentAlert(
                escape(str(alert.get("alert_key") or "")),
                escape(str(alert.get("severity") or "")),
                alert.get("status") != "resolved",
            )
            for alert in _members(answer, "alerts")
        ]

    def _page(self, filters: list[tuple[str, str]], offset: int) -> tuple[list[Incident], bool]:
        # Without a range the last month is meant.
        query = [*filters, ("date_range", "all"), ("limit", str(PAGE)), ("offset", str(offset))]
        answer = self._get("/incidents", [*query, *(("statuses[]", status) for status in OPEN)])
        try:
            found = [_incident(each) for each in _members(answer, "incidents")]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _not_understood(f"{type(error).__name__}: {error}") from error
        return found, answer.get("more") is True

    def _get(self, path: str, query: list[tuple[str, str]]) -> Mapping[str, Any]:
        response = self._client.request("GET", f"{path}?{urlencode(query)}")
        if response.status != 200:
            raise _error(response)
        answer = response.json()
        if not isinstance(answer, Mapping):
            raise _not_understood("it is no object")
        return answer


def _members(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    members = answer.get(name)
    if not isinstance(members, list) or not all(isinstance(each, Mapping) for each in members):
        raise _not_understood(f"it has no {name}")
    return members


def _incident(given: Mapping[str, Any]) -> Incident:
    service = given.get("service") or {}
    assigned = [each.get("assignee") or {} for each in given.get("assignments") or ()]
    return Incident(
        id=str(given["id"]),
        number=int(given.get("incident_number") or 0),
        title=escape(str(given.get("title") or given.get("summary") or "")),
        status=escape(str(given["status"])),
        urgency=escape(str(given.get("urgency") or "")),
        key=escape(str(given.get("incident_key") or "")),
        service=escape(str(service.get("summary") or "")),
        assigned_to=tuple(escape(str(each.get("summary") or "")) for each in assigned),
        url=escape(str(given.get("html_url") or "")),
        created_at=datetime.fromisoformat(str(given["created_at"])).astimezone(UTC),
    )


def _error(response: Response) -> OperatorError:
    words = escape(response.text[:300]).strip()
    if response.status in {401, 403}:
        return NotPermittedError(
            "alert.not_permitted",
            "PagerDuty's REST API does not let us in.",
            reason=f"{response.status} {words}",
            fix="Correct rest_token of the channel; a read-only key will do.",
            retryable=True,
        )
    return UnavailableError(
        "alert.unavailable",
        "PagerDuty's REST API does not do what it was asked.",
        reason=f"{response.status} {words}",
        fix="Try again later; where rest_base_url is set, see whether it is PagerDuty's.",
        retryable=True,
    )


def _not_understood(reason: str) -> UnavailableError:
    return UnavailableError(
        "alert.unavailable",
        "The answer of PagerDuty's REST API can't be read.",
        reason=f"{reason}.",
        fix="Where rest_base_url is set, see whether it is PagerDuty's.",
        retryable=True,
    )
