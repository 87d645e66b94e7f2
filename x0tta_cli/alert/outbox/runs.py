"""Commands that `alert run` runs: written down before they start, so that a kill is told too.

What takes a connection or an intake runs within a transaction of its caller.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from x0tta_cli.alert import stored
from x0tta_cli.alert.outbox import lock_files
from x0tta_cli.alert.outbox.intake import Intake
from x0tta_cli.core.notices import Notice

if TYPE_CHECKING:
    import sqlite3


@contextmanager
def living() -> Iterator[str]:
    """Hold a lock for the block, by which others know that this run goes on; gives its name.

    Raises what `state.ensure` raises.
    """
    name = f"alert-run-{secrets.token_hex(8)}.lock"
    descriptor = lock_files.open_file(name)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield name
    finally:
        lock_files.path_of(name).unlink(missing_ok=True)
        os.close(descriptor)


def begin(
    connection: sqlite3.Connection, lock: str, notice: Notice, lasting_s: float | None
) -> int:
    """Write down what is to be told if the holder of the lock ends without a word; its number."""
    return int(
        connection.execute(
            "INSERT INTO alert_runs (lock, notice, lasting_s) VALUES (?, ?, ?)",
            (lock, stored.written(notice), lasting_s),
        ).lastrowid
        or 0
    )


def tell_of_killed(intake: Intake) -> list[int]:
    """Open an alert for each run that goes on no more; gives the messages of it."""
    rows = intake.connection.execute(
        "SELECT id, lock, notice, lasting_s FROM alert_runs ORDER BY id"
    ).fetchall()
    told = []
    for number, lock, notice, lasting_s in rows:
        if not lock_files.is_held(lock):
            told.append(intake.fire(stored.read(notice), lasting_s=lasting_s))
            end(intake, number)
            lock_files.path_of(lock).unlink(missing_ok=True)
    return told


def end(intake: Intake, number: int) -> None:
    """Forget a run whose end is told, or needs no telling."""
    intake.connection.execute("DELETE FROM alert_runs WHERE id = ?", (number,))
