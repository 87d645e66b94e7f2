"""What of a wallet is read, when, and for how many requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains.server import Trouble
from fakes.pay_world import TON_SHOP

from x0tta_cli.pay.chains.registry import CountedHere, open_sources
from x0tta_cli.pay.reconcile.run import plan

PRICE = 12_500_000


def ago(**duration: float) -> datetime:
    return datetime.now(UTC) - timedelta(**duration)


def requests_of(served, name: str) -> int:
    count = len(served.fakes[name].requests)
    served.fakes[name].requests.clear()
    return count


@pytest.mark.parametrize("asset", ["usdt-trc20", "ton"])
def test_an_order_for_a_time_that_was_read_before_finds_its_payment(shop, served, asset):
    shop.expect("A-1", 5 * PRICE, asset)
    if asset == "ton":
        served.pay_ton(PRICE, "B-1", at=ago(days=3))
    else:
        served.pay_tron(PRICE, at=ago(days=3))
    shop.reconcile()
    shop.expect("B-1", PRICE, asset, begin=ago(days=4))
    shop.reconcile()
    assert shop.state("B-1") == "paid"


def test_since_leaves_no_gap_behind(shop, served):
    shop.expect("A-1", PRICE, "usdt-trc20", begin=ago(hours=9))
    shop.reconcile()
    served.pay_tron(PRICE, at=ago(hours=8))
    shop.reconcile(since=ago(minutes=30), overlap=timedelta(hours=10))
    assert shop.state("A-1") == "paid"


def test_what_was_not_final_and_is_gone_counts_no_longer_and_may_come_back(shop, served):
    shop.expect("A-1", 10**9)
    served.fakes["tonapi"].trouble = Trouble(is_down=True)
    served.fakes["toncenter"].habits.finality = "pending"
    tx = served.pay_ton(10**9, "A-1")
    shop.reconcile()
    assert shop.state("A-1") == "confirming"
    served.ton.hidden.add(tx)
    shop.reconcile()
    assert shop.state("A-1") == "expected"
    assert shop.differences() == ()
    served.ton.hidden.clear()
    served.fakes["toncenter"].habits.finality = "finalized"
    shop.reconcile()
    assert (shop.state("A-1"), shop.order("A-1").received) == ("paid", str(10**9))
    assert shop.differences() == ()


@pytest.mark.parametrize("count", [1, 199, 200, 450])
def test_requests_grow_with_pages(shop, served, count):
    for number in range(count):
        order = shop.expect(f"T-{number}", PRICE, "usdt-trc20")
        served.pay_tron(int(order.amount))
        shop.expect(f"N-{number}", PRICE)
        served.pay_ton(PRICE, f"N-{number}")
    for name in served.fakes:
        requests_of(served, name)
    assert shop.reconcile().orders == {"paid": 2 * count}
    pages = -(-count // 200)
    assert requests_of(served, "trongrid") == pages + 1 + count
    # Two wallets there, one of them empty.
    for name in ("tonapi", "toncenter"):
        assert requests_of(served, name) <= pages + 1 + 2
    shop.reconcile()
    # On TON nothing is read twice; on TRON the overlap is, and no receipt.
    assert [requests_of(served, name) for name in ("tonapi", "toncenter")] == [3, 3]
    assert requests_of(served, "trongrid") == pages + 1


def test_a_budget_is_planned_printed_and_kept_and_the_rest_waits(shop, served):
    for number in range(12):
        order = shop.expect(f"T-{number}", PRICE, "usdt-trc20")
        served.pay_tron(int(order.amount))
    limited = served.config.read_text().replace(
        'kind = "trongrid"', 'kind = "trongrid"\nrequests_per_day = 8'
    )
    served.config.write_text(limited)
    usage = CountedHere()
    with open_sources(shop.settings().sources, usage=usage) as sources:
        (planned,) = (one for one in plan(shop.ledger, sources).reads if one.source == "trongrid")
    assert (planned.requests, planned.receipts, planned.left_today) == (2, 12, 8)
    assert not planned.fits
    requests_of(served, "trongrid")

    result = shop.reconcile()
    assert requests_of(served, "trongrid") == 8
    assert (result.orders["paid"], result.waiting, result.exit_status) == (6, 6, 10)
    assert "pay.budget_spent" in {one.code for one in result.unread}
    states = {one.name: one.state for one in result.sources}
    assert (states["trongrid"], states["tronscan"]) == ("degraded", "ok")
    served.config.write_text(limited.replace("requests_per_day = 8", ""))
    assert shop.reconcile().orders == {"paid": 12}


def test_above_the_quorum_two_kinds_of_sources_have_to_agree(shop, served):
    large = 2_000 * 10**9
    shop.expect("A-1", large)
    served.fakes["toncenter"].trouble = Trouble(status=503)
    served.pay_ton(large, "A-1")
    result = shop.reconcile()
    assert (shop.state("A-1"), result.exit_status) == ("confirming", 10)
    served.fakes["toncenter"].trouble = None
    assert shop.reconcile().orders == {"paid": 1}
    assert sorted(shop.order("A-1").evidence[0]["sources"]) == ["tonapi", "toncenter"]


def test_sources_that_contradict_each_other_are_shown_with_both_answers(shop, served):
    shop.expect("A-1", PRICE)
    served.pay_ton(PRICE, "A-1")
    handle = served.fakes["toncenter"].handle

    def another_amount(request):
        given = handle(request)
        content = given.content().replace(b'"12500000"', b'"12500001"')
        return type(given)(content, given.status, given.headers)

    served.fakes["toncenter"].handle = another_amount
    result = shop.reconcile()
    assert (shop.state("A-1"), result.exit_status) == ("conflicting", 10)
    (told,) = shop.order("A-1").evidence
    assert told["amount"] == str(PRICE)
    assert told["disputed"] == "toncenter: amount 12500001 and not 12500000"
    assert shop.verify("A-1").exit_status == 10
    assert shop.differences() == ()


def test_what_was_read_before_a_source_failed_is_kept(shop, served):
    for number in range(1500):
        served.ton.pay_ton("0:" + "11" * 32, TON_SHOP, 1 + number, at=ago(hours=1))
    shop.expect("A-1", 10**9, begin=ago(hours=2))
    served.fakes["toncenter"].trouble = Trouble(is_down=True)
    left = [7]

    def fail_later(_request: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            served.fakes["tonapi"].trouble = Trouble(status=429)

    served.fakes["tonapi"].before = fail_later
    shop.reconcile()
    kept = shop.unmatched()
    assert 0 < kept < 1500
    served.fakes["tonapi"].before = served.fakes["tonapi"].trouble = None
    requests_of(served, "tonapi")
    shop.reconcile()
    assert shop.unmatched() == 1500
    # It went on where it was, and read nothing twice.
    assert requests_of(served, "tonapi") <= -(-(1500 - kept) // 200) + 3


@pytest.mark.parametrize("first", ["tonapi", "toncenter"])
def test_a_source_that_may_still_roll_it_back_does_not_agree_that_it_is_final(shop, served, first):
    large = 2_000 * 10**9
    shop.expect("A-1", large)
    served.pay_ton(large, "A-1")
    other = "toncenter" if first == "tonapi" else "tonapi"
    served.fakes["toncenter"].habits.finality = "pending"
    served.fakes[other].trouble = Trouble(status=503)
    shop.reconcile()
    served.fakes[other].trouble = None
    for _ in range(2):
        shop.reconcile()
        assert (shop.state("A-1"), shop.order("A-1").received) == ("confirming", "0")
    assert shop.differences() == ()
    served.fakes["toncenter"].habits.finality = "finalized"
    assert shop.reconcile().orders == {"paid": 1}
    assert shop.differences() == ()


def test_an_order_for_a_time_before_the_chain_asks_for_none_before_it(shop, served):
    long_ago = datetime(26, 11, 1, tzinfo=UTC)
    order = shop.expect("A-1", PRICE, "usdt-trc20", begin=long_ago)
    served.pay_tron(int(order.amount))
    result = shop.reconcile()
    assert {one.name: one.state for one in result.sources}["trongrid"] == "ok"
    asked = [one.query for one in served.fakes["trongrid"].requests if "min_timestamp" in one.query]
    assert min(int(one["min_timestamp"]) for one in asked) > 1_500_000_000_000
    assert shop.state("A-1") == "paid"
