"""What completion offers where a pay command takes a value: read from the ledger's file by itself.

No server is asked, such as PostgreSQL: a key that was pressed must not wait for one.
"""

# pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH110, PTH117, PTH118
from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from x0tta_cli.core.completion import Line

# As ledger.database has it, which needs SQLAlchemy.
FILE = "pay.sqlite"
# More than a person reads; a ledger may hold millions.
MOST = 200
BUSY_TIMEOUT_S = 0.1


def orders(_line: Line) -> list[tuple[str, str]]:
    """Name the newest orders, each with its state."""
    return _pairs(
        "SELECT id, state FROM pay_orders JOIN pay_standings ON order_number = number "
        "ORDER BY number DESC LIMIT ?",
    )


def wallets(_line: Line) -> list[tuple[str, str]]:
    """Name our wallets, each with its asset."""
    return _pairs("SELECT name, asset FROM pay_wallets ORDER BY number LIMIT ?")


def _pairs(query: str) -> list[tuple[str, str]]:
    from x0tta_cli.core import folders

    file = os.path.join(folders.state_in_force(), FILE)
    if not os.path.isabs(file) or not os.path.exists(file):
        return []
    import sqlite3
    from urllib.parse import quote

    uri = f"file:{quote(file)}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)
    try:
        return [(str(name), str(what)) for name, what in connection.execute(query, (MOST,))]
    finally:
        connection.close()
