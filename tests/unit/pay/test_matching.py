"""A transfer finds the order that it is for, and no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.pay.matching import choose, clean_memo, key_of_order, key_of_transfer
from x0tta_cli.pay.orders import MatchBy, Terms


def terms(number, start, end, *, amount=100, **ended):
    return Terms(number, f"A-{number}", amount, start, end, 10**9, 0, **ended)


def test_control_characters_are_taken_out_of_a_memo_and_nothing_else():
    assert clean_memo("\x1b[31mA-1\x00\x9b\r\n") == "[31mA-1"
    assert clean_memo("A-1\n") == "A-1"
    assert clean_memo("\u202eA-1 ") == "\u202eA-1 "
    assert clean_memo("\x00") is None


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_two_memos_have_one_key_only_where_they_are_equal(first, second):
    same = clean_memo(first) == clean_memo(second)
    assert (key_of_transfer(first, 7) == key_of_transfer(second, 7)) == same


@given(st.text(min_size=1, max_size=20).filter(clean_memo), st.integers(1, 10**18))
def test_a_memo_never_stands_for_an_amount(memo, amount):
    assert key_of_transfer(memo, amount) != key_of_order(MatchBy.AMOUNT, None, amount)


def test_a_prefix_a_longer_memo_and_another_case_do_not_match():
    key = key_of_order(MatchBy.MEMO, "A-10", 5)
    others = ("A-1", "A-100", "a-10", " A-10", "A-10 ", "А-10")
    assert all(key_of_transfer(memo, 5) != key for memo in others)


def test_the_order_whose_window_holds_the_transfer_goes_first():
    old, new = terms(1, 0, 100), terms(2, 200, 300)
    assert choose([old, new], 50, 100) is old
    assert choose([new, old], 250, 100) is new


def test_a_transfer_after_all_windows_is_late_for_the_last_of_them():
    old, new = terms(1, 0, 100), terms(2, 200, 300)
    assert choose([old, new], 150, 100) is old
    assert choose([old, new], 999, 100) is new


def test_a_transfer_from_before_an_order_is_not_for_it():
    assert choose([terms(1, 100, None)], 99, 100) is None


def test_a_cancelled_order_takes_nothing():
    assert choose([terms(1, 0, None, is_cancelled=True)], 5, 100) is None


def test_a_refunded_order_takes_nothing():
    assert choose([terms(1, 0, None, is_refunded=True)], 5, 100) is None


def test_less_than_a_ten_thousandth_of_an_order_is_no_part_of_it():
    order = terms(1, 0, None, amount=12_500_000)
    assert choose([order], 5, 1_249) is None
    assert choose([order], 5, 1_250) is order
    # Whoever pays twenty thousand and is short of a fee sends a cent or more, which counts.
    large = terms(3, 0, None, amount=20_000_000_000)
    assert choose([large], 5, 9_999) is None
    assert choose([large], 5, 10_000) is large
    small = terms(2, 0, None, amount=7)
    assert choose([small], 5, 1) is small


def test_the_key_of_a_memo_longer_than_any_order_s_has_a_bounded_length():
    key = key_of_transfer("\U0001f525" * 1024, 7)
    assert len(key.encode()) < 100
    assert key != key_of_transfer("\U0001f525" * 1023, 7)
    assert len(key_of_order(MatchBy.MEMO, "\U0001f525" * 120, 7)) == 122


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 50) | st.none(), st.booleans()), max_size=5
    ),
    st.integers(0, 120),
)
def test_whoever_is_chosen_had_begun_and_was_not_cancelled(windows, at):
    orders = [
        terms(number, start, None if length is None else start + length, is_cancelled=cancelled)
        for number, (start, length, cancelled) in enumerate(windows)
    ]
    chosen = choose(orders, at, 100)
    possible = [one for one in orders if not one.is_cancelled and one.valid_from_ms <= at]
    assert (chosen is None) == (not possible)
    assert chosen is None or chosen in possible
