"""A ledger of an earlier version is brought forward with all that is in it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from fakes.till import Till

from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.pay.ledger.audit import audit_ledger
from x0tta_cli.pay.ledger.database import SCHEMA, open_ledger, schema_of
from x0tta_cli.pay.ledger.tables import METADATA


def indices_of(ledger):
    inspector = sa.inspect(ledger.engine)
    return {
        one["name"]
        for table in inspector.get_table_names()
        for one in inspector.get_indexes(table)
        if not one["name"].startswith("sqlite_")
    }


@pytest.fixture
def first_step(state):
    """A ledger as the first version has made it, with a payment in it."""
    till = Till()
    till.expect("A-1", 1000)
    till.receive(till.transfer(1000, "A-1"))
    for name in ("transfers_listed", "transfers_confirming", "standings_confirming"):
        till.sql(f"DROP INDEX pay_{name}")
    till.sql("UPDATE pay_schema SET version_num = '0001'")
    till.ledger.close()
    return till


def test_a_new_ledger_has_all_indices_that_its_tables_name(till):
    named = {index.name for table in METADATA.tables.values() for index in table.indexes}
    assert named <= indices_of(till.ledger)


def test_a_ledger_of_the_first_step_gains_what_came_since_and_keeps_its_orders(first_step):
    ledger = open_ledger()
    with ledger.reading() as connection:
        assert schema_of(connection) == SCHEMA
        assert audit_ledger(connection).differences == ()
    assert "pay_transfers_listed" in indices_of(ledger)
    first_step.ledger = ledger
    assert first_step.state("A-1") == "paid"
    ledger.close()


def test_a_ledger_of_a_later_step_is_not_touched(till):
    till.sql("UPDATE pay_schema SET version_num = '9999'")
    till.ledger.close()
    with pytest.raises(ConfigurationError) as raised:
        open_ledger()
    assert raised.value.code == "pay.ledger_newer"
