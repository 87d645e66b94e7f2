"""The channel `webhook`: each message as one signed JSON object, for a server of your own.

The body has `version` (1), `key`, `action` (fire, acknowledge, resolve), `number`, `name`,
`severity`, `labels`, `annotations`, `starts_at`, `ends_at` (or null), `count`, `note`,
`source_url`, `runbook_url` and `explanation` (`observed`, `inferred`, `unknown`); a resolve has
all that its opening had. `Idempotency-Key` is the same whenever a message is repeated.

Where a secret is set, `X-X0tta-Timestamp` has Unix seconds and `X-X0tta-Signature` is `v1=` and
the hexadecimal HMAC-SHA256, by that secret, of the timestamp, a full stop and the body. A receiver
computes it anew over the raw body, compares in constant time, and refuses what is older than five
minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from x0tta_cli.alert.channels.protocol import Outcome, Traits
from x0tta_cli.alert.model import DeliveryState, Message
from x0tta_cli.alert.settings import WebhookChannel
from x0tta_cli.core import secrets
from x0tta_cli.core.http import Client, Response
from x0tta_cli.core.text import escape_lines
from x0tta_cli.core.times import format_instant

_LATER = frozenset({408, 425, 429})
SHORTEST_TOKEN = 8
_NOT_FOR_US = frozenset({401, 403, 404, 410})


def open_channel(name: str, settings: WebhookChannel, timeout_s: float) -> Webhook:
    """Make the channel; raises `http.bad_url` (2)."""
    return Webhook(name, settings, timeout_s)


class Webhook:
    """Posts each message once; 2xx is the server's own acknowledgement."""

    kind = "webhook"
    traits = Traits(acknowledges=True)

    def __init__(self, name: str, settings: WebhookChannel, timeout_s: float) -> None:
        self.name = name
        parts = urlsplit(settings.url)
        # Many services put their token into the path or query: neither may be shown.
        self._path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        _register_secrets(parts)
        self._client = Client(f"{parts.scheme}://{parts.netloc}", timeout_s=timeout_s, retries=0)
        self._secret = settings.secret.get_secret_value().encode() if settings.secret else b""

    def peers(self) -> tuple[str, ...]:
        """Name the server, without path and query."""
        return (self._client.base_url,)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def reach(self, peer: str) -> str:
        """Ask for the server's options; whatever it answers, it is there."""
        return f"{peer} answers {self._client.request('OPTIONS', '/').status}"

    def deliver(
        self,
        peer: str,  # noqa: ARG002 - there is one
        batch: Sequence[Message],
        memory: Mapping[str, str],  # noqa: ARG002 - nothing is to be remembered
    ) -> Sequence[Outcome]:
        """Post each message; raises `http.unreachable` and `http.timed_out`."""
        return [self._post(message) for message in batch]

    def _post(self, message: Message) -> Outcome:
        body = json.dumps(body_of(message)).encode()
        # What is told without an outbox has no number: when it began tells its incidents apart.
        which = message.number or f"{message.notice.starts_at.timestamp():.0f}"
        headers = {
            "content-type": "application/json",
            "idempotency-key": f"{message.key}-{which}-{message.action}",
        }
        if self._secret:
            timestamp = str(int(time.time()))
            headers["x-x0tta-timestamp"] = timestamp
            headers["x-x0tta-signature"] = signature(self._secret, timestamp, body)
        return _outcome(self._client.request("POST", self._path, content=body, headers=headers))


def _register_secrets(parts: SplitResult) -> None:
    secrets.register(parts.query)
    for _, value in parse_qsl(parts.query):
        secrets.register(value)
    for segment in (parts.path, *parts.path.split("/")):
        # A shorter one is a word such as 'hooks', and would tear holes into other texts.
        if len(segment) >= SHORTEST_TOKEN:
            secrets.register(segment)


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Sign a body as `X-X0tta-Signature` has it."""
    signed = timestamp.encode() + b"." + body
    return f"v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}"


def body_of(message: Message) -> dict[str, object]:
    """Give the object that is posted; its texts hold no control or bidirectional characters."""
    notice = message.notice
    explanation = notice.explanation
    return {
        "version": 1,
        "key": message.key,
        "action": message.action.value,
        "number": message.number,
        "name": escape_lines(notice.name),
        "severity": notice.severity.value,
        "labels": _escaped(notice.labels),
        "annotations": _escaped(notice.annotations),
        "starts_at": format_instant(notice.starts_at),
        "ends_at": format_instant(notice.ends_at) if notice.ends_at else None,
        "count": message.count,
        "note": escape_lines(message.note),
        "source_url": escape_lines(notice.source_url),
        "runbook_url": escape_lines(notice.runbook_url),
        "explanation": {
            "observed": [escape_lines(line) for line in explanation.observed],
            "inferred": [escape_lines(line) for line in explanation.inferred],
            "unknown": [escape_lines(line) for line in explanation.unknown],
        },
    }


def _escaped(pairs: Mapping[str, str]) -> dict[str, str]:
    return {escape_lines(name): escape_lines(value) for name, value in pairs.items()}


def _outcome(response: Response) -> Outcome:
    words = secrets.redact(escape_lines(response.text[:300]).strip())
    detail = f"{response.status} {words}".strip()
    if 200 <= response.status < 300:
        return Outcome(DeliveryState.ACKNOWLEDGED, detail)
    if response.status in _LATER or response.status >= 500:
        return Outcome(
            DeliveryState.QUEUED, detail, retry_after_s=response.retry_after_s(datetime.now(UTC))
        )
    if 300 <= response.status < 400:
        # Not followed: a message, and its signature, go where the configuration says. Which
        # message it is makes no difference, so that none is buried for it.
        goal = secrets.redact(escape_lines(response.headers.get("location", "elsewhere")[:300]))
        words = f"{response.status}, pointing to {goal}: correct `url` of the channel"
        return Outcome(DeliveryState.QUEUED, words, disables=True)
    if response.status in _NOT_FOR_US:
        return Outcome(DeliveryState.QUEUED, detail, disables=True)
    return Outcome(DeliveryState.REJECTED, detail)
