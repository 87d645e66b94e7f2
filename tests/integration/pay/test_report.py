"""A month's sums come out of PostgreSQL as they come out of SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.till import BEGIN, Till

from x0tta_cli.pay.amounts import LARGEST
from x0tta_cli.pay.report.summary import report_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def filled(url):
    """A till in which each kind of sum has something to sum."""
    till = Till(url)
    for number in range(3):
        till.expect(f"BIG-{number}", LARGEST - number)
        till.expect(f"A-{number}", 10**9)
    till.expect("LARGE", 5_000 * 10**9)
    large = till.transfer(5_000 * 10**9, "LARGE", at=BEGIN + timedelta(days=3))
    till.receive(
        till.transfer(10**9, "A-0"),
        till.transfer(10**9, "A-1", at=BEGIN + timedelta(days=29, hours=23)),
        till.transfer(5 * 10**8, "A-2", at=BEGIN + timedelta(days=3)),
        till.transfer(7, "nobody's"),
        large,
    )
    till.receive(large._replace(source="toncenter"))
    return till


@pytest.fixture
def reports(state, database):
    made = [filled(None), filled(database)]
    yield [report_of(till.ledger, "2026-11", NOW) for till in made]
    for till in made:
        till.ledger.close()


def test_both_databases_sum_alike(reports):
    here, there = reports
    assert there.totals == here.totals
    assert there.received == here.received
    assert there.unmatched_totals == here.unmatched_totals
    days = [(one.day, one.transfers, one.amount) for one in there.received]
    assert days == [
        ("2026-11-01", 1, "1000000000"),
        ("2026-11-04", 2, "5000500000000"),
        ("2026-11-30", 1, "1000000000"),
    ]
    [expected] = [one for one in there.totals if one.state == "expected"]
    assert int(expected.amount) == 3 * LARGEST - 3
