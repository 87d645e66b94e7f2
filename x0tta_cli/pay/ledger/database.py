"""The ledger's database: SQLite in the state folder, PostgreSQL where several machines work on it.

There is one writer at a time: on SQLite by BEGIN IMMEDIATE, on PostgreSQL by an advisory lock that
ends with its transaction. So numbers are handed out without gaps, and the chain never forks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from x0tta_cli.core import files, locks, secrets, state
from x0tta_cli.core.errors import (
    ConfigurationError,
    ConflictError,
    OperatorError,
    UnavailableError,
)

SCHEMA = "0002"
FILE = "pay.sqlite"
LOCK = "pay-reconcile"
BUSY_S = 10.0
CACHE_KIB = 48_000
PAGE_BYTES = 8192
# Two keys of one application, "x0tt" in ASCII: https://www.postgresql.org/docs/15/explicit-locking.html
LOCK_SPACE = 0x78307474
WRITER_LOCK, RECONCILE_LOCK = 1, 2
POLL_S = 0.1


class Ledger:
    """A database that is open; `writing` and `reading` give connections in a transaction."""

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine, self.where = engine, where

    @property
    def is_postgresql(self) -> bool:
        """Whether several machines can work on it."""
        return self.engine.dialect.name == "postgresql"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Be the only writer: all that the block writes is there at its end, or nothing."""
        with self._errors(), self.engine.connect() as connection:
            options = connection.execution_options(x0tta_writes=True)
            with options.begin():
                if self.is_postgresql:
                    connection.execute(_LOCK_WRITER)
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See one state of the ledger for the whole block."""
        with self._errors(), self.engine.connect() as connection:
            if self.is_postgresql:
                # By default each statement there sees what was committed since the one before.
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def alone(self, timeout_s: float) -> Iterator[None]:
        """Be the only one who reconciles; waits up to `timeout_s`.

        Raises ConflictError `locks.held`, on PostgreSQL `pay.locked`.
        """
        if not self.is_postgresql:
            with locks.hold(LOCK, timeout_s):
                yield
            return
        with self._errors():
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            with self._errors():
                _wait_for_lock(connection, timeout_s, self.where)
            yield
        finally:
            # The lock is the session's: it goes with the connection, however that ends.
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            raise _unavailable(error, self.where) from error
        except sa.exc.DatabaseError as error:
            if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError):
                raise
            raise _corrupt(error, self.where) from error


_LOCK_WRITER = sa.text(f"SELECT pg_advisory_xact_lock({LOCK_SPACE}, {WRITER_LOCK})")


def open_ledger(url: str | None = None) -> Ledger:
    """Open the ledger, making or migrating it where needed; SQLite's file is copied beforehand.

    `url` is a PostgreSQL URL; None is SQLite in the state folder. Raises `extras.missing` (8),
    `state.*`, `pay.ledger_newer` and `pay.ledger_corrupt` (9), `pay.ledger_unavailable` (7).
    """
    ledger = _postgresql(url) if url else _sqlite(state.ensure() / FILE)
    try:
        _migrate(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def exists(url: str | None = None) -> bool:
    """Whether there is a ledger; creates nothing, and asks no server."""
    return url is not None or (state.folder() / FILE).exists()


def schema_of(connection: Connection) -> str | None:
    """Tell which step of the migrations a database is at; None for an empty one."""
    if not sa.inspect(connection).has_table("pay_schema"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM pay_schema")).scalar()


def _sqlite(path: Path) -> Ledger:
    with state.writing_errors(path):
        path.touch(mode=0o600)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_S, "isolation_level": None},
        # Whoever closes the last connection writes the whole log of changes into the file.
        poolclass=sa.pool.QueuePool,
        pool_size=1,
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: object) -> None:
        # A commit is on the disk before anything is told of it. What is logged there is copied into
        # the file every 32 MB: more often, the same pages of an index would be copied again.
        for pragma in (
            # Of a new file; another keeps its own.
            f"page_size={PAGE_BYTES}",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"wal_autocheckpoint={32 * 2**20 // PAGE_BYTES}",
            "foreign_keys=ON",
            f"cache_size=-{CACHE_KIB}",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("x0tta_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return Ledger(engine, str(path))


def _postgresql(url: str) -> Ledger:
    from x0tta_cli.core import extras

    extras.require("postgres")
    secrets.register(url)
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise _bad_url("It can't be read as a URL.") from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise _bad_url(f"It begins with '{parsed.drivername}'.")
    if isinstance(parsed.password, str):
        secrets.register(parsed.password)
    engine = sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": int(BUSY_S),
            "application_name": "x0tta pay",
            # Of a database in SQL_ASCII, texts would come as bytes.
            "client_encoding": "utf-8",
        },
        pool_size=1,
        pool_pre_ping=True,
    )
    return Ledger(engine, f"PostgreSQL at {parsed.host or 'the local socket'}")


def _migrate(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        found = schema_of(connection)
    if found == SCHEMA:
        return
    if found is not None and found > SCHEMA:
        raise ConfigurationError(
            "pay.ledger_newer",
            f"The ledger in {ledger.where} was written by a newer x0tta.",
            reason=f"It is at step {found}; this version knows steps up to {SCHEMA}.",
            fix="Install the newer version here as well. The ledger was not touched.",
        )
    with ledger.writing() as connection:
        # Another process may have done it while this one waited.
        found = schema_of(connection)
        if found == SCHEMA:
            return
        if found is not None and not ledger.is_postgresql:
            _copy(Path(ledger.where), found)
        _run_migrations(connection)


def _copy(file: Path, step: str) -> None:
    """Copy what is committed; the caller's transaction keeps it from changing meanwhile.

    What a kill has left of a copy is begun anew. Raises sa.exc.OperationalError, `state.*`.
    """
    import sqlite3

    target = file.with_name(f"{file.name}.v{step}")
    unfinished = target.with_name(f"{target.name}.unfinished")
    with state.writing_errors(target):
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        try:
            with (
                closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(unfinished)) as copy,
            ):
                source.backup(copy)
                # It stands by itself, without a log of changes beside it.
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise sa.exc.OperationalError("backup", None, error) from error
        unfinished.replace(target)
        files.sync_folder(target.parent)


def _run_migrations(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "x0tta_cli.pay.ledger:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _wait_for_lock(connection: Connection, timeout_s: float, where: str) -> None:
    deadline = time.monotonic() + timeout_s
    asked = sa.text(f"SELECT pg_try_advisory_lock({LOCK_SPACE}, {RECONCILE_LOCK})")
    while not connection.execute(asked).scalar():
        if time.monotonic() >= deadline:
            raise ConflictError(
                "pay.locked",
                "Another x0tta reconciles this ledger.",
                reason=f"It holds the advisory lock in {where}.",
                fix="Wait for it to end, or give it time with --lock-timeout.",
                retryable=True,
            )
        time.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))


def _bad_url(reason: str) -> ConfigurationError:
    return ConfigurationError(
        "pay.bad_database_url",
        "pay.database_url is not the URL of a PostgreSQL database.",
        reason=reason,
        fix="Write it as postgresql://user:password@host/database.",
        context={"key": "pay.database_url"},
    )


def _unavailable(error: sa.exc.OperationalError, where: str) -> OperatorError:
    reason = str(error.orig).strip().splitlines()[0]
    if "locked" in reason:
        return ConflictError(
            "pay.ledger_busy",
            f"Another process writes to the ledger in {where}.",
            reason=f"It has not let go for {BUSY_S:g} s.",
            fix="Run the command again when that process has ended.",
            retryable=True,
        )
    if "full" in reason:
        return state.disk_full(Path(where), f"{reason}.")
    return UnavailableError(
        "pay.ledger_unavailable",
        f"The ledger in {where} can't be used now.",
        reason=f"{reason}.",
        fix="See whether the server runs and the URL is right; nothing was counted.",
        retryable=True,
    )


def _corrupt(error: sa.exc.DatabaseError, where: str) -> ConfigurationError:
    return ConfigurationError(
        "pay.ledger_corrupt",
        f"The ledger in {where} can't be read.",
        reason=f"{str(error.orig).strip()}.",
        fix="Restore it from a backup, then run x0tta pay audit --head HASH with the last "
        "head that your monitoring has seen.",
    )
