"""The first form of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_wallets_and_orders()
    _make_transfers()
    _make_states()
    _make_reading()


def _make_wallets_and_orders() -> None:
    op.create_table(
        "pay_wallets",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.UniqueConstraint("asset", "address", name="pay_wallets_of_asset"),
    )
    op.create_table(
        "pay_orders",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("wallet", NUMBER, sa.ForeignKey("pay_wallets.number"), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("memo", sa.Text),
        sa.Column("match_key", sa.Text, nullable=False),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger),
        sa.Column("quorum", sa.BigInteger, nullable=False),
        sa.Column("tolerance", sa.BigInteger, nullable=False),
        sa.Column("cancelled_at", sa.BigInteger),
        sa.Column("refunded_at", sa.BigInteger),
    )
    op.create_index(
        "pay_orders_key",
        "pay_orders",
        [
            "wallet",
            "match_key",
            "valid_from",
            "valid_until",
            "amount",
            "quorum",
            "tolerance",
            "cancelled_at",
        ],
    )


def _make_transfers() -> None:
    op.create_table(
        "pay_transfers",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("tx", sa.Text, nullable=False),
        sa.Column("log_index", sa.BigInteger, nullable=False),
        sa.Column("wallet", NUMBER, sa.ForeignKey("pay_wallets.number"), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("memo", sa.Text),
        sa.Column("match_key", sa.Text, nullable=False),
        sa.Column("first_finality", sa.Text, nullable=False),
        sa.Column("finality", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.UniqueConstraint("tx", "log_index", "chain", name="pay_transfers_identity"),
    )
    op.create_index(
        "pay_transfers_key",
        "pay_transfers",
        [
            "wallet",
            "match_key",
        ],
    )


def _make_states() -> None:
    op.create_table(
        "pay_standings",
        sa.Column("order_number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pay_claims",
        sa.Column("transfer", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("order_number", NUMBER, nullable=False),
        sa.Column("late", sa.Integer, nullable=False),
    )
    op.create_index(
        "pay_claims_order",
        "pay_claims",
        [
            "order_number",
        ],
    )
    op.create_table(
        "pay_log",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("order_number", NUMBER),
        sa.Column("transfer", NUMBER),
        sa.Column("was", sa.Text, nullable=False),
        sa.Column("now", sa.Text, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "pay_batches",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
    )


def _make_reading() -> None:
    op.create_table(
        "pay_sources",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
    )
    op.create_table(
        "pay_attestations",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("transfer", NUMBER, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("disputes", sa.Text, nullable=False),
        sa.UniqueConstraint("transfer", "source", "disputes", name="pay_attestations_of_source"),
    )
    op.create_table(
        "pay_cursors",
        sa.Column("wallet", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("read_until", sa.BigInteger),
        sa.Column("window_since", sa.BigInteger),
        sa.Column("window_until", sa.BigInteger),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("read_at", sa.BigInteger),
    )
    op.create_table(
        "pay_marks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pay_customers",
        sa.Column("order_number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("told_at", sa.BigInteger),
    )
    op.create_index(
        "pay_customers_chat",
        "pay_customers",
        [
            "chat",
        ],
    )
