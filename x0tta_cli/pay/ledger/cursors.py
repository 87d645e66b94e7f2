"""Up to where each wallet is read from each source, and for which orders."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from x0tta_cli.pay.ledger.enrolment import to_ms
from x0tta_cli.pay.ledger.recording import from_ms
from x0tta_cli.pay.ledger.tables import CURSORS, MARKS, ORDERS
from x0tta_cli.pay.orders import Wallet


@dataclass(frozen=True, slots=True)
class Window:
    """What of a wallet is read from a source: `since` to `until`, going on after `cursor`."""

    since: datetime
    until: datetime
    cursor: str


def window_of(connection: Connection, wallet: Wallet, source: str) -> Window | None:
    """Give the window that a source was read in and not to its end; None where there is none."""
    row = _cursor(connection, wallet, source)
    if row is None or row["window_until"] is None:
        return None
    return Window(from_ms(row["window_since"]), from_ms(row["window_until"]), row["cursor"])


def next_cursor(connection: Connection, wallet: Wallet, source: str) -> str:
    """Give the cursor with which the next window begins."""
    row = _cursor(connection, wallet, source)
    return "" if row is None or row["window_until"] is not None else str(row["cursor"])


def read_until(connection: Connection, wallet: Wallet, source: str) -> datetime | None:
    """Tell up to when a wallet is read from a source; None where it never was."""
    row = _cursor(connection, wallet, source)
    return None if row is None or row["read_until"] is None else from_ms(row["read_until"])


def orders_known(connection: Connection, wallet: Wallet, source: str) -> int:
    """Give the number of the last order that was there when a wallet's last window began."""
    return mark(connection, _orders_mark(wallet, source))


def know_orders(connection: Connection, wallet: Wallet, source: str, last: int) -> None:
    """Remember that a window has been read for all orders up to this one."""
    set_mark(connection, _orders_mark(wallet, source), last)


def orders_after(connection: Connection, wallet: Wallet, known: int) -> tuple[int, datetime | None]:
    """Give the number of the last order, and when the first window of a wallet's new ones begins.

    An order may be added for a time that was read when nobody waited for it.
    """
    last: int = connection.execute(sa.select(sa.func.max(ORDERS.c.number))).scalar() or 0
    if last <= known:
        return last, None
    begins = sa.select(sa.func.min(ORDERS.c.valid_from)).where(
        ORDERS.c.wallet == wallet.number, ORDERS.c.number > known, ORDERS.c.cancelled_at.is_(None)
    )
    earliest = connection.execute(begins).scalar()
    return last, None if earliest is None else from_ms(earliest)


def mark(connection: Connection, name: str) -> int:
    """Give the number that is remembered under a name; 0 where there is none."""
    where = MARKS.c.name == name
    return connection.execute(sa.select(MARKS.c.value).where(where)).scalar() or 0


def set_mark(connection: Connection, name: str, value: int) -> None:
    """Remember a number under a name; only within `writing`."""
    updated = connection.execute(MARKS.update().where(MARKS.c.name == name).values(value=value))
    if updated.rowcount == 0:
        connection.execute(MARKS.insert(), {"name": name, "value": value})


def advance(
    connection: Connection, wallet: Wallet, source: str, window: Window, *, is_complete: bool
) -> None:
    """Remember how far a source is read; in the same transaction as what was read."""
    values: dict[str, Any] = {
        "window_since": None if is_complete else to_ms(window.since),
        "window_until": None if is_complete else to_ms(window.until),
        "cursor": window.cursor,
    }
    if is_complete:
        values |= {"read_until": to_ms(window.until), "read_at": time.time_ns() // 1_000_000}
    where = (CURSORS.c.wallet == wallet.number, CURSORS.c.source == source)
    if connection.execute(CURSORS.update().where(*where).values(values)).rowcount == 0:
        connection.execute(CURSORS.insert(), {"wallet": wallet.number, "source": source} | values)


def _orders_mark(wallet: Wallet, source: str) -> str:
    return f"orders {wallet.number} {source}"


def _cursor(connection: Connection, wallet: Wallet, source: str) -> RowMapping | None:
    where = (CURSORS.c.wallet == wallet.number, CURSORS.c.source == source)
    return connection.execute(sa.select(CURSORS).where(*where)).mappings().first()
