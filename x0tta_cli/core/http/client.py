"""Requests to one server: paced, repeated where that is harmless, bounded altogether."""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.http.connection import Trust, connect
from x0tta_cli.core.http.exchange import Exchange
from x0tta_cli.core.http.pace import Pace, Turns
from x0tta_cli.core.http.response import Response
from x0tta_cli.core.secrets import redact

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

MAX_BYTES = 8 * 1024 * 1024
# RFC 9110, section 9.2.2.
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
# What says 'later'; other server errors, such as 501, say 'never'.
PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})
MOST_URLS = 64
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0


class Client:
    """Talks to one server. Safe to use from several threads; close it, or use it in a `with`.

    `timeout_s` bounds one `request` altogether: waiting for its turn, names, connections, retries
    and pauses. `base_url` may have a path, which goes before every other. Redirects are answers
    like others: following one could carry a token to another host. Proxies come from the
    environment (HTTPS_PROXY, NO_PROXY), for loopback none.

    `turns` says when each attempt may be sent, where `requests_per_second` is too coarse; what it
    raises ends the request. `passing_statuses` are those that are tried again.

    `trust` names files for TLS.

    Raises UsageError `http.bad_url` and ConfigurationError `http.bad_certificate`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 10.0,
        headers: Mapping[str, str] | None = None,
        retries: int = 3,
        max_bytes: int = MAX_BYTES,
        requests_per_second: float | None = None,
        turns: Turns | None = None,
        passing_statuses: Collection[int] = PASSING_STATUSES,
        trust: Trust | None = None,
    ) -> None:
        self._client = connect(base_url, headers or {}, trust)
        # Joining a path to the base takes as long as parsing an answer: what is asked for again is
        # kept, such as the one path of many posts.
        self._urls: dict[str, httpx.URL] = {}
        self.base_url = redact(base_url)
        self._timeout_s, self._retries, self._max_bytes = timeout_s, retries, max_bytes
        self._passing_statuses = passing_statuses
        self._turns = turns or (Pace(requests_per_second) if requests_per_second else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """Send a request and give the answer, whatever its status.

        `content` is a body that is ready, in place of `json`; `headers` are of this request alone.
        Connections that fail and the passing statuses (429, 500, 502, 503, 504) are tried again,
        after a pause with full jitter or as long as `Retry-After` says, where repeating does no
        harm: `idempotent` where given, else by the method. The last answer is given where there
        is no time for another.

        Raises UnavailableError `http.unreachable`, `http.timed_out`, `http.too_large`, and
        ValueError for a path that would leave the server.
        """
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError(f"the path {path!r} has to begin with one '/'")
        may_repeat = method.upper() in IDEMPOTENT_METHODS if idempotent is None else idempotent
        url = self._urls.get(path, path)
        request = self._client.build_request(
            method, url, json=json, params=params, content=content, headers=headers
        )
        if params is None and len(self._urls) < MOST_URLS:
            self._urls[path] = request.url
        exchange = Exchange(
            self._client,
            request,
            timeout_s=self._timeout_s,
            max_bytes=self._max_bytes,
        )
        outcome = self._repeat(exchange, 1 + (self._retries if may_repeat else 0))
        if isinstance(outcome, OperatorError):
            raise outcome
        return outcome

    def _repeat(self, exchange: Exchange, attempts: int) -> Response | OperatorError:
        attempt = 1
        while True:
            outcome = self._in_turn(exchange, attempt)
            may_pause = attempt < attempts
            pause_s = _pause_s(outcome, attempt, self._passing_statuses) if may_pause else None
            # A pause that ends after the time is over could only turn an answer into none.
            if pause_s is None or pause_s >= exchange.remaining_s():
                return outcome
            log.info(
                "request is repeated",
                extra={"url": exchange.url, "attempt": attempt, "pause_s": round(pause_s, 3)},
            )
            exchange.pause(pause_s)
            attempt += 1

    def _in_turn(self, exchange: Exchange, attempt: int) -> Response | OperatorError:
        if self._turns is None:
            return exchange.attempt(attempt)
        wait_s = self._turns.reserve()
        try:
            exchange.pause(wait_s)
            return exchange.attempt(attempt)
        finally:
            self._turns.answered()


def _pause_s(
    outcome: Response | OperatorError,
    attempt: int,
    passing_statuses: Collection[int] = PASSING_STATUSES,
) -> float | None:
    """Tell how long to wait before another attempt; None where there should be none.

    Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempt - 1))
    jitter_s = random.uniform(0.0, ceiling_s)  # noqa: S311 - it spreads load, it protects nothing
    if isinstance(outcome, OperatorError):
        return jitter_s if outcome.retryable else None
    if outcome.status not in passing_statuses:
        return None
    return max(jitter_s, outcome.retry_after_s(datetime.now(UTC)) or 0.0)
