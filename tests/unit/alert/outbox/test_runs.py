"""Commands that `alert run` runs, as whoever delivers sees them."""

from __future__ import annotations

from contextlib import closing

from x0tta_cli.alert import stored
from x0tta_cli.alert.outbox import lock_files, runs
from x0tta_cli.alert.outbox.schema import TABLES
from x0tta_cli.core.journal.tables import Tables, transaction


def test_a_run_is_told_of_when_its_lock_is_free_and_leaves_no_file(open_outbox, hook, notice):
    outbox = open_outbox({"hook": hook.url})
    with runs.living() as lock:
        with closing(TABLES.open()) as connection, transaction(connection):
            runs.begin(connection, lock, notice(), None)
        outbox.keep_up()
        outbox.deliver(5)
        assert hook.told() == []
    outbox.keep_up()
    outbox.deliver(5)
    assert hook.told() == [("HighLatency", "fire")]
    assert not lock_files.path_of(lock).exists()
    outbox.keep_up()
    outbox.deliver(5)
    assert len(hook.told()) == 1


def test_a_run_that_an_older_version_wrote_down_is_told_of(open_outbox, hook, notice):
    before = Tables("alert", TABLES.migrations[:2])
    with closing(before.open()) as connection:
        connection.execute(
            "INSERT INTO alert_runs (pid, started_ticks, boot_id, notice) VALUES (1, 2, 'x', ?)",
            (stored.written(notice()),),
        )
    outbox = open_outbox({"hook": hook.url})
    outbox.keep_up()
    outbox.deliver(5)
    assert hook.told() == [("HighLatency", "fire")]
