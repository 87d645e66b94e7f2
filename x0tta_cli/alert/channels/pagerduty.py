"""The channel `pagerduty`: events for one service, by PagerDuty's Events API v2.

Every alert has its deduplication key, so an event that is repeated after a kill opens nothing
twice. PagerDuty answers 202 to whatever has the right form, also to what it drops afterwards: so a
202 is 'accepted'. Where a REST token is set, the incident is looked for, and found it is 'visible'.

Source: PagerDuty/developer-docs, docs/events-API-v2/.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from x0tta_cli.alert.channels import pagerduty_event
from x0tta_cli.alert.channels.pagerduty_incidents import Incident, Incidents
from x0tta_cli.alert.channels.protocol import Limit, Outcome, Traits, words_of_error
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import PagerDutyChannel
from x0tta_cli.core import secrets
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.http import Client, Response
from x0tta_cli.core.text import escape

ENQUEUE = "/v2/enqueue"
# "Preferably with a backoff of a few minutes" (01-Overview.md): at least two, doubled each time.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 120.0, 900.0
# Events are worked on after the 202; most are there within a second.
LOOKS_AFTER_S = (0.2, 0.5, 1.0, 2.0)
_REFUSES_US = frozenset({401, 403, 404})


def open_channel(name: str, settings: PagerDutyChannel, timeout_s: float) -> PagerDuty:
    """Make the channel; raises `http.bad_url` (2)."""
    return PagerDuty(name, settings, timeout_s)


class PagerDuty:
    """Sends each message as one event.

    Its alerts are collapsed in a storm and while they flap: PagerDuty would open an incident, and
    ring, for each.
    """

    kind = "pagerduty"

    def __init__(self, name: str, settings: PagerDutyChannel, timeout_s: float) -> None:
        self.name = name
        self._routing_key = settings.routing_key.get_secret_value()
        secrets.register(self._routing_key)
        self._client = Client(settings.base_url, timeout_s=timeout_s, retries=0)
        token = settings.rest_token.get_secret_value() if settings.rest_token else ""
        self.incidents = Incidents(settings.rest_base_url, token, timeout_s) if token else None
        # The hash tells services apart and gives none of their keys away.
        service = sha256(self._routing_key.encode()).hexdigest()[:12]
        # About 120 calls a minute (05-Rate-Limits.md): 60 at once, and 60 while it passes.
        limit = Limit(f"pagerduty:{service}", 60, 60.0)
        self.traits = Traits(acknowledges=True, limits=(limit,))

    def peers(self) -> tuple[str, ...]:
        """Name the server."""
        return (self._client.base_url,)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        if self.incidents is not None:
            self.incidents.close()

    def reach(self, peer: str) -> str:
        """See whether the server is there, and whether it takes the REST token.

        Nothing tests a routing key without telling somebody. Raises `http.unreachable`,
        `http.timed_out`, and what `Incidents.open` raises.
        """
        status = self._client.request("GET", ENQUEUE).status
        if self.incidents is None:
            return f"{peer} answers {status}"
        self.incidents.with_key("x0tta")
        return f"{peer} answers {status}, and the REST API knows us"

    def deliver(
        self,
        peer: str,  # noqa: ARG002 - there is one
        batch: Sequence[Message],
        memory: Mapping[str, str],  # noqa: ARG002 - nothing is to be remembered
    ) -> Sequence[Outcome]:
        """Send each message; raises `http.unreachable` and `http.timed_out`."""
        return [self._send(message) for message in batch]

    def _send(self, message: Message) -> Outcome:
        response = self._client.request(
            "POST",
            ENQUEUE,
            content=pagerduty_event.body_of(message, self._routing_key),
            headers={"content-type": "application/json"},
        )
        if response.status == 202:
            return self._read_back(message, _words_of(response))
        return _refused(message, response)

    def _read_back(self, message: Message, words: str) -> Outcome:
        if self.incidents is None:
            return Outcome(DeliveryState.ACCEPTED, words)
        try:
            for pause_s in LOOKS_AFTER_S:
                time.sleep(pause_s)
                outcome = _seen(self.incidents, message)
                if outcome is not None:
                    return outcome
        except OperatorError as error:
            said = words_of_error(error)
            return Outcome(
                DeliveryState.ACCEPTED, words, warning=f"{self.name} can't be read back: {said}"
            )
        return Outcome(
            DeliveryState.ACCEPTED,
            _UNSEEN[message.action],
            warning=f"{self.name} accepted {message.notice.name}, but {_UNSEEN[message.action]}",
        )


_UNSEEN = {
    Action.FIRE: "no incident is to be seen: an event rule or a maintenance window may hold it",
    Action.RENEW: "no incident is to be seen: an event rule or a maintenance window may hold it",
    Action.ACKNOWLEDGE: "no acknowledged incident is to be seen",
    Action.RESOLVE: "its incident is still open there",
}


def _seen(incidents: Incidents, message: Message) -> Outcome | None:
    """Give the outcome, if PagerDuty shows what was sent; raises as `Incidents.open`."""
    key = pagerduty_event.key_of(message)
    found = incidents.with_key(key)
    if message.action is Action.RESOLVE:
        return _seen_over(incidents, found, key)
    if message.action is Action.ACKNOWLEDGE:
        found = [each for each in found if each.status == "acknowledged"]
    if not found:
        return None
    state = (
        DeliveryState.ACKNOWLEDGED
        if message.action is Action.ACKNOWLEDGE
        else DeliveryState.VISIBLE
    )
    return Outcome(state, in_words(found[0]))


def _seen_over(incidents: Incidents, found: list[Incident], key: str) -> Outcome | None:
    for incident in found:
        # Several alerts may be grouped in one incident, which stays open until all are resolved.
        if any(alert.is_open and alert.key == key for alert in incidents.alerts(incident)):
            return None
    if found:
        return Outcome(DeliveryState.ACKNOWLEDGED, f"resolved; others keep {in_words(found[0])}")
    return Outcome(DeliveryState.ACKNOWLEDGED, "resolved")


def in_words(incident: Incident) -> str:
    """Say how an incident stands, and where to look at it."""
    who = f" by {', '.join(incident.assigned_to)}" if incident.status == "acknowledged" else ""
    return f"incident {incident.number} {incident.status}{who}, {incident.url}"


def _refused(message: Message, response: Response) -> Outcome:
    words = _words_of(response)
    if response.status == 429:
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(message.attempts, 8))
        told_s = response.retry_after_s(datetime.now(UTC)) or 0.0
        # Jitter: several machines must not come back at once.
        wait_s = max(told_s, pause_s * random.uniform(1.0, 1.25))  # noqa: S311 - it spreads load
        return Outcome(DeliveryState.QUEUED, words, retry_after_s=wait_s)
    if response.status in _REFUSES_US or _is_about_the_key(response):
        return Outcome(DeliveryState.QUEUED, words, disables=True)
    if 400 <= response.status < 500 and response.status != 408:
        return Outcome(DeliveryState.REJECTED, words)
    return Outcome(DeliveryState.QUEUED, words)


def _is_about_the_key(response: Response) -> bool:
    """Whether it is the routing key that is refused, and so every event alike."""
    errors = _answer(response).get("errors")
    told = " ".join(map(str, errors)) if isinstance(errors, list) else ""
    return response.status == 400 and "routing" in told.lower()


def _words_of(response: Response) -> str:
    answer = _answer(response)
    errors = answer.get("errors")
    told = [answer.get("message"), *(errors if isinstance(errors, list) else ())]
    words = "; ".join(str(each) for each in told if each) or response.text
    return secrets.redact(f"{response.status} {escape(words[:500]).strip()}".strip())


def _answer(response: Response) -> Mapping[str, Any]:
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
