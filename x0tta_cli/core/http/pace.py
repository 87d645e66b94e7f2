"""Keeps requests to a server within its rate."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Turns(Protocol):
    """Who says when a request may be sent."""

    def reserve(self) -> float:
        """Take the next place in the row; the seconds to wait until it is free."""
        ...

    def answered(self) -> None:
        """Hear that a request for which a place was taken is over, however it ended."""
        ...


class Pace:
    """A token bucket: a second's worth of requests at once, afterwards `per_second`."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = max(1.0, per_second)
        self._tokens = self._capacity
        self._filled_at = time.monotonic()
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next place in the row; the seconds to wait until it is free."""
        with self._lock:
            now = time.monotonic()
            grown = self._tokens + (now - self._filled_at) * self._per_second
            self._tokens = min(self._capacity, grown) - 1.0
            self._filled_at = now
            return max(0.0, -self._tokens / self._per_second)

    def answered(self) -> None:
        """Do nothing: the bucket fills by the clock alone."""
