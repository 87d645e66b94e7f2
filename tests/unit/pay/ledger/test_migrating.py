"""A ledger of an earlier version is brought forward with all that is in it."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from contextlib import closing

import pytest
import sqlalchemy as sa
from fakes.till import Till

from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.pay.ledger.audit import audit_ledger
from x0tta_cli.pay.ledger.database import SCHEMA, open_ledger, schema_of
from x0tta_cli.pay.ledger.tables import METADATA


def indices_of(ledger):
    inspector = sa.inspect(ledger.engine)
    return {
        one["name"]
        for table in inspector.get_table_names()
        for one in inspector.get_indexes(table)
        if not one["name"].startswith("sqlite_")
    }


@pytest.fixture
def first_step(state):
    """A ledger as the first version has made it, with a payment in it."""
    till = Till()
    till.expect("A-1", 1000)
    till.receive(till.transfer(1000, "A-1"))
    for name in ("transfers_listed", "transfers_confirming", "standings_confirming"):
        till.sql(f"DROP INDEX pay_{name}")
    till.sql("UPDATE pay_schema SET version_num = '0001'")
    till.ledger.close()
    return till


def test_a_new_ledger_has_all_indices_that_its_tables_name(till):
    named = {index.name for table in METADATA.tables.values() for index in table.indexes}
    assert named <= indices_of(till.ledger)


def test_a_ledger_of_the_first_step_gains_what_came_since_and_keeps_its_orders(first_step):
    ledger = open_ledger()
    with ledger.reading() as connection:
        assert schema_of(connection) == SCHEMA
        assert audit_ledger(connection).differences == ()
    assert "pay_transfers_listed" in indices_of(ledger)
    first_step.ledger = ledger
    assert first_step.state("A-1") == "paid"
    ledger.close()


def test_the_file_is_copied_before_it_is_brought_forward(first_step, state):
    open_ledger().close()
    copy = state / "pay.sqlite.v0001"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT version_num FROM pay_schema").fetchone() == ("0001",)
        assert connection.execute(
            "SELECT id, state FROM pay_orders JOIN pay_standings ON order_number = number"
        ).fetchall() == [("A-1", "paid")]
    assert not [one for one in state.iterdir() if "unfinished" in one.name]


def test_a_new_ledger_leaves_no_copy(till, state):
    assert [one.name for one in state.iterdir() if one.name.startswith("pay.sqlite.")] == []


# What touches the disk: SQLite's connections and statements, and the file that is renamed.
STEPS = {"sqlite3.connect", "os.remove", "os.rename"}


def die_while_opening(number: int) -> bool:
    """Open the ledger in a process that is killed at the nth step; whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = [number]

        def step(*_: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(lambda event, _: step() if event in STEPS else None)
        sa.event.listen(sa.Engine, "before_cursor_execute", step)
        sa.event.listen(sa.Engine, "commit", step)
        open_ledger().close()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in {0, -signal.SIGKILL}
    return os.waitstatus_to_exitcode(status) == 0


def test_a_kill_while_a_ledger_is_brought_forward_loses_nothing(first_step, state):
    kept = {one.name: one.read_bytes() for one in state.iterdir() if one.is_file()}
    number, kills_after_the_copy = 1, 0
    while True:
        for one in state.glob("pay.sqlite*"):
            one.unlink()
        for name, content in kept.items():
            (state / name).write_bytes(content)
        if die_while_opening(number):
            break
        kills_after_the_copy += (state / "pay.sqlite.v0001").exists()
        ledger = open_ledger()
        with ledger.reading() as connection:
            assert schema_of(connection) == SCHEMA
            assert audit_ledger(connection).differences == ()
        first_step.ledger = ledger
        assert first_step.state("A-1") == "paid"
        ledger.close()
        with closing(sqlite3.connect(state / "pay.sqlite.v0001")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        number += 1
    assert number > 10
    assert kills_after_the_copy > 3


def test_a_ledger_of_a_later_step_is_not_touched(till):
    till.sql("UPDATE pay_schema SET version_num = '9999'")
    till.ledger.close()
    with pytest.raises(ConfigurationError) as raised:
        open_ledger()
    assert raised.value.code == "pay.ledger_newer"
