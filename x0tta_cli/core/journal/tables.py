"""A capability's own tables in the journal's file, each set with a version of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.journal import file

if TYPE_CHECKING:
    import sqlite3

# Beside the schema of the journal itself: an x0tta that lacks a capability still reads the rest.
_VERSIONS = """
    CREATE TABLE IF NOT EXISTS capability_schemas (
        capability TEXT PRIMARY KEY, version INTEGER NOT NULL
    )
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one capability; their names begin with its own.

    Each script of `migrations` brings them one version forward. A released one is never changed,
    and no statement has a ';' inside.
    """

    capability: str
    migrations: Sequence[str]

    def open(self) -> sqlite3.Connection:
        """Open the journal's file with these tables at their newest schema, for writing too.

        Every statement is a transaction unless one is begun. Raises what `journal.begin` raises,
        and ConfigurationError `journal.newer` where a newer x0tta has written the tables.
        """
        connection = file.open_for_writing()
        try:
            with file.database_errors(file.path()):
                self._bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open the tables for a block that only reads; None where there are none. Creates nothing.

        Raises as `open`.
        """
        with file.open_for_reading() as connection:
            if connection is None or not self._version(connection):
                yield None
            else:
                self._check(self._version(connection))
                yield connection

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        version = self._version(connection)
        self._check(version)
        if version == len(self.migrations):
            return
        with transaction(connection):
            connection.execute(_VERSIONS)
            # Another process may have migrated while this one waited for the lock.
            for script in self.migrations[self._version(connection) :]:
                for statement in filter(str.strip, script.split(";")):
                    connection.execute(statement)
            connection.execute(
                "INSERT OR REPLACE INTO capability_schemas VALUES (?, ?)",
                (self.capability, len(self.migrations)),
            )

    def _check(self, version: int) -> None:
        if version > len(self.migrations):
            raise _newer(file.path(), self.capability, version, len(self.migrations))

    def _version(self, connection: sqlite3.Connection) -> int:
        """Tell how far the tables are; 0 where there are none."""
        exists = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'capability_schemas'"
        ).fetchone()
        if exists is None:
            return 0
        row = connection.execute(
            "SELECT version FROM capability_schemas WHERE capability = ?", (self.capability,)
        ).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of the block or nothing of it; it is on the disk when the block has ended.

    Raises what `journal.begin` raises.
    """
    with file.database_errors(file.path()):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def opened(tables: Tables) -> Iterator[sqlite3.Connection]:
    """Open the tables for a block; raises as `Tables.open`."""
    with closing(tables.open()) as connection, file.database_errors(file.path()):
        yield connection


def _newer(path: Path, capability: str, version: int, known_version: int) -> ConfigurationError:
    return ConfigurationError(
        "journal.newer",
        f"{path} was written by a newer x0tta.",
        reason=f"Its tables of {capability} have version {version}; "
        f"this x0tta knows up to {known_version}.",
        fix="Install the newer x0tta again: pip install --upgrade x0tta. The file is untouched.",
        context={"file": str(path), "version": version, "known_version": known_version},
    )
