"""How many requests each source was sent today, over all runs of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Protocol

from x0tta_cli.core import files, locks, state


class Usage(Protocol):
    """Keeps count; days are those of UTC."""

    def used(self, source: str, day: date) -> int:
        """Tell how many requests of a day are used or reserved."""
        ...

    def reserve(self, source: str, day: date, wanted: int, limit: int) -> int:
        """Set requests aside before they are sent; how many of them the limit still allows."""
        ...

    def give_back(self, source: str, day: date, count: int) -> None:
        """Return what was reserved and not sent."""
        ...


class CountedHere:
    """Keeps count in memory, for one run."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, date], int] = {}

    def used(self, source: str, day: date) -> int:
        """Tell how many requests of a day are used or reserved."""
        return self._counts.get((source, day), 0)

    def reserve(self, source: str, day: date, wanted: int, limit: int) -> int:
        """Set requests aside; how many of them the limit still allows."""
        used = self.used(source, day)
        granted = max(0, min(wanted, limit - used))
        self._counts[source, day] = used + granted
        return granted

    def give_back(self, source: str, day: date, count: int) -> None:
        """Return what was reserved and not sent."""
        self._counts[source, day] = max(0, self.used(source, day) - count)


class CountedInState:
    """Keeps count in the state folder: `pay/requests.json`, of one day, under a lock.

    Requests are set aside before they are sent, so a run that is killed has counted too many,
    never too few. A file that can't be read counts as empty: the provider's own limit still holds.
    """

    LOCK = "pay-requests"
    LOCK_TIMEOUT_S = 10.0

    def used(self, source: str, day: date) -> int:
        """Tell how many requests of a day are used or reserved; writes nothing."""
        return _read(self._path(), day).get(source, 0)

    def reserve(self, source: str, day: date, wanted: int, limit: int) -> int:
        """Set requests aside; how many of them the limit still allows. Raises `locks.held`."""
        with self._counts(day) as counts:
            used = counts.get(source, 0)
            granted = max(0, min(wanted, limit - used))
            counts[source] = used + granted
        return granted

    def give_back(self, source: str, day: date, count: int) -> None:
        """Return what was reserved and not sent. Raises `locks.held`."""
        with self._counts(day) as counts:
            counts[source] = max(0, counts.get(source, 0) - count)

    @contextmanager
    def _counts(self, day: date) -> Iterator[dict[str, int]]:
        with locks.hold(self.LOCK, timeout_s=self.LOCK_TIMEOUT_S):
            path = self._path()
            counts = _read(path, day)
            yield counts
            files.make_folder(path.parent)
            written = json.dumps({"day": day.isoformat(), "requests": counts})
            files.write_atomically(path, written, mode=0o600)

    def _path(self) -> Path:
        return state.folder() / "pay" / "requests.json"


def _read(path: Path, day: date) -> dict[str, int]:
    try:
        written = json.loads(path.read_bytes())
        if written["day"] != day.isoformat():
            return {}
        return {str(name): int(count) for name, count in written["requests"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
