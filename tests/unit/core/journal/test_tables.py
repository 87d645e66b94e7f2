"""A capability's own tables in the journal's file."""

from __future__ import annotations

from contextlib import closing, suppress

import pytest

from x0tta_cli.core import journal
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.journal.tables import Tables, opened, transaction

FIRST = "CREATE TABLE toys_list (name TEXT)"
SECOND = "ALTER TABLE toys_list ADD COLUMN size INTEGER; CREATE INDEX toys_size ON toys_list (size)"


def test_tables_are_made_when_they_are_first_written(state):
    tables = Tables("toys", (FIRST,))
    with tables.reading() as connection:
        assert connection is None
    assert not state.exists()
    with opened(tables) as connection:
        connection.execute("INSERT INTO toys_list VALUES ('ball')")
    with tables.reading() as connection:
        assert connection.execute("SELECT name FROM toys_list").fetchall() == [("ball",)]


def test_a_newer_schema_is_reached_from_any_older_one_and_keeps_the_rows(state):
    with opened(Tables("toys", (FIRST,))) as connection:
        connection.execute("INSERT INTO toys_list VALUES ('ball')")
    with opened(Tables("toys", (FIRST, SECOND))) as connection:
        assert connection.execute("SELECT name, size FROM toys_list").fetchall() == [("ball", None)]


def test_tables_of_a_newer_x0tta_are_left_alone(state):
    with opened(Tables("toys", (FIRST, SECOND))):
        pass
    for use in (Tables("toys", (FIRST,)).reading(), opened(Tables("toys", (FIRST,)))):
        with pytest.raises(ConfigurationError) as caught, use:
            pass
        assert caught.value.code == "journal.newer"


def test_one_capability_does_not_stop_the_journal_or_another(state):
    with opened(Tables("toys", (FIRST, SECOND))), opened(Tables("games", ("CREATE TABLE g (a)",))):
        pass
    with journal.operation("toys.tidy", {}):
        pass
    assert [record.kind for record in journal.operations()] == ["toys.tidy"]


def test_a_migration_that_fails_changes_nothing(state):
    with pytest.raises(ConfigurationError), opened(Tables("toys", (FIRST, "CREATE NONSENSE"))):
        pass
    with Tables("toys", (FIRST,)).reading() as connection:
        assert connection is None


def test_a_transaction_that_fails_is_undone(state):
    tables = Tables("toys", (FIRST,))
    with closing(tables.open()) as connection:
        with suppress(RuntimeError), transaction(connection):
            connection.execute("INSERT INTO toys_list VALUES ('ball')")
            raise RuntimeError
        assert connection.execute("SELECT count(*) FROM toys_list").fetchone() == (0,)
