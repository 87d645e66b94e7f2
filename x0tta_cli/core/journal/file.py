"""The journal's file: one SQLite database that outlives kills, power cuts and new versions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.core import state
from x0tta_cli.core.errors import ConfigurationError, ConflictError, OperatorError
from x0tta_cli.core.files import sync_folder

if TYPE_CHECKING:
    import sqlite3

NAME = "journal.sqlite3"
# 'x0ta' in the header (offset 68) tells the journal from any other SQLite database.
APPLICATION_ID = 0x78307461
BUSY_TIMEOUT_S = 10.0
# What a new journal, its write-ahead log and the log's index take at least.
ROOM_BYTES = 131_072

_descriptors: dict[tuple[int, int], int] = {}

# Each script brings the schema one version forward. A released one is never changed.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE operations (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        plan TEXT NOT NULL,
        started_at TEXT NOT NULL,
        pid INTEGER NOT NULL,
        process_started_ticks INTEGER NOT NULL,
        boot_id TEXT NOT NULL,
        ended_at TEXT,
        outcome TEXT,
        error TEXT
    );
    CREATE INDEX operations_unfinished ON operations (number) WHERE outcome IS NULL;
    CREATE TABLE steps (
        number INTEGER PRIMARY KEY,
        operation TEXT NOT NULL REFERENCES operations (id),
        name TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        outcome TEXT,
        result TEXT,
        error TEXT
    );
    CREATE INDEX steps_of_operation ON steps (operation, number);
    """,
)


def path() -> Path:
    """Tell where the journal is, whether it exists or not."""
    return state.folder() / NAME


def open_for_writing(migrations: Sequence[str] = MIGRATIONS) -> sqlite3.Connection:
    """Open the journal, created where it is missing and brought to the newest schema.

    Raises ConfigurationError `journal.newer` and `journal.corrupt`, ConflictError `journal.busy`,
    and what `state.ensure` raises.
    """
    file = state.ensure() / NAME
    with database_errors(file):
        if not file.exists():
            _create(file, migrations)
        return _open_existing(file, migrations)


@contextmanager
def open_for_reading() -> Iterator[sqlite3.Connection | None]:
    """Open the journal for a block that only reads; None where there is none. Creates nothing.

    Raises what `open_for_writing` raises.
    """
    file = path()
    with database_errors(file):
        if not file.exists():
            yield None
            return
        if os.access(file.parent, os.W_OK, effective_ids=True):
            connection = _open_existing(file, MIGRATIONS)
        else:
            _check_header(file, len(MIGRATIONS))
            connection = _open_on_read_only_disk(file)
        with closing(connection):
            yield connection


@contextmanager
def database_errors(file: Path) -> Iterator[None]:
    """Turn what SQLite says about the journal `file` into errors for operators."""
    import sqlite3

    try:
        with state.writing_errors(file):
            yield
    except sqlite3.ProgrammingError:
        # A defect of the caller, not of the file.
        raise
    except sqlite3.DatabaseError as error:
        raise _translated(error, file) from error


def corrupt(file: Path, reason: str) -> ConfigurationError:
    """Word that the journal can't be read, and how to go on without it."""
    return ConfigurationError(
        "journal.corrupt",
        f"{file} is damaged.",
        reason=reason,
        fix=f"Set it aside: for f in {file} {file}-wal {file}-shm; "
        'do [ ! -e "$f" ] || mv "$f" "$f.damaged"; done',
        context={"file": str(file)},
    )


def _create(file: Path, migrations: Sequence[str]) -> None:
    # Made under another name and linked, so that no one ever meets half a journal.
    temporary = file.with_name(f".x0tta-{os.urandom(8).hex()}.tmp")
    try:
        os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_connect(temporary)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            _migrate(connection, migrations)
        with suppress(FileExistsError):
            os.link(temporary, file)
            sync_folder(file.parent)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{temporary}{suffix}").unlink(missing_ok=True)


def _open_existing(file: Path, migrations: Sequence[str]) -> sqlite3.Connection:
    _check_header(file, len(migrations))
    connection = _connect(file)
    try:
        _bring_up_to_date(connection, file, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(
    connection: sqlite3.Connection, file: Path, migrations: Sequence[str]
) -> None:
    version = _version(connection)
    if version > len(migrations):
        # A newer x0tta runs: its last pages are still in the write-ahead log.
        raise _newer(file, version, len(migrations))
    if version < len(migrations):
        _migrate(connection, migrations, copy_of=file)


def _open_on_read_only_disk(file: Path) -> sqlite3.Connection:
    import sqlite3

    # Nobody can write there, so it needs no locks, for which SQLite would have to create files.
    if not Path(f"{file}-wal").exists():
        return sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


def _connect(file: Path) -> sqlite3.Connection:
    import sqlite3

    connection = sqlite3.connect(
        f"{file.as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        # Steps may be noted from worker threads; each is one statement, which SQLite serialises.
        check_same_thread=False,
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _check_header(file: Path, known_version: int) -> None:
    """Look at the first 100 bytes without SQLite, whose opening would touch a newer file.

    Layout: https://www.sqlite.org/fileformat.html#the_database_header
    """
    header = os.pread(_descriptor_of(file), 100, 0)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise corrupt(file, "It does not begin as an SQLite database does.")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise corrupt(file, "It is a database, but none of x0tta's.")
    version = int.from_bytes(header[60:64], "big")
    if version > known_version:
        raise _newer(file, version, known_version)


def _descriptor_of(file: Path) -> int:
    """Open the file once in the life of the process, for good.

    Closing it would drop the locks that SQLite's connections in this process have on it: POSIX
    locks belong to the process. https://www.sqlite.org/howtocorrupt.html, section 2.2
    """
    status = file.stat()
    key = (status.st_dev, status.st_ino)
    if key not in _descriptors:
        _descriptors[key] = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    return _descriptors[key]


def _migrate(
    connection: sqlite3.Connection, migrations: Sequence[str], copy_of: Path | None = None
) -> None:
    """Bring the schema forward in one transaction; an existing file is copied beforehand."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated while this one waited for the lock.
        version = _version(connection)
        if copy_of is not None and version < len(migrations):
            _copy(copy_of, copy_of.with_name(f"{copy_of.name}.v{version}"))
        for script in migrations[version:]:
            # Not executescript(), which would commit first; so no statement has a ';' inside.
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
        if version < len(migrations):
            connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _copy(file: Path, target: Path) -> None:
    """Copy what is committed; the caller's lock keeps it from changing meanwhile."""
    temporary = file.with_name(f".x0tta-{os.urandom(8).hex()}.tmp")
    try:
        os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(_connect(file)) as source, closing(_connect(temporary)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{temporary}{suffix}").unlink(missing_ok=True)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _translated(error: sqlite3.Error, file: Path) -> OperatorError:
    # https://www.sqlite.org/rescode.html
    name: str = getattr(error, "sqlite_errorname", "")
    reason = f"SQLite says: {error} ({name})." if name else f"SQLite says: {error}."
    if name.startswith("SQLITE_FULL"):
        return state.disk_full(file, reason)
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        if _has_no_room(file.parent):
            return state.disk_full(file, reason)
        is_defect_of_disk = name.startswith("SQLITE_IOERR")
        return (state.write_failed if is_defect_of_disk else state.not_writable)(file, reason)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return ConflictError(
            "journal.busy",
            f"Another x0tta writes to {file}.",
            reason=f"It was still locked after {BUSY_TIMEOUT_S:g} s.",
            fix="Run the command again when the other one has ended.",
            retryable=True,
            context={"file": str(file)},
        )
    return corrupt(file, reason)


def _has_no_room(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    has_no_inodes = disk.f_files > 0 and disk.f_favail == 0
    return disk.f_bavail * disk.f_frsize < ROOM_BYTES or has_no_inodes


def _newer(file: Path, version: int, known_version: int) -> ConfigurationError:
    return ConfigurationError(
        "journal.newer",
        f"{file} was written by a newer x0tta.",
        reason=f"Its schema has version {version}; this x0tta knows up to {known_version}.",
        fix="Install the newer x0tta again: pip install --upgrade x0tta. The file is untouched.",
        context={"file": str(file), "version": version, "known_version": known_version},
    )
