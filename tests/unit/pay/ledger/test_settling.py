"""Transfers find their orders, exactly once, whichever way they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.till import BEGIN, SHOP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x0tta_cli.core.errors import ConflictError, UsageError
from x0tta_cli.pay.ledger.audit import audit_ledger
from x0tta_cli.pay.ledger.enrolment import Limits, add_orders, cancel, refund
from x0tta_cli.pay.model import Chain, Finality, Receipt
from x0tta_cli.pay.orders import MatchBy, NewOrder

pytestmark = pytest.mark.slow


def test_an_exact_payment_is_paid_once_however_often_it_is_read(till):
    till.expect("A-1", 1000)
    paid = till.transfer(1000, "A-1")
    for _ in range(3):
        till.receive(paid)
    assert till.state("A-1") == "paid"
    assert (till.order("A-1").received, len(till.order("A-1").evidence)) == ("1000", 1)


def test_parts_are_summed_over_runs(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(600, "A-1"))
    assert till.state("A-1") == "underpaid"
    till.receive(till.transfer(400, "A-1"))
    assert till.state("A-1") == "paid"


def test_parts_in_one_run_are_summed(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(600, "A-1"), till.transfer(400, "A-1"))
    assert (till.state("A-1"), till.order("A-1").received) == ("paid", "1000")


def test_a_second_payment_is_a_duplicate_and_its_money_is_counted(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(1000, "A-1"))
    till.receive(till.transfer(1000, "A-1"))
    assert (till.state("A-1"), till.order("A-1").received) == ("duplicate", "2000")


def test_what_comes_after_the_window_is_late_and_not_lost(till):
    till.expect("A-1", 1000, days=1)
    till.receive(till.transfer(1000, "A-1", at=BEGIN + timedelta(days=2)))
    assert (till.state("A-1"), till.order("A-1").received) == ("late", "1000")


def test_a_missing_or_wrong_memo_goes_to_the_queue_with_its_link(till):
    till.expect("A-10", 1000)
    memos = (None, "A-1", "A-100", "a-10", "\u202eA-10")
    till.receive(*(till.transfer(1000, memo) for memo in memos))
    assert till.state("A-10") == "expected"
    assert [one.memo for one in till.unmatched()] == list(memos)
    assert all(
        one.link == f"https://tonviewer.com/transaction/{one.tx}" for one in till.unmatched()
    )


def test_control_characters_around_a_memo_do_not_hide_a_payment(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(1000, "\x1bA-1\n"))
    assert till.state("A-1") == "paid"


def test_an_order_that_is_added_after_its_payment_finds_it(till):
    till.receive(till.transfer(1000, "A-1"), till.transfer(5, "other"))
    till.expect("A-1", 1000)
    till.settle()
    assert till.state("A-1") == "paid"
    assert [one.memo for one in till.unmatched()] == ["other"]


def test_one_address_serves_many_orders(till):
    for number in range(50):
        till.expect(f"A-{number}", 1000 + number)
    till.receive(*(till.transfer(1000 + number, f"A-{number}") for number in range(0, 50, 2)))
    states = [till.state(f"A-{number}") for number in range(50)]
    assert states == ["paid", "expected"] * 25


def test_a_deposit_address_takes_any_transfer_and_no_other_order(till):
    till.expect("A-1", 1000, by=MatchBy.ADDRESS)
    with pytest.raises(ConflictError) as raised:
        till.expect("A-2", 5)
    assert raised.value.code == "pay.key_taken"
    till.receive(till.transfer(400, "whatever"), till.transfer(600))
    assert till.state("A-1") == "paid"


def test_two_open_orders_never_wait_for_one_memo(till):
    till.expect("A-1", 1000, memo="same", days=1)
    with pytest.raises(ConflictError):
        till.expect("A-2", 1000, memo="same")
    later = BEGIN + timedelta(days=2)
    till.expect("A-3", 1000, memo="same", begin=later)
    till.receive(till.transfer(1000, "same", at=later + timedelta(hours=1)))
    assert (till.state("A-1"), till.state("A-3")) == ("expected", "paid")


def test_amounts_are_handed_out_so_that_no_two_orders_wait_for_one(till):
    amounts = {till.expect(f"A-{n}", 5_000_000, asset="usdt-trc20").amount for n in range(300)}
    assert len(amounts) == 300
    assert min(map(int, amounts)) == 5_000_000
    assert max(map(int, amounts)) < 5_010_000


def test_an_amount_is_held_for_so_long_where_an_order_says_no_end(till):
    hold = Limits(amount_hold=timedelta(days=2))
    first = till.expect("A-1", 5_000_000, asset="usdt-trc20", limits=hold)
    assert timedelta(days=2) - (first.valid_until - datetime.now(UTC)) < timedelta(minutes=1)
    ahead = datetime.now(UTC) + timedelta(days=1)
    later = till.expect("A-2", 5_000_000, asset="usdt-trc20", limits=hold, begin=ahead)
    assert later.valid_until - later.valid_from == timedelta(days=2)
    given = till.expect("A-3", 5_000_000, asset="usdt-trc20", limits=hold, days=400)
    assert given.valid_until == BEGIN + timedelta(days=400)
    assert till.expect("A-4", 5_000_000, limits=hold).valid_until is None
    last = datetime(9999, 12, 31, tzinfo=UTC)
    assert till.expect("A-5", 7, asset="usdt-trc20", begin=last).valid_until.year == 9999


def test_an_amount_that_is_held_no_more_is_handed_out_again_and_late_money_is_not_lost(till):
    hold, soon = Limits(amount_hold=timedelta(days=1)), datetime.now(UTC)
    new = [
        NewOrder(f"A-{number}", "usdt-trc20", till.tron.name, 5_000_000, None, soon, None)
        for number in range(10_000)
    ]
    add_orders(till.ledger, new, hold)
    with pytest.raises(ConflictError):
        till.expect("B-1", 5_000_000, asset="usdt-trc20", limits=hold)
    begin = soon + timedelta(days=2)
    again = till.expect("B-2", 5_000_000, asset="usdt-trc20", limits=hold, begin=begin)
    assert again.amount == till.order("A-0").amount
    paid = {"asset": "usdt-trc20", "at": begin + timedelta(minutes=1)}
    till.receive(till.transfer(int(again.amount), **paid))
    till.receive(till.transfer(int(again.amount) + 1, **paid))
    assert [till.state(name) for name in ("A-0", "B-2", "A-1")] == ["expected", "paid", "late"]


def test_a_cancelled_order_takes_no_money_and_its_amount_is_used_last(till):
    first = till.expect("A-1", 5_000_000, asset="usdt-trc20")
    cancel(till.ledger, "A-1")
    second = till.expect("A-2", 5_000_000, asset="usdt-trc20")
    paid = till.transfer(int(first.amount), asset="usdt-trc20")
    till.receive(paid)
    assert second.amount == "5000001"
    assert (till.state("A-1"), till.state("A-2")) == ("cancelled", "expected")
    assert [one.tx for one in till.unmatched()] == [paid.tx]


def test_an_order_that_money_has_come_for_is_not_cancelled(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(10, "A-1"))
    with pytest.raises(ConflictError) as raised:
        cancel(till.ledger, "A-1")
    assert raised.value.code == "pay.has_evidence"


def test_a_refund_is_recorded_with_its_hash_and_what_comes_later_is_nobodys(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(900, "A-1"))
    refund(till.ledger, "A-1", "EE" * 32)
    again = till.transfer(100, "A-1")
    till.receive(again)
    assert (till.state("A-1"), till.order("A-1").received) == ("refunded", "900")
    assert [one.tx for one in till.unmatched()] == [again.tx]


def test_the_hash_of_the_payment_is_not_taken_for_that_of_its_refund(till):
    till.expect("A-1", 1000)
    paid = till.transfer(1000, "A-1")
    till.receive(paid)
    with pytest.raises(UsageError) as raised:
        refund(till.ledger, "A-1", paid.tx)
    assert (raised.value.code, till.state("A-1")) == ("pay.bad_transaction_id", "paid")


def test_nothing_is_refunded_that_never_came(till):
    till.expect("A-1", 1000)
    with pytest.raises(ConflictError):
        refund(till.ledger, "A-1", "ee" * 32)


def test_an_order_name_where_a_hash_is_meant_is_refused(till):
    till.expect("A-1", 1000)
    till.receive(till.transfer(900, "A-1"))
    with pytest.raises(UsageError) as raised:
        refund(till.ledger, "A-1", "A-1")
    assert raised.value.code == "pay.bad_transaction_id"
    with pytest.raises(UsageError):
        till.expect("ee" * 32, 1000)


def test_a_listing_is_seen_until_its_receipt_makes_it_paid(till):
    till.expect("A-1", 5_000_000, asset="usdt-trc20")
    listed = listing(till, 5_000_000)
    till.receive(listed)
    assert till.state("A-1") == "seen"
    till.receipt(till.tron, receipt(till, listed, 5_000_000))
    assert till.state("A-1") == "paid"
    [final] = [one for one in till.order("A-1").evidence if one["finality"] == "final"]
    assert (final["log_index"], final["tx"]) == (3, listed.tx)
    till.receive(listed)
    assert (till.state("A-1"), till.order("A-1").received) == ("paid", "5000000")


def test_a_receipt_that_failed_leaves_the_order_unpaid(till):
    till.expect("A-1", 5_000_000, asset="usdt-trc20")
    listed = listing(till, 5_000_000)
    till.receive(listed)
    failed = Receipt(Chain.TRON, listed.tx, False, listed.at, (), "OUT_OF_ENERGY", "trongrid")
    till.receipt(till.tron, failed)
    assert (till.state("A-1"), till.order("A-1").received) == ("expected", "0")
    till.receive(listed)
    assert till.state("A-1") == "expected"


def test_two_transfers_in_one_transaction_are_two(till):
    till.expect("A-1", 5_000_000, asset="usdt-trc20", by=MatchBy.ADDRESS)
    listed = listing(till, 2_500_000)
    till.receive(listed)
    twin = [
        till.transfer(2_500_000, asset="usdt-trc20", tx=listed.tx, log_index=index)
        for index in (1, 2)
    ]
    till.receipt(
        till.tron, Receipt(Chain.TRON, listed.tx, True, listed.at, tuple(twin), "", "trongrid")
    )
    assert (till.state("A-1"), till.order("A-1").received) == ("paid", "5000000")


def test_what_is_confirming_becomes_final_without_being_counted_twice(till):
    till.expect("A-1", 1000)
    early = till.transfer(1000, "A-1", finality=Finality.CONFIRMING)
    till.receive(early)
    assert till.state("A-1") == "confirming"
    till.receive(till.transfer(1000, "A-1", tx=early.tx))
    assert (till.state("A-1"), till.order("A-1").received) == ("paid", "1000")


def test_above_the_quorum_a_second_kind_of_source_has_to_agree(till):
    till.expect("A-1", 2_000_000_000_000, limits=Limits(quorum="1000"))
    paid = till.transfer(2_000_000_000_000, "A-1")
    till.receive(paid)
    assert till.state("A-1") == "confirming"
    till.receive(till.transfer(paid.amount, "A-1", tx=paid.tx, source="toncenter"))
    assert till.state("A-1") == "paid"
    assert list(till.order("A-1").evidence[0]["sources"]) == ["tonapi", "toncenter"]


def test_sources_that_contradict_each_other_make_a_conflict_with_both_answers(till):
    till.expect("A-1", 1000)
    paid = till.transfer(1000, "A-1")
    till.receive(paid)
    till.receive(till.transfer(999, "A-1", tx=paid.tx, source="toncenter"))
    assert till.state("A-1") == "conflicting"
    assert till.order("A-1").evidence[0]["disputed"] == "toncenter: amount 999 and not 1000"


def test_dust_from_a_look_alike_and_unexpected_amounts_are_nobodys(till):
    till.expect("A-1", 5_000_000, asset="usdt-trc20")
    till.receive(*(till.transfer(n, asset="usdt-trc20") for n in (1, 4_999_999, 5_000_010)))
    assert till.state("A-1") == "expected"
    assert len(till.unmatched()) == 3


def test_a_setting_that_changes_later_changes_no_state(till):
    till.expect("A-1", 1000, limits=Limits(tolerance="0.000000005"))
    till.expect("A-2", 1000)
    till.receive(till.transfer(995, "A-1"), till.transfer(995, "A-2"))
    assert (till.state("A-1"), till.state("A-2")) == ("paid", "underpaid")


def test_a_quorum_beyond_all_money_is_no_quorum(till):
    till.expect("A-1", 2_000 * 10**9, limits=Limits(quorum="9999999999999"))
    till.receive(till.transfer(2_000 * 10**9, "A-1"))
    assert till.state("A-1") == "paid"


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A-0", "A-1", "A-2", "A-20", None]),
        st.integers(98, 102) | st.just(2000),
        st.integers(-1, 5),
        st.sampled_from([Finality.CONFIRMING, Finality.FINAL, Finality.FINAL, Finality.FINAL]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, cuts=st.sets(st.integers(0, 12), max_size=4))
def test_set_operations_and_the_pure_functions_come_to_the_same_states(
    rows, cuts, tmp_path_factory, monkeypatch
):
    """The audit derives each state anew with the pure functions, however the rows were cut."""
    from fakes.till import Till

    monkeypatch.setenv("X0TTA_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    till = Till()
    for name in ("A-0", "A-1", "A-2"):
        till.expect(name, 100, days=3, limits=Limits("0.000001", "0.000000001"))
    page = []
    for number, (memo, amount, day, finality) in enumerate(rows):
        at = BEGIN + timedelta(days=day, hours=1)
        page.append(till.transfer(amount, memo, at=at, finality=finality))
        if number in cuts:
            till.receive(*page)
            page = []
    till.receive(*page)
    with till.ledger.reading() as connection:
        assert audit_ledger(connection).differences == ()
    till.ledger.close()


def listing(till, amount):
    return till.transfer(amount, asset="usdt-trc20", log_index=None, finality=Finality.LISTED)


def receipt(till, listed, amount):
    final = till.transfer(amount, asset="usdt-trc20", tx=listed.tx, log_index=3, recipient=SHOP)
    return Receipt(Chain.TRON, listed.tx, True, listed.at, (final,), "", "trongrid")
