"""What strangers write into a comment is stored in every database, and stops no run."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow
PRICE = 3 * 10**9
# A thousand signs that no compression makes small: an index on them would not take the row.
LONG = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(1024))
MEMOS = (
    LONG,
    "\U0001f525" * 1024,
    "\ufffd\u202e=1+1",
    "'; DROP TABLE pay_orders; --",
    "%s",
    "\\x00",
)


@pytest.fixture
def ascii_database(postgresql):
    """A database as a machine without a locale makes it: in SQL_ASCII."""
    import psycopg

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE pay_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        )
    yield postgresql.rpartition("/")[0] + "/pay_ascii"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("DROP DATABASE pay_ascii WITH (FORCE)")


@pytest.mark.parametrize("kind", ["sqlite", "database", "ascii_database"])
def test_any_comment_is_stored_and_hides_no_payment(state, served, open_shop, request, kind):
    shop = open_shop(served, None if kind == "sqlite" else request.getfixturevalue(kind))
    shop.expect("N-1", PRICE, memo="größe \U0001f525")
    for memo in MEMOS:
        served.pay_ton(5, memo)
    served.pay_ton(PRICE, "größe \U0001f525")
    assert shop.reconcile().orders == {"paid": 1}
    assert shop.unmatched() == len(MEMOS)
    assert shop.order("N-1").memo == "größe \U0001f525"
    assert shop.differences() == ()
    shop.ledger.close()
