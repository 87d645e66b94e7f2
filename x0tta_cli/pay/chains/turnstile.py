"""Lets requests to one source through: so many in any second, so many a day."""

from __future__ import annotations

import threading
from datetime import date
from heapq import heappop, heappush

from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.pay.chains.clock import Clock
from x0tta_cli.pay.chains.usage import Usage

# Requests set aside at once, so that counting them costs little.
BLOCK = 50


class Turnstile:
    """Says when a request may be sent. Safe to use from several threads; close it.

    However the server cuts its seconds, it never sees more than `per_second` requests in one: a
    place becomes free a second after the request that took it was answered, and the server can't
    have seen that request later than we saw its answer. A rate below 1 stretches the second.
    """

    def __init__(
        self,
        source: str,
        clock: Clock,
        usage: Usage,
        per_second: float | None = None,
        per_day: int | None = None,
    ) -> None:
        self.sent = 0
        self.per_second, self.per_day = per_second, per_day
        self._source, self._clock, self._usage = source, clock, usage
        places = max(1, int(per_second)) if per_second else 0
        self._span_s = places / per_second if per_second else 0.0
        self._free_at = [0.0] * places
        self._changed = threading.Condition()
        self._day: date | None = None
        self._set_aside = 0

    def reserve(self) -> float:
        """Take a place; the seconds until it is free. Raises `pay.budget_spent` (7)."""
        with self._changed:
            self._count()
            self.sent += 1
            if not self.per_second:
                return 0.0
            while not self._free_at:
                self._changed.wait()
            return max(0.0, heappop(self._free_at) - self._clock.monotonic())

    def answered(self) -> None:
        """Free a place, a second from now."""
        if not self.per_second:
            return
        with self._changed:
            heappush(self._free_at, self._clock.monotonic() + self._span_s)
            self._changed.notify()

    def left_today(self) -> int | None:
        """Tell how many requests the day still has; None where it has no limit."""
        if self.per_day is None:
            return None
        today = self._clock.now().date()
        mine = self._set_aside if today == self._day else 0
        return max(0, self.per_day - self._usage.used(self._source, today) + mine)

    def close(self) -> None:
        """Give back what was set aside and not sent."""
        with self._changed:
            if self._day is not None and self._set_aside:
                self._usage.give_back(self._source, self._day, self._set_aside)
                self._set_aside = 0

    def _count(self) -> None:
        if self.per_day is None:
            return
        today = self._clock.now().date()
        if today != self._day:
            self._day, self._set_aside = today, 0
        if self._set_aside == 0:
            self._set_aside = self._usage.reserve(self._source, today, BLOCK, self.per_day)
        if self._set_aside == 0:
            raise self._spent(today)
        self._set_aside -= 1

    def _spent(self, day: date) -> UnavailableError:
        return UnavailableError(
            "pay.budget_spent",
            f"The requests of '{self._source}' for today are used up.",
            reason=f"It may be sent {self.per_day} on {day} (UTC).",
            fix="The rest is read in the first run of the next day; a key of a higher tier and "
            f"pay.sources.{self._source}.requests_per_day allow more.",
            retryable=True,
            context={"source": self._source, "requests_per_day": self.per_day},
        )
