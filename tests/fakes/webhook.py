"""A receiver of signed webhooks that checks them as x0tta's documentation tells receivers to."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fakes.http_server import Answer, Request, serving

FRESH_S = 300


class WebhookReceiver:
    """Keeps what it took; `answers` are given first, in their order."""

    def __init__(self, secret: str) -> None:
        self.secret, self.url = secret, ""
        self.taken: dict[str, Any] = {}
        self.answers: list[Answer] = []

    def answer(self, request: Request) -> Answer:
        if request.method != "POST":
            return Answer(204)
        if self.secret and not self._is_signed(request):
            return Answer(401, b"wrong signature")
        if self.answers:
            return self.answers.pop(0)
        self.taken[request.headers["idempotency-key"]] = request.json()
        return Answer(200, b"taken")

    def _is_signed(self, request: Request) -> bool:
        timestamp = request.headers.get("x-x0tta-timestamp", "0")
        signed = timestamp.encode() + b"." + request.body
        expected = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        given = request.headers.get("x-x0tta-signature", "").removeprefix("v1=")
        return abs(time.time() - int(timestamp)) <= FRESH_S and hmac.compare_digest(expected, given)


@contextmanager
def running_webhook(secret: str = "") -> Iterator[WebhookReceiver]:
    """Serve on a free port of 127.0.0.1."""
    receiver = WebhookReceiver(secret)
    with serving(receiver.answer) as url:
        receiver.url = f"{url}/hooks/T0KENINPATH?key=T0KENINQUERY"
        yield receiver
