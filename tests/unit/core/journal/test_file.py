"""The journal's file: versions, damage, locks."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing

import pytest

from x0tta_cli.core import journal
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.journal import file

NEXT = "ALTER TABLE operations ADD COLUMN note TEXT; UPDATE operations SET note = 'new';"


@pytest.fixture
def path(state):
    with journal.operation("test.first", {"number": 1}):
        pass
    return state / "journal.sqlite3"


def contents(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def code_of(action) -> tuple[str, int]:
    with pytest.raises(OperatorError) as caught:
        action()
    assert "journal.sqlite3" in str(caught.value)
    return caught.value.code, int(caught.value.exit_status)


def both_ways(expected: tuple[str, int]) -> None:
    assert code_of(journal.operations) == expected
    assert code_of(lambda: journal.begin("test.second", {})) == expected


def test_it_is_as_durable_as_sqlite_can_make_it(state):
    with closing(file.open_for_writing()) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(file.MIGRATIONS),)


def test_a_file_of_a_newer_version_is_refused_and_untouched(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(file.MIGRATIONS) + 1}")
    before = contents(path.parent)
    both_ways(("journal.newer", 9))
    assert contents(path.parent) == before


def test_a_newer_version_that_still_runs_is_noticed_too(path):
    newer = file.open_for_writing()
    newer.execute(f"PRAGMA user_version = {len(file.MIGRATIONS) + 1}")
    before = path.read_bytes()
    try:
        both_ways(("journal.newer", 9))
        assert path.read_bytes() == before
    finally:
        newer.close()


def test_an_older_file_is_copied_and_brought_forward_with_all_it_has(path):
    with closing(file.open_for_writing([*file.MIGRATIONS, NEXT])) as connection:
        assert connection.execute("SELECT kind, note FROM operations").fetchall() == [
            ("test.first", "new")
        ]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    copy = path.with_name("journal.sqlite3.v1")
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, copy.name]
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT kind FROM operations").fetchall() == [("test.first",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("broken", ["CREATE TABLE x (y); nonsense", "UPDATE missing SET x = 1"])
def test_a_migration_that_fails_changes_nothing(path, broken):
    with pytest.raises(OperatorError):
        file.open_for_writing([*file.MIGRATIONS, NEXT, broken])
    [record] = journal.operations()
    assert record.plan == {"number": 1}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert "note" not in [row[1] for row in connection.execute("PRAGMA table_info(operations)")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:50],
        lambda data: b"no database" * 100,
        lambda data: data[:100] + b"\xff" * (len(data) - 100),
        lambda data: data[:5000],
    ],
    ids=["empty", "short", "other", "pages", "cut"],
)
def test_a_damaged_file_is_named_with_how_to_set_it_aside(path, damage):
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OperatorError) as caught:
        journal.operations()
    assert caught.value.code == "journal.corrupt"
    assert f"{path}-wal" in caught.value.fix
    both_ways(("journal.corrupt", 9))


def test_the_mend_for_a_damaged_file_mends(path):
    import subprocess

    path.write_bytes(b"damaged")
    with pytest.raises(OperatorError) as caught:
        journal.operations()
    subprocess.run(["sh", "-c", caught.value.fix.removeprefix("Set it aside: ")], check=True)
    assert [entry.name for entry in path.parent.iterdir()] == ["journal.sqlite3.damaged"]
    with journal.operation("test.second", {}):
        pass
    assert [record.kind for record in journal.operations()] == ["test.second"]


def test_another_programs_database_is_not_taken_for_the_journal(state):
    state.mkdir()
    with closing(sqlite3.connect(state / "journal.sqlite3")) as connection:
        connection.execute("CREATE TABLE operations (id)")
        connection.commit()
    before = contents(state)
    both_ways(("journal.corrupt", 9))
    assert contents(state) == before


def test_a_value_that_cannot_be_read_is_damage(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE operations SET plan = '{'")
        connection.commit()
    assert code_of(journal.operations) == ("journal.corrupt", 9)


def test_a_lock_that_lasts_is_a_conflict(path, monkeypatch):
    monkeypatch.setattr(file, "BUSY_TIMEOUT_S", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert code_of(lambda: journal.begin("test.second", {})) == ("journal.busy", 5)
        assert len(journal.operations()) == 1
    with journal.operation("test.second", {}):
        pass


def test_an_interrupted_creation_leaves_nothing(state, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(file.os, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.begin("test.first", {})
    assert list(state.iterdir()) == []
