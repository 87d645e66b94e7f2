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
    TextClause,
    UniqueConstraint,
    text,
)

METADATA = MetaData()
# SQLite makes a number the row's own key where the type is INTEGER alone.
NUMBER = BigInteger().with_variant(Integer, "sqlite")


# Few rows wait for something. A query finds them by the index of those alone where it has the same
# words: a value that is bound later could be any.
IS_LISTED = text("finality = 'listed'")
IS_CONFIRMING = text("finality = 'confirming'")
STANDS_CONFIRMING = text("state = 'confirming'")


def _index_of(name: str, column: str, waiting: TextClause) -> Index:
    return Index(name, column, sqlite_where=waiting, postgresql_where=waiting)


def _key(name: str = "number") -> Column[int]:
    """Make the column that tells rows apart: a number that the ledger hands out itself."""
    return Column(name, NUMBER, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _integer(name: str) -> Column[int]:
    """Make a column of money or an instant."""
    return Column(name, BigInteger, nullable=False)


def _wallet() -> Column[int]:
    return Column("wallet", NUMBER, ForeignKey("pay_wallets.number"), nullable=False)


WALLETS = Table(
    "pay_wallets",
    METADATA,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    _text("chain"),
    _text("asset"),
    _text("address"),
    UniqueConstraint("asset", "address", name="pay_wallets_of_asset"),
)

ORDERS = Table(
    "pay_orders",
    METADATA,
    _key(),
    Column("id", Text, nullable=False, unique=True),
    _wallet(),
    _integer("amount"),
    Column("memo", Text),
    _text("match_key"),
    _integer("valid_from"),
    Column("valid_until", BigInteger),
    # Kept with the order: its state must not change because a setting has.
    _integer("quorum"),
    _integer("tolerance"),
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
    _text("state"),
    _integer("received"),
    _index_of("pay_standings_confirming", "order_number", STANDS_CONFIRMING),
)

TRANSFERS = Table(
    "pay_transfers",
    METADATA,
    _key(),
    _text("chain"),
    _text("tx"),
    # Below zero where a listing does not say it: a digest of the row.
    _integer("log_index"),
    _wallet(),
    _integer("amount"),
    _text("sender"),
    _integer("at"),
    Column("memo", Text),
    _text("match_key"),
    # How final it was when it was stored, and is now: the log has each step between them.
    _text("first_finality"),
    _text("finality"),
    _text("source"),
    UniqueConstraint("tx", "log_index", "chain", name="pay_transfers_identity"),
    Index("pay_transfers_key", "wallet", "match_key"),
    _index_of("pay_transfers_listed", "wallet", IS_LISTED),
    _index_of("pay_transfers_confirming", "wallet", IS_CONFIRMING),
)

# Two sources of one kind are one opinion.
SOURCES = Table(
    "pay_sources",
    METADATA,
    _key(),
    Column("name", Text, nullable=False, unique=True),
    _text("kind"),
)

# What further sources say of a transfer; the first one stands in the transfer itself.
ATTESTATIONS = Table(
    "pay_attestations",
    METADATA,
    _key(),
    Column("transfer", NUMBER, nullable=False),
    _text("source"),
    _text("disputes"),
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
    _text("was"),
    _text("now"),
    _integer("received"),
    _text("note"),
)

BATCHES = Table(
    "pay_batches",
    METADATA,
    _key(),
    _integer("at"),
    _text("kind"),
    _integer("first"),
    _integer("last"),
    _text("digest"),
    _text("head"),
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
    _text("cursor"),
    Column("read_at", BigInteger),
)

MARKS = Table(
    "pay_marks",
    METADATA,
    Column("name", Text, primary_key=True),
    _integer("value"),
)

# Who has asked about an order first; nobody else is answered.
CUSTOMERS = Table(
    "pay_customers",
    METADATA,
    _key("order_number"),
    _integer("chat"),
    Column("told_at", BigInteger),
    Index("pay_customers_chat", "chat"),
)
