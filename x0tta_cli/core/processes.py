"""Tells processes apart for longer than the kernel keeps their numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_DEAD = frozenset({"Z", "X"})


class Process(NamedTuple):
    """One process of one boot: its number, when it started (clock ticks since boot), which boot."""

    pid: int
    started_ticks: int
    boot_id: str

    def is_running(self) -> bool:
        """Whether this very process still runs, not another one that was given its number."""
        return self.boot_id == _boot_id() and self.started_ticks == _started_ticks(self.pid)


def current() -> Process:
    """Give the process that asks."""
    pid = os.getpid()
    return Process(pid, _started_ticks(pid) or 0, _boot_id())


def _boot_id() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _started_ticks(pid: int) -> int | None:
    """Read field 22 of proc_pid_stat(5); None where no such process runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The second field, a name in parentheses, may itself contain spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in _DEAD else int(fields[19])
