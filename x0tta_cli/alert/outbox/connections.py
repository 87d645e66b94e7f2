"""Connections to the tables that stay open from one use to the next.

To open one takes as long as an alert takes to be written; and when the last one closes, SQLite
writes the whole write-ahead log into the file and removes it, which takes longer than all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from x0tta_cli.alert.outbox.schema import TABLES
from x0tta_cli.core.journal import file

if TYPE_CHECKING:
    import sqlite3

# Device and inode.
Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: sqlite3.Connection
    identity: Identity


class Connections:
    """Lends each thread a connection of its own. Close it."""

    def __init__(self) -> None:
        self._idle: list[_Idle] = []
        self._lock = Lock()
        self._is_closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Lend one for a block; raises what `journal.begin` raises.

        What was opened before the journal was set aside is closed: it would write into the old
        file.
        """
        lent = self._take() or self._open()
        try:
            yield lent.connection
        finally:
            with self._lock:
                is_kept = not self._is_closed and not lent.connection.in_transaction
                if is_kept:
                    self._idle.append(lent)
            if not is_kept:
                lent.connection.close()

    def close(self) -> None:
        """Close those that nobody uses; the others are closed when they come back."""
        with self._lock:
            self._is_closed, idle, self._idle = True, self._idle, []
        for each in idle:
            each.connection.close()

    def _take(self) -> _Idle | None:
        present = _identity()
        with self._lock:
            while self._idle:
                idle = self._idle.pop()
                if idle.identity == present:
                    return idle
                idle.connection.close()
        return None

    def _open(self) -> _Idle:
        connection = TABLES.open()
        return _Idle(connection, _identity() or (0, 0))


def _identity() -> Identity | None:
    try:
        status = file.path().stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
