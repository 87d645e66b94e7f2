"""What operators of such systems ran into."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains.server import Trouble
from fakes.chains.tron import Move, address_of
from fakes.pay_world import PAYER, SHOP, TON_SHOP, world

from x0tta_cli.core.errors import UsageError
from x0tta_cli.pay.ledger.enrolment import Limits
from x0tta_cli.pay.ledger.reading import orders_in
from x0tta_cli.pay.orders import MatchBy

PRICE = 12_500_000


def test_a_payment_that_a_flapping_provider_hid_is_found_later_and_not_lost(shop, served):
    shop.expect("A-1", 3 * 10**9)
    tx = served.pay_ton(3 * 10**9, "A-1")
    served.ton.hidden.add(tx)
    shop.reconcile()
    assert shop.state("A-1") == "expected"
    served.ton.hidden.clear()
    shop.reconcile()
    assert shop.state("A-1") == "paid"


def test_a_throttled_provider_is_degraded_and_other_assets_go_on(shop, served):
    shop.expect("T-1", PRICE, "usdt-trc20")
    shop.expect("N-1", 10**9)
    served.pay_tron(PRICE)
    served.pay_ton(10**9, "N-1")
    for name in ("trongrid", "tronscan"):
        served.fakes[name].trouble = Trouble(status=429, headers={"retry-after": "40"})
    result = shop.reconcile()
    states = {one.name: one.state for one in result.sources}
    assert (states["trongrid"], states["tonapi"]) == ("degraded", "ok")
    assert (shop.state("N-1"), shop.state("T-1")) == ("paid", "expected")
    assert result.exit_status == 7
    assert {one.code for one in result.unread} == {"pay.source_throttled"}
    for name in ("trongrid", "tronscan"):
        served.fakes[name].trouble = None
    shop.reconcile()
    assert shop.state("T-1") == "paid"


def test_one_source_that_is_down_costs_its_own_answers_alone(shop, served):
    shop.expect("N-1", 10**9)
    served.pay_ton(10**9, "N-1")
    served.fakes["tonapi"].trouble = Trouble(is_down=True)
    result = shop.reconcile()
    assert {one.name: one.state for one in result.sources}["tonapi"] == "down"
    assert (shop.state("N-1"), result.exit_status) == ("paid", 10)


def test_an_index_that_is_forty_minutes_late_leads_to_one_credit(shop, served):
    shop.expect("A-1", PRICE, "usdt-trc20")
    served.tron.index_until = datetime.now(UTC) - timedelta(minutes=40)
    served.pay_tron(PRICE)
    shop.reconcile()
    assert shop.state("A-1") == "expected"
    served.tron.index_until = None
    for _ in range(3):
        shop.reconcile()
    assert (shop.state("A-1"), shop.order("A-1").received) == ("paid", str(PRICE))


def test_what_was_paid_after_its_time_is_late_with_its_evidence(shop, served):
    now = datetime.now(UTC)
    shop.expect("A-1", 10**9, end=now - timedelta(minutes=10))
    served.pay_ton(10**9, "A-1")
    shop.reconcile()
    order = shop.order("A-1")
    assert (order.state, order.received, len(order.evidence)) == ("late", str(10**9), 1)
    assert shop.verify("A-1").exit_status == 3


def test_two_processes_never_hand_out_one_amount(shop):
    shop.ledger.close()
    child = os.fork()
    who = "child" if child == 0 else "parent"
    try:
        for number in range(20):
            shop.expect(f"{who}-{number}", PRICE, "usdt-trc20")
    finally:
        if child == 0:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with shop.ledger.reading() as connection:
        amounts = [order.amount for order in orders_in(connection)]
    assert len(amounts) == len(set(amounts)) == 40


def test_the_time_zone_of_the_host_moves_no_window(shop, served, monkeypatch):
    now = datetime.now(UTC)
    shop.expect("A-1", 10**9, begin=now - timedelta(minutes=5), end=now + timedelta(minutes=5))
    served.pay_ton(10**9, "A-1")
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        shop.reconcile()
        assert shop.state("A-1") == "paid"
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_an_order_where_a_hash_is_meant_is_refused(shop):
    shop.expect("A-1", PRICE, "usdt-trc20")
    with pytest.raises(UsageError) as raised:
        shop.verify("A-1", tx="A-1")
    assert raised.value.code == "pay.bad_transaction_id"


def test_a_hash_that_the_payer_names_is_asked_for(shop, served):
    shop.expect("A-1", PRICE, "usdt-trc20")
    tx = served.pay_tron(PRICE)
    served.tron.index_until = datetime.now(UTC) - timedelta(hours=1)
    assert shop.verify("A-1").state == "expected"
    verdict = shop.verify("A-1", tx=tx)
    assert (verdict.state, verdict.exit_status) == ("paid", 0)


def test_pages_are_read_and_not_orders(shop, served):
    for number in range(400):
        shop.expect(f"N-{number}", 10**9 + number)
        served.pay_ton(10**9 + number, f"N-{number}")
    for fake in served.fakes.values():
        fake.requests.clear()
    result = shop.reconcile()
    assert result.orders == {"paid": 400}
    # Two wallets of TON, each with a page or two, and the horizon.
    assert len(served.fakes["tonapi"].requests) <= 5


def test_receipts_are_fetched_for_rows_that_match_an_order_alone(shop, served):
    order = shop.expect("A-1", PRICE, "usdt-trc20")
    served.pay_tron(int(order.amount))
    for number in range(30):
        served.pay_tron(1000 + number)
    shop.reconcile()
    asked = [one for one in served.fakes["trongrid"].requests if "gettransactioninfo" in one.path]
    assert (len(asked), shop.state("A-1"), shop.unmatched()) == (1, "paid", 30)


def test_a_failed_answer_is_no_answer(shop, served):
    shop.expect("N-1", 10**9)
    served.pay_ton(10**9, "N-1")
    for trouble in (
        Trouble(truncates=True),
        Trouble(body=b"<html>"),
        Trouble(pads_to=5_000_000, body=b"{"),
    ):
        for name in ("tonapi", "toncenter"):
            served.fakes[name].trouble = trouble
        result = shop.reconcile()
        assert (shop.state("N-1"), result.exit_status) == ("expected", 7)
    for name in ("tonapi", "toncenter"):
        served.fakes[name].trouble = None
    shop.reconcile()
    assert shop.state("N-1") == "paid"


def test_a_page_that_repeats_for_ever_ends_the_reading(shop, served):
    for number in range(300):
        served.pay_tron(1_000_000 + number)
    served.fakes["trongrid"].habits.repeats_first_page = True
    result = shop.reconcile()
    states = {one.name: one.state for one in result.sources}
    assert states["trongrid"] == "down"
    assert states["tronscan"] == "ok"


def test_what_is_swept_from_a_wallet_takes_no_payment_back(shop, served):
    shop.expect("T-1", PRICE, "usdt-trc20")
    shop.expect("N-1", 10**9)
    served.pay_tron(PRICE)
    served.pay_ton(10**9, "N-1")
    shop.reconcile()
    served.tron.transfer(SHOP, address_of("cold"), PRICE)
    # A wallet sends on an external message, which has no source and brings nothing.
    served.ton.pay_ton(None, TON_SHOP, 0, at=datetime.now(UTC) - timedelta(seconds=20))
    for _ in range(2):
        shop.reconcile()
        assert (shop.state("T-1"), shop.state("N-1"), shop.unmatched()) == ("paid", "paid", 0)


def test_many_transfers_of_one_instant_are_read_over_all_pages(shop, served):
    at = datetime.now(UTC) - timedelta(minutes=5)
    for number in range(450):
        served.tron.transfer(PAYER, SHOP, 1_000_000 + number, at=at)
    shop.expect("A-1", PRICE, "usdt-trc20")
    shop.reconcile()
    assert shop.unmatched() == 450
    shop.reconcile()
    assert shop.unmatched() == 450


def test_what_comes_after_many_pages_is_read_and_not_the_oldest_page_again(shop, served):
    for number in range(450):
        at = datetime.now(UTC) - timedelta(minutes=50) + timedelta(seconds=3 * number)
        served.tron.transfer(PAYER, SHOP, 1_000_000 + number, at=at)
    order = shop.expect("A-1", PRICE, "usdt-trc20")
    shop.reconcile()
    served.pay_tron(int(order.amount))
    shop.reconcile()
    assert (shop.state("A-1"), shop.unmatched()) == ("paid", 450)


def test_a_transaction_that_failed_with_a_huge_amount_is_no_payment(shop, served):
    order = shop.expect("A-1", PRICE, "usdt-trc20")
    move = Move(PAYER, SHOP, int(order.amount))
    for result in ("OUT_OF_ENERGY", "REVERT"):
        served.tron.transaction(move, result=result)
    shop.reconcile()
    assert (shop.state("A-1"), shop.order("A-1").received) == ("expected", "0")


def test_a_payment_off_by_a_little_is_right_only_where_that_is_configured(shop, served):
    shop.expect("EXACT", 10**9)
    shop.expect("ABOUT", 10**9, limits=Limits(tolerance="0.01"))
    for order in ("EXACT", "ABOUT"):
        served.pay_ton(990_000_000, order)
    shop.reconcile()
    assert (shop.state("EXACT"), shop.state("ABOUT")) == ("underpaid", "paid")


def test_parts_of_an_order_are_summed_and_too_much_is_said(shop, served):
    for order in ("PARTS", "MUCH", "TWICE"):
        shop.expect(order, 10**9)
    for order, amount in (
        ("PARTS", 600_000_000),
        ("PARTS", 400_000_000),
        ("MUCH", 1_000_000_001),
        ("TWICE", 10**9),
        ("TWICE", 10**9),
    ):
        served.pay_ton(amount, order)
    shop.reconcile()
    states = {order: shop.state(order) for order in ("PARTS", "MUCH", "TWICE")}
    assert states == {"PARTS": "paid", "MUCH": "overpaid", "TWICE": "duplicate"}
    assert shop.order("TWICE").received == str(2 * 10**9)


def test_dust_is_no_part_of_an_order_that_has_a_wallet_of_its_own(shop, served):
    order = shop.expect("A-1", PRICE, "usdt-trc20", by=MatchBy.ADDRESS)
    look_alike = address_of("looks like the payer")
    for amount in (0, 1, 1000):
        served.tron.transfer(look_alike, SHOP, amount)
    shop.reconcile()
    assert (shop.state("A-1"), shop.order("A-1").received) == ("expected", "0")
    served.pay_tron(int(order.amount))
    served.tron.transfer(look_alike, SHOP, 7)
    shop.reconcile()
    assert (shop.state("A-1"), shop.order("A-1").received) == ("paid", str(PRICE))
    # Not income, and not lost: 1, 1000 and 7 are in the queue.
    assert shop.unmatched() == 3
    assert shop.differences() == ()


def test_dust_under_a_memo_that_the_chain_has_shown_makes_no_payment_wrong(shop, served):
    shop.expect("N-1", 3 * 10**9)
    served.pay_ton(3 * 10**9, "N-1")
    served.pay_ton(1, "N-1")
    shop.reconcile()
    served.pay_ton(2, "N-1")
    shop.reconcile()
    assert (shop.state("N-1"), shop.order("N-1").received) == ("paid", str(3 * 10**9))
    assert shop.unmatched() == 2


def test_one_transaction_with_many_equal_transfers_hides_no_other_payment(shop, served):
    order = shop.expect("A-1", PRICE, "usdt-trc20")
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    served.tron.transaction(*[Move(PAYER, SHOP, 1)] * 450, at=long_ago)
    served.pay_tron(int(order.amount))
    served.fakes["tronscan"].trouble = Trouble(is_down=True)
    result = shop.reconcile()
    assert {one.name: one.state for one in result.sources}["trongrid"] == "ok"
    assert shop.state("A-1") == "paid"


def test_where_no_source_gives_receipts_nothing_is_paid_and_it_is_said_why(
    state, tmp_path, open_shop
):
    with world(tmp_path, "tronscan") as served:
        shop = open_shop(served)
        order = shop.expect("A-1", PRICE, "usdt-trc20")
        served.pay_tron(int(order.amount), at=datetime.now(UTC) - timedelta(minutes=5))
        result = shop.reconcile()
        assert [(one.source, one.code) for one in result.unread] == [("-", "pay.no_receipts")]
        verdict = shop.verify("A-1")
        assert (verdict.state, verdict.exit_status) == ("seen", 10)
        assert "whose receipts settle" in verdict.unread[0]
        shop.ledger.close()
