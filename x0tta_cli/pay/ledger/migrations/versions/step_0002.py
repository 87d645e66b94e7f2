"""What a run looks for again and again is found without reading what is settled long since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make indices of the few rows that wait for something."""
    for name, table, columns, waiting in (
        ("pay_transfers_listed", "pay_transfers", ["wallet"], "finality = 'listed'"),
        ("pay_transfers_confirming", "pay_transfers", ["wallet"], "finality = 'confirming'"),
        ("pay_standings_confirming", "pay_standings", ["order_number"], "state = 'confirming'"),
    ):
        where = sa.text(waiting)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
