"""The tables of the ledger, in SQLAlchemy Core.

Money is BIGINT in smallest units, instants are BIGINT milliseconds since 1970 in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()
# SQLite makes a number the row's own key where the type is INTEGER alone.
NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _key(name: str = "number") -> Column[int]:
    """Make the column that tells rows apart: a number that the ledger hands out itself."""
    return Column(name, NUMBER, primary_key=True, autoincrement=False)


WALLETS = Table(
    "pay_wallets",
    METADATA,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    Column("chain", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("address", Text, nullable=False),
    UniqueConstraint("asset", "address", name="pay_wallets_of_asset"),
)

ORDERS = Table(
    "pay_orders",
    METADATA,
    _key(),
    Column("id", Text, nullable=False, unique=True),
    Column("wallet", NUMBER, ForeignKey("pay_wallets.number"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("memo", Text),
    Column("match_key", Text, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger),
    # Kept with the order: its state must not change because a setting has.
    Column("quorum", BigInteger, nullable=False),
    Column("tolerance", BigInteger, nullable=False),
    Column("cancelled_at", BigInteger),
    Column("refunded_at", BigInteger),
    # Covers all that matching asks for, so that a million orders are matched within the index.
    Index(
        "pay_orders_key",
        "wallet",
        "match_key",
        "valid_from",
        "valid_until",
        "amount",
        "quorum",
        "tolerance",
        "cancelled_at",
    ),
)

# Apart from the orders, so that a change of state writes a dozen bytes and not the whole order.
STANDINGS = Table(
    "pay_standings",
    METADATA,
    _key("order_number"),
    Column("state", Text, nullable=False),
    Column("received", BigInteger, nullable=False),
)

TRANSFERS = Table(
    "pay_transfers",
    METADATA,
    _key(),
    Column("chain", Text, nullable=False),
    Column("tx", Text, nullable=False),
    # Below zero where a listing does not say it: a digest of the row.
    Column("log_index", BigInteger, nullable=False),
    Column("wallet", NUMBER, ForeignKey("pay_wallets.number"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("memo", Text),
    Column("match_key", Text, nullable=False),
    # How final it was when it was stored, and is now: the log has each step between them.
    Column("first_finality", Text, nullable=False),
    Column("finality", Text, nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("tx", "log_index", "chain", name="pay_transfers_identity"),
    Index("pay_transfers_key", "wallet", "match_key"),
)

# Two sources of one kind are one opinion.
SOURCES = Table(
    "pay_sources",
    METADATA,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
)

# What further sources say of a transfer; the first one stands in the transfer itself.
ATTESTATIONS = Table(
    "pay_attestations",
    METADATA,
    _key(),
    Column("transfer", NUMBER, nullable=False),
    Column("source", Text, nullable=False),
    Column("disputes", Text, nullable=False),
    UniqueConstraint("transfer", "source", "disputes", name="pay_attestations_of_source"),
)

# A transfer is claimed once: its number is the key.
CLAIMS = Table(
    "pay_claims",
    METADATA,
    _key("transfer"),
    Column("order_number", NUMBER, nullable=False),
    Column("late", Integer, nullable=False),
    Index("pay_claims_order", "order_number"),
)

LOG = Table(
    "pay_log",
    METADATA,
    _key(),
    Column("order_number", NUMBER),
    Column("transfer", NUMBER),
    Column("was", Text, nullable=False),
    Column("now", Text, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)

BATCHES = Table(
    "pay_batches",
    METADATA,
    _key(),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("head", Text, nullable=False),
)

CURSORS = Table(
    "pay_cursors",
    METADATA,
    _key("wallet"),
    Column("source", Text, primary_key=True),
    # Up to where all is read; and the window that is being read, and the page to go on after.
    Column("read_until", BigInteger),
    Column("window_since", BigInteger),
    Column("window_until", BigInteger),
    Column("cursor", Text, nullable=False),
    Column("read_at", BigInteger),
)

MARKS = Table(
    "pay_marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# Who has asked about an order first; nobody else is answered.
CUSTOMERS = Table(
    "pay_customers",
    METADATA,
    _key("order_number"),
    Column("chat", BigInteger, nullable=False),
    Column("told_at", BigInteger),
    Index("pay_customers_chat", "chat"),
)
