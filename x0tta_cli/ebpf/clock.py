"""The clock of deadlines: it goes on while the machine sleeps, and the programs read it too."""

from __future__ import annotations

import time


def boot_ns() -> int:
    """Read CLOCK_BOOTTIME, in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
