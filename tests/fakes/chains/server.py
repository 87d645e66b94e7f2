"""A small HTTP/1.1 server in a thread of its own, quick enough not to be what is measured."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What is answered; a body that is no bytes is written as JSON."""

    body: object = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Trouble:
    """What a server does wrong; `requests` is how many requests it lasts, None for all.

    `is_down` closes the connection without an answer; `truncates` sends the first half of a body
    as if it were whole; `pads_to` fills a body up with spaces; `body` replaces it; `only` names
    the paths that are meant, by what they contain.
    """

    status: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    truncates: bool = False
    pads_to: int = 0
    requests: int | None = None
    only: str = ""


@dataclass
class Fake:
    """A server that runs: its URL, what it was asked, and what it does wrong.

    `before` is called ahead of each request, to change the chain while it is being read. `habits`
    are the provider's own, of its module. Long runs do not keep their requests.
    """

    handle: Callable[[Request], Answer]
    over_limit: Answer
    limit_per_second: int | None = None
    suspended_s: float = 0.0
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    refused: int = 0
    trouble: Trouble | None = None
    before: Callable[[Request], None] | None = None
    keeps_requests: bool = True
    habits: Any = None
    _instants: deque[float] = field(default_factory=deque)
    _suspended_until: float = 0.0
    _troubled: int = 0

    def answer(self, request: Request) -> Answer | None:
        """Answer a request; None closes the connection."""
        if self.keeps_requests:
            self.requests.append(request)
        if self._is_over_limit():
            self.refused += 1
            return self.over_limit
        if self.before is not None:
            self.before(request)
        trouble = self.trouble
        if trouble is None or trouble.only not in request.path or self._is_over(trouble):
            return self.handle(request)
        if trouble.is_down:
            return None
        if trouble.status is not None:
            return Answer(trouble.body or b"{}", trouble.status, trouble.headers)
        answer = self.handle(request)
        content = answer.content() if trouble.body is None else trouble.body
        content = content[: len(content) // 2] if trouble.truncates else content
        return Answer(content.ljust(trouble.pads_to), answer.status, answer.headers)

    def _is_over(self, trouble: Trouble) -> bool:
        self._troubled += 1
        return trouble.requests is not None and self._troubled > trouble.requests

    def _is_over_limit(self) -> bool:
        if self.limit_per_second is None:
            return False
        now = time.monotonic()
        if now < self._suspended_until:
            return True
        while self._instants and now - self._instants[0] >= 1.0:
            self._instants.popleft()
        if len(self._instants) >= self.limit_per_second:
            self._suspended_until = now + self.suspended_s
            return True
        self._instants.append(now)
        return False


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """Serve on loopback for the block."""
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await loop.create_server(lambda: _Connection(fake), "127.0.0.1", 0)

    server = loop.run_until_complete(start())
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, name="fake-chain", daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Shown(Protocol):
    """A ledger as one provider shows it."""

    habits: Any

    def handle(self, request: Request) -> Answer:
        """Answer a request."""
        ...


def provider(
    show: Callable[[Any, str], Shown], over_limit: Answer, suspended_s: float = 0.0
) -> Callable[..., AbstractContextManager[Fake]]:
    """Make the function that serves a ledger as one provider does.

    `show` takes the ledger and the key that it wants. Whoever asks too often gets `over_limit`, and
    is suspended for so long.
    """

    @contextmanager
    def serve(
        ledger: Any,
        *,
        key: str = "",
        limit_per_second: int | None = None,
        suspended_s: float = suspended_s,
    ) -> Iterator[Fake]:
        """Serve a ledger; `fake.habits` are the provider's bad habits."""
        shown = show(ledger, key)
        fake = Fake(shown.handle, over_limit, limit_per_second, suspended_s, habits=shown.habits)
        with serving(fake):
            yield fake

    return serve


def complaint(query: dict[str, str], known: frozenset[str], most: int, usual: int) -> str:
    """Say what a provider refuses of a listing's parameters; empty where it takes them."""
    unknown, limit = sorted(set(query) - known), int(query.get("limit", usual))
    return f"bad request: {unknown}, limit {limit}" if unknown or not 1 <= limit <= most else ""


class _Connection(asyncio.Protocol):
    def __init__(self, fake: Fake) -> None:
        self._fake, self._received = fake, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:])
            }
            after = end + 4 + int(headers.get("content-length", 0))
            if len(self._received) < after:
                return
            body, self._received = self._received[end + 4 : after], self._received[after:]
            method, target, _ = head[0].split(" ")
            parts = urlsplit(target)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            self._send(self._fake.answer(Request(method, parts.path, query, headers, body)))

    def _send(self, answer: Answer | None) -> None:
        if answer is None:
            self._transport.abort()
            return
        content = answer.content()
        lines = [
            f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Other')}",
            "content-type: application/json",
            f"content-length: {len(content)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        self._transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
