"""One provider's API: asked within its limits, left alone while it blocks us, never trusted.

An answer is JSON of the expected shape or an error; what can't be read is not yet known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from x0tta_cli.core.errors import (
    NotPermittedError,
    NotYetKnownError,
    OperatorError,
    UnavailableError,
)
from x0tta_cli.core.http import Client, Response
from x0tta_cli.core.times import format_duration, format_instant
from x0tta_cli.pay.chains.clock import Clock
from x0tta_cli.pay.chains.reading import said
from x0tta_cli.pay.chains.turnstile import Turnstile
from x0tta_cli.pay.model import SourceState

log = logging.getLogger(__name__)

# TronGrid suspends a key for 30 s; asking meanwhile prolongs it.
BLOCKED_S = 30.0
# Until the next day's requests at most: a source is never given up because it once said so.
LONGEST_BLOCK_S = 86_400.0
TIMEOUT_S = 30.0
_SECOND = timedelta(seconds=1)
# A page of 200 transactions of TON has about 0.6 MB.
MAX_BYTES = 4 * 1024 * 1024
# 429 and 503 are not among them: they are blocks, and wait longer than a client's pauses.
PASSING_STATUSES = frozenset({500, 502, 504})
_FREQUENCY_WORDS = ("frequency", "suspended", "rate limit", "ratelimit", "exceed")


class Api:
    """Asks one server and keeps the books about it.

    `patience_s` is how long one call may wait for a block to end, instead of raising.
    Safe to use from several threads.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        headers: Mapping[str, str],
        turnstile: Turnstile,
        clock: Clock,
        *,
        patience_s: float = 0.0,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.name, self.clock, self.turnstile = name, clock, turnstile
        self.pages = self.receipts = self.refused = 0
        # What is wrong, by state. Having been throttled or stale is not mended by one answer.
        self._troubles: dict[SourceState, str] = {}
        self._has_key = bool(headers)
        self._patience_s = patience_s
        self._blocked_until = 0.0
        self._client = Client(
            base_url,
            timeout_s=timeout_s,
            headers=headers,
            retries=2,
            max_bytes=MAX_BYTES,
            turns=turnstile,
            passing_statuses=PASSING_STATUSES,
        )

    @property
    def state(self) -> SourceState:
        """How well it serves: the gravest of what was met."""
        graver = (SourceState.DOWN, SourceState.STALE, SourceState.DEGRADED)
        return next((state for state in graver if state in self._troubles), SourceState.OK)

    @property
    def reason(self) -> str:
        """Why it is not ok."""
        return self._troubles.get(self.state, "")

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Ask with GET and give the JSON that came; raises as `protocol` says."""
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: object) -> Any:
        """Ask with a POST that changes nothing, and give the JSON that came."""
        return self._ask("POST", path, json=body)

    def find(self, path: str, params: Mapping[str, str] | None = None) -> Any | None:
        """Ask with GET for one thing; None where the server does not know it (404)."""
        return self._ask("GET", path, params=params, may_miss=True)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Take whatever the block stumbles over for the answer's fault; raises `pay.bad_answer`."""
        try:
            yield
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise self.bad_answer(said(error)) from error

    def bad_answer(self, reason: str) -> UnavailableError:
        """Word what an answer lacks, as an error; the source counts as down."""
        error = UnavailableError(
            "pay.bad_answer",
            f"'{self.name}' answered with something that can't be relied upon.",
            reason=f"{reason[:1].upper()}{reason[1:]}.",
            fix="Nothing was concluded from it. See whether base_url is the provider's own; "
            "another source can stand in.",
            retryable=True,
            context={"source": self.name},
        )
        self._troubles[SourceState.DOWN] = error.reason
        return error

    def require_fresh(self, instant: datetime, stale_after_s: float) -> datetime:
        """Give the instant back where it is recent; raises NotYetKnownError `pay.index_stale`."""
        late = self.clock.now() - instant
        if late.total_seconds() <= stale_after_s:
            self._troubles.pop(SourceState.STALE, None)
            return instant
        behind = format_duration(late - late % _SECOND)
        self._troubles[SourceState.STALE] = f"Its index is {behind} behind."
        raise NotYetKnownError(
            "pay.index_stale",
            f"'{self.name}' does not know yet what happened lately.",
            reason=f"Its index ends at {format_instant(instant)}, {behind} ago.",
            fix="Wait for it, or ask another source; and see that this machine's clock is right.",
            retryable=True,
            context={"source": self.name, "indexed_until": format_instant(instant)},
        )

    def go_without_head(self) -> datetime:
        """Give the present for a server that does not tell how far its index is, and note that.

        What it lists stays true, and what it lists late is found within the next overlap.
        """
        untold = "It does not tell up to when it has indexed."
        self._troubles.setdefault(SourceState.DEGRADED, untold)
        return self.clock.now()

    def close(self) -> None:
        """Close the connections, and give back unused requests."""
        self._client.close()
        self.turnstile.close()

    def _ask(self, method: str, path: str, *, may_miss: bool = False, **details: Any) -> Any:
        patience_ends = self.clock.monotonic() + self._patience_s
        while True:
            self._wait_out_block(patience_ends)
            response = self._send(method, path, **details)
            retry_after_s = self._blocked_for_s(response)
            if retry_after_s is None:
                return self._read(response, may_miss=may_miss)
            self.refused += 1
            self._blocked_until = self.clock.monotonic() + retry_after_s
            self._troubles[SourceState.DEGRADED] = f"It refused a request: {_gist(response)}"
            log.warning("source is throttled", extra={"source": self.name, "wait_s": retry_after_s})

    def _send(self, method: str, path: str, **details: Any) -> Response:
        try:
            return self._client.request(method, path, idempotent=True, **details)
        except OperatorError as error:
            is_spent = error.code == "pay.budget_spent"
            kind = SourceState.DEGRADED if is_spent else SourceState.DOWN
            self._troubles[kind] = error.reason or str(error)
            raise

    def _wait_out_block(self, patience_ends: float) -> None:
        now = self.clock.monotonic()
        wait_s = self._blocked_until - now
        if wait_s <= 0:
            return
        if self._blocked_until > patience_ends:
            raise UnavailableError(
                "pay.source_throttled",
                f"'{self.name}' was asked too often, and is left alone for {wait_s:.0f} s.",
                reason=self._troubles[SourceState.DEGRADED],
                fix="A later run goes on where this one ended. Others may use the same key; "
                f"lower pay.sources.{self.name}.requests_per_second, or use a key of its own.",
                retryable=True,
                context={"source": self.name, "retry_after_s": round(wait_s)},
            )
        self.clock.sleep(wait_s)

    def _blocked_for_s(self, response: Response) -> float | None:
        """Tell how long the server wants to be left alone; None where it has answered."""
        is_blocked = response.status in {429, 503} or (
            response.status == 403 and (not self._has_key or _speaks_of_frequency(response))
        )
        if not is_blocked:
            return None
        wanted_s = response.retry_after_s(datetime.now(UTC)) or 0.0
        return min(max(BLOCKED_S, wanted_s), LONGEST_BLOCK_S)

    def _read(self, response: Response, *, may_miss: bool) -> Any:
        if response.status in {401, 403}:
            self._troubles[SourceState.DOWN] = f"It refuses the key: {_gist(response)}"
            raise NotPermittedError(
                "pay.key_refused",
                f"'{self.name}' refuses the key.",
                reason=_gist(response),
                fix=f"Set pay.sources.{self.name}.key to a key that its provider has issued.",
                context={"source": self.name, "status": response.status},
            )
        if response.status == 404 and may_miss:
            return None
        if response.status != 200:
            raise self.bad_answer(f"status {response.status}: {_gist(response)}")
        try:
            answer = response.json()
        except UnavailableError as error:
            raise self.bad_answer(error.reason.rstrip(".")) from error
        self._troubles.pop(SourceState.DOWN, None)
        return answer


def _speaks_of_frequency(response: Response) -> bool:
    text = response.text[:2000].lower()
    return any(word in text for word in _FREQUENCY_WORDS)


def _gist(response: Response) -> str:
    return f"status {response.status}, {response.text[:200]!r}."
