"""The clock that sources go by, so that a block of half a minute can be lived through in none."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as it is needed to be patient and to know what is late."""

    def now(self) -> datetime:
        """Tell the instant, aware."""
        ...

    def monotonic(self) -> float:
        """Tell the seconds since some beginning; never runs backwards."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let so many seconds pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the instant, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell the seconds since the machine started."""
        return time.monotonic()

    def sleep(self, duration_s: float) -> None:
        """Sleep."""
        time.sleep(duration_s)
