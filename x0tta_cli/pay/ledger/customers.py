"""Who asks about which order, and what they were told."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from x0tta_cli.pay.ledger.reading import find_order
from x0tta_cli.pay.ledger.tables import CUSTOMERS, ORDERS, STANDINGS
from x0tta_cli.pay.orders import Order, OrderState


def take(connection: Connection, order: str, chat: int) -> Order | None:
    """Give an order to the one who asks, if it is theirs or nobody's yet; None otherwise.

    Only within `writing`: of two who ask at once, one gets it.
    """
    number = connection.execute(sa.select(ORDERS.c.number).where(ORDERS.c.id == order)).scalar()
    if number is None:
        return None
    where = CUSTOMERS.c.order_number == number
    owner = connection.execute(sa.select(CUSTOMERS.c.chat).where(where)).scalar()
    if owner is None:
        values = {"order_number": number, "chat": chat, "told_at": None}
        connection.execute(CUSTOMERS.insert(), values)
    elif owner != chat:
        return None
    return find_order(connection, order)


def orders_of(connection: Connection, chat: int, most: int) -> list[Order]:
    """Give the newest orders of a chat, the oldest first."""
    found = connection.execute(
        sa.select(ORDERS.c.id)
        .join(CUSTOMERS, CUSTOMERS.c.order_number == ORDERS.c.number)
        .where(CUSTOMERS.c.chat == chat)
        .order_by(ORDERS.c.number.desc())
        .limit(most)
    ).fetchall()
    return [find_order(connection, row[0]) for row in reversed(found)]


def to_be_told(connection: Connection) -> list[tuple[str, int]]:
    """Give the orders that are paid and whose customers do not know: (order, chat)."""
    found = connection.execute(
        sa.select(ORDERS.c.id, CUSTOMERS.c.chat)
        .join(CUSTOMERS, CUSTOMERS.c.order_number == ORDERS.c.number)
        .join(STANDINGS, STANDINGS.c.order_number == ORDERS.c.number)
        .where(STANDINGS.c.state == OrderState.PAID.value, CUSTOMERS.c.told_at.is_(None))
        .order_by(ORDERS.c.number)
    )
    return [(row[0], row[1]) for row in found]


def told(connection: Connection, order: str) -> None:
    """Remember that a customer was told; only within `writing`."""
    number = sa.select(ORDERS.c.number).where(ORDERS.c.id == order).scalar_subquery()
    connection.execute(
        CUSTOMERS.update()
        .where(CUSTOMERS.c.order_number == number)
        .values(told_at=time.time_ns() // 1_000_000)
    )
