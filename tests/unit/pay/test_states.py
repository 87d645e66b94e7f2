"""The state of an order follows from its terms and its evidence alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.pay.orders import OrderState, Terms
from x0tta_cli.pay.states import FAILED, SETTLED, Claimed, derive

TERMS = Terms(1, "A-1", 100, 0, 1000, quorum=1000, tolerance=0)
LARGE = Terms(1, "A-1", 5000, 0, 1000, quorum=1000, tolerance=0)


def claimed(amount, finality="final", kinds=1, *, late=False, disputed=False):
    return Claimed(amount, late, finality, kinds, disputed)


@pytest.mark.parametrize(
    ("evidence", "state", "received"),
    [
        ([], "expected", 0),
        ([claimed(100)], "paid", 100),
        ([claimed(99)], "underpaid", 99),
        ([claimed(60), claimed(40)], "paid", 100),
        ([claimed(60), claimed(39)], "underpaid", 99),
        ([claimed(101)], "overpaid", 101),
        ([claimed(60), claimed(60)], "overpaid", 120),
        ([claimed(100), claimed(100)], "duplicate", 200),
        ([claimed(100), claimed(100, late=True)], "duplicate", 200),
        ([claimed(100, late=True)], "late", 100),
        ([claimed(60), claimed(40, late=True)], "late", 100),
        ([claimed(50, late=True)], "underpaid", 50),
        ([claimed(100, "listed")], "seen", 0),
        ([claimed(100, "confirming")], "confirming", 0),
        ([claimed(60), claimed(40, "listed")], "confirming", 60),
        ([claimed(100), claimed(100, "listed")], "paid", 100),
        ([claimed(100, FAILED)], "expected", 0),
        ([claimed(100, SETTLED), claimed(100)], "paid", 100),
        ([claimed(100, kinds=2, disputed=True)], "conflicting", 100),
        ([claimed(100, FAILED, disputed=True)], "expected", 0),
    ],
)
def test_each_kind_of_evidence_has_its_state(evidence, state, received):
    standing = derive(TERMS, evidence)
    assert (standing.state, standing.received) == (state, received)


def test_above_the_quorum_one_kind_of_source_is_not_enough():
    assert derive(LARGE, [claimed(5000)]).state is OrderState.CONFIRMING
    assert derive(LARGE, [claimed(5000, kinds=2)]).state is OrderState.PAID


def test_a_large_transfer_needs_two_kinds_for_a_small_order_as_well():
    assert derive(TERMS, [claimed(5000)]).state is OrderState.CONFIRMING


def test_many_small_parts_of_a_large_order_need_two_kinds_each():
    parts = [claimed(500)] * 10
    assert derive(LARGE, parts).state is OrderState.CONFIRMING


def test_a_tolerance_holds_in_both_directions_and_no_further():
    terms = Terms(1, "A-1", 100, 0, 1000, quorum=1000, tolerance=2)
    found = {amount: derive(terms, [claimed(amount)]).state for amount in (97, 98, 102, 103)}
    assert list(found.values()) == ["underpaid", "paid", "paid", "overpaid"]


def test_what_was_refunded_or_cancelled_stays_so():
    refunded = Terms(1, "A-1", 100, 0, None, 1000, 0, is_refunded=True)
    cancelled = Terms(1, "A-1", 100, 0, None, 1000, 0, is_cancelled=True)
    assert derive(refunded, [claimed(100)]).state is OrderState.REFUNDED
    assert derive(cancelled, []).state is OrderState.CANCELLED


EVIDENCE = st.builds(
    Claimed,
    amount=st.integers(1, 200),
    is_late=st.booleans(),
    finality=st.sampled_from(["listed", "confirming", "final", FAILED, SETTLED]),
    kinds=st.integers(1, 3),
    is_disputed=st.booleans(),
)


@given(st.lists(EVIDENCE, max_size=6), st.integers(1, 300), st.integers(0, 5), st.integers(0, 400))
def test_nothing_is_paid_without_enough_final_agreed_and_timely_money(
    evidence, amount, tolerance, quorum
):
    terms = Terms(1, "A-1", amount, 0, 1000, quorum, tolerance)
    standing = derive(terms, evidence)
    counted = [
        one.amount
        for one in evidence
        if one.finality == "final"
        and not one.is_late
        and (one.kinds >= 2 or max(one.amount, amount) <= quorum)
    ]
    disputed = any(one.is_disputed for one in evidence if one.finality not in (FAILED, SETTLED))
    if standing.state is OrderState.PAID:
        assert amount - tolerance <= sum(counted)
        assert not disputed
    if sum(counted) >= amount - tolerance and not disputed:
        assert standing.state in {"paid", "overpaid", "duplicate"}
