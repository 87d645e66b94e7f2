"""How Alembic reaches the ledger: over the connection that `ledger.database` has opened."""

from __future__ import annotations

from alembic import context

from x0tta_cli.pay.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="pay_schema",
    transactional_ddl=False,
)
context.run_migrations()
