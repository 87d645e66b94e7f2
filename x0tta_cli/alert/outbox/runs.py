"""Commands that `alert run` runs: written down before they start, so that a kill is told too.

Every function here runs within a transaction of its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x0tta_cli.alert import stored
from x0tta_cli.alert.outbox.intake import Intake
from x0tta_cli.core import processes
from x0tta_cli.core.notices import Notice

if TYPE_CHECKING:
    import sqlite3


def begin(connection: sqlite3.Connection, notice: Notice, lasting_s: float | None) -> int:
    """Write down what is to be told if this process ends without a word; gives its number."""
    own = processes.current()
    return int(
        connection.execute(
            "INSERT INTO alert_runs (pid, started_ticks, boot_id, notice, lasting_s) "
            "VALUES (?, ?, ?, ?, ?)",
            (own.pid, own.started_ticks, own.boot_id, stored.written(notice), lasting_s),
        ).lastrowid
        or 0
    )


def tell_of_killed(intake: Intake) -> list[int]:
    """Open an alert for each run whose process is no longer there; gives the messages of it."""
    rows = intake.connection.execute(
        "SELECT id, pid, started_ticks, boot_id, notice, lasting_s FROM alert_runs ORDER BY id"
    ).fetchall()
    told = []
    for number, pid, started_ticks, boot_id, notice, lasting_s in rows:
        if not processes.Process(pid, started_ticks, boot_id).is_running():
            told.append(intake.fire(stored.read(notice), lasting_s=lasting_s))
            end(intake, number)
    return told


def end(intake: Intake, number: int) -> None:
    """Forget a run whose end is told, or needs no telling."""
    intake.connection.execute("DELETE FROM alert_runs WHERE id = ?", (number,))
