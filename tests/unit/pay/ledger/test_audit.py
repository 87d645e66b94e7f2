"""The audit finds whatever was changed behind the ledger's back."""

from __future__ import annotations

import pytest

from x0tta_cli.pay.ledger import chain
from x0tta_cli.pay.ledger.audit import audit_empty, audit_ledger
from x0tta_cli.pay.model import Finality

pytestmark = pytest.mark.slow


@pytest.fixture
def worked(till):
    """A ledger in which something has happened."""
    for number in range(5):
        till.expect(f"A-{number}", 1000)
    till.receive(till.transfer(1000, "A-0"), till.transfer(999, "A-1"), till.transfer(7, "x"))
    agreed = till.transfer(1, "A-1")
    till.receive(agreed, till.transfer(1000, "A-0"))
    till.receive(till.transfer(1, "A-1", tx=agreed.tx, source="toncenter"))
    unsure = till.transfer(1, "A-4", finality=Finality.CONFIRMING)
    till.receive(unsure)
    till.receive(till.transfer(1, "A-4", tx=unsure.tx))
    return till


def audit(till, anchor=None):
    with till.ledger.reading() as connection:
        return audit_ledger(connection, anchor)


def test_an_honest_ledger_has_no_differences(worked):
    found = audit(worked)
    assert (found.differences, found.exit_status, found.orders, found.transfers) == ((), 0, 5, 6)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE pay_standings SET state = 'paid', received = 1000 WHERE order_number = 3",
        "UPDATE pay_standings SET received = 5 WHERE order_number = 1",
        "UPDATE pay_orders SET amount = 999 WHERE number = 2",
        "UPDATE pay_orders SET wallet = 1 WHERE number = 1",
        "UPDATE pay_orders SET quorum = 1 WHERE number = 4",
        "UPDATE pay_transfers SET amount = 1000 WHERE number = 2",
        "UPDATE pay_transfers SET memo = 'A-2', match_key = 'm:A-2' WHERE number = 3",
        "UPDATE pay_transfers SET finality = 'failed' WHERE number = 1",
        "UPDATE pay_transfers SET finality = 'failed' WHERE number = 3",
        "UPDATE pay_transfers SET first_finality = 'final' WHERE number = 6",
        "UPDATE pay_transfers SET at = at + 1 WHERE number = 3",
        "DELETE FROM pay_transfers WHERE number = 6",
        "UPDATE pay_attestations SET source = 'tronscan'",
        "DELETE FROM pay_attestations",
        "INSERT INTO pay_attestations VALUES (3, 1, 'toncenter', '')",
        "UPDATE pay_sources SET kind = 'tonapi' WHERE name = 'toncenter'",
        "DELETE FROM pay_log WHERE now = 'unmatched'",
        "UPDATE pay_claims SET transfer = 3 WHERE transfer = 6",
        "DELETE FROM pay_claims WHERE transfer = 1",
        "INSERT INTO pay_claims VALUES (3, 3, 0)",
        "UPDATE pay_claims SET order_number = 4 WHERE transfer = 1",
        "UPDATE pay_claims SET late = 1 WHERE transfer = 1",
        "UPDATE pay_log SET now = 'refunded' WHERE number = 1",
        "DELETE FROM pay_log WHERE number = 1",
        "INSERT INTO pay_log VALUES (99, 3, NULL, 'expected', 'paid', 1000, '')",
        "DELETE FROM pay_batches WHERE number = 2",
        "UPDATE pay_batches SET at = at + 1 WHERE number = 3",
        "UPDATE pay_batches SET first = -4611686018427387904 WHERE kind = 'log'",
        "UPDATE pay_batches SET last = 4611686018427387904 WHERE kind = 'log'",
        "UPDATE pay_wallets SET address = '0:ff' WHERE number = 2",
        "UPDATE pay_orders SET cancelled_at = 1 WHERE number = 5",
        "UPDATE pay_orders SET refunded_at = 1 WHERE number = 1",
    ],
)
def test_whatever_is_changed_is_found(worked, tampering):
    worked.sql(tampering)
    found = audit(worked)
    assert found.exit_status == 3
    assert found.differences


def test_a_log_that_was_cut_short_is_found_against_a_head_that_was_kept(worked):
    kept = audit(worked).log_head
    worked.expect("A-9", 5)
    assert audit(worked, kept).anchored is True
    with worked.ledger.writing() as connection:
        last = chain.latest(connection)
    worked.sql(f"DELETE FROM pay_batches WHERE number >= {last.number - 1}")
    found = audit(worked, kept)
    assert (found.anchored, found.exit_status) == (False, 3)


def test_a_chain_that_was_computed_anew_is_found_against_a_head_that_was_kept(worked):
    kept = audit(worked).log_head
    worked.sql("UPDATE pay_orders SET amount = 999 WHERE number = 3")
    with worked.ledger.writing() as connection:
        before = chain.GENESIS
        batches = connection.exec_driver_sql("SELECT * FROM pay_batches ORDER BY number").fetchall()
        for row in batches:
            batch = chain.Batch(*row)
            digest = chain.digest_of(connection, batch.kind, batch.first, batch.last)
            made = chain.Batch(*row[:5], digest, "")
            before = chain.head_of(before, made)
            connection.exec_driver_sql(
                "UPDATE pay_batches SET digest = ?, head = ? WHERE number = ?",
                (digest, before, batch.number),
            )
    assert audit(worked).differences == ()
    found = audit(worked, kept)
    assert (found.anchored, found.exit_status) == (False, 3)


def test_a_ledger_that_is_gone_is_found_against_a_head_that_was_kept():
    assert audit_empty("ab" * 32).exit_status == 3
    assert audit_empty(None).exit_status == 0
