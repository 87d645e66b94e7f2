"""Many receipts at once: in order, within the limit, and none lost to an error."""

from __future__ import annotations

import time

import pytest
from fakes.chains.server import Trouble

from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.pay.chains.receipts import AT_ONCE, fetch_receipts

pytestmark = pytest.mark.slow


def collect(receipts, found: list[str]) -> None:
    for tx, _ in receipts:
        found.append(tx)


def test_receipts_come_in_the_order_asked_for(reading, tron_ledger):
    grid = reading("trongrid")
    txs = [tron_ledger.transfer(grid.wallet, grid.wallet, 1 + n) for n in range(40)]
    txs.insert(7, "00" * 32)

    found = list(fetch_receipts(grid.source, txs, grid.wallet, grid.asset))
    assert [tx for tx, _ in found] == txs
    assert found[7] == ("00" * 32, None)
    amounts = [receipt.transfers[0].amount for _, receipt in found if receipt]
    assert amounts == list(range(1, 41))


def test_a_slow_server_is_asked_several_at_once_within_its_limit(reading):
    grid = reading("trongrid", requests_per_second=20, limit_per_second=20)
    asked = []
    grid.fake.before = lambda request: asked.append(time.monotonic())

    list(fetch_receipts(grid.source, ["00" * 32] * 30, grid.wallet, grid.asset))
    assert (len(asked), grid.fake.refused) == (30, 0)


def test_what_came_before_an_error_is_given_and_nothing_is_asked_after_it(reading, tron_ledger):
    grid = reading("trongrid", requests_per_day=10)
    txs = [tron_ledger.transfer(grid.wallet, grid.wallet, 1 + n) for n in range(100)]
    found = []

    with pytest.raises(UnavailableError) as refused:
        collect(fetch_receipts(grid.source, txs, grid.wallet, grid.asset), found)
    assert refused.value.code == "pay.budget_spent"
    assert found == txs[: len(found)]
    assert 10 - AT_ONCE < len(found) <= 10
    assert len(grid.fake.requests) == 10


def test_a_block_is_met_once(reading, tron_ledger):
    grid = reading("trongrid")
    grid.fake.trouble = Trouble(status=503)

    with pytest.raises(UnavailableError, match="too often"):
        list(fetch_receipts(grid.source, ["00" * 32] * 100, grid.wallet, grid.asset))
    assert len(grid.fake.requests) <= AT_ONCE
