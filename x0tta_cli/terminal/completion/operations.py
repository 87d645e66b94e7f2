"""Which operations completion offers: read from the journal's file, without what checks it.

The rules are those of `core.state` and `core.journal`, which import ten times as much. A journal
that a newer x0tta wrote, or that is none, offers nothing: the command itself says what it is.
"""

# pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH113, PTH117, PTH118, PTH120, PTH123
from __future__ import annotations

import os

from x0tta_cli.core import folders

# The typing module costs as much as all of this; type checkers take any variable of this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from x0tta_cli.core.completion import Line

HEADER_BYTES = 100
APPLICATION_ID = b"x0ta"
SCHEMA_VERSION = 1
# More than a person reads; a journal may hold years.
MOST = 200
BUSY_TIMEOUT_S = 0.1


def operations(_line: Line) -> list[tuple[str, str]]:
    """Name the newest operations, each with its kind."""
    return _ids("TRUE")


def unfinished(_line: Line) -> list[tuple[str, str]]:
    """Name the operations that are at work or were interrupted, each with its kind."""
    return _ids("outcome IS NULL")


def _ids(condition: str) -> list[tuple[str, str]]:
    file = os.path.join(folders.state_in_force(), "journal.sqlite3")
    if not _is_known(file):
        return []
    import sqlite3
    from urllib.parse import quote

    # Where nobody may write, SQLite may not create what it locks with.
    mode = "rw" if os.access(os.path.dirname(file), os.W_OK) else "ro&immutable=1"
    uri = f"file:{quote(file)}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)
    try:
        rows = connection.execute(
            f"SELECT id, kind FROM operations WHERE {condition} ORDER BY number DESC LIMIT ?",  # noqa: S608 - one of two constants
            (MOST,),
        )
        return [(str(identifier), str(kind)) for identifier, kind in rows]
    finally:
        connection.close()


def _is_known(file: str) -> bool:
    """Look at the header of a file: opening it with SQLite would touch one of a newer x0tta."""
    if not os.path.isabs(file) or not os.path.isfile(file):
        return False
    with open(file, "rb") as stream:
        header = stream.read(HEADER_BYTES)
    version = int.from_bytes(header[60:64], "big")
    return header[68:72] == APPLICATION_ID and version == SCHEMA_VERSION
