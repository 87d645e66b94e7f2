"""Calls side by side, within a bound of time."""

from __future__ import annotations

import threading

from x0tta_cli.core.bounded import call_all


def test_answers_come_in_the_order_of_the_calls():
    first_may_end = threading.Event()

    def wait():
        assert first_may_end.wait(30)
        return "first"

    def release():
        first_may_end.set()
        return "second"

    assert call_all([wait, release], 30) == ["first", "second"]


def test_an_error_is_an_answer_and_one_that_hangs_has_none():
    forever = threading.Event()
    failed, late, well = call_all([lambda: 1 / 0, forever.wait, lambda: 7], 0.2)
    assert isinstance(failed, ZeroDivisionError)
    assert isinstance(late, TimeoutError)
    assert well == 7
    forever.set()


def test_no_calls_have_no_answers():
    assert call_all([], 0.1) == []
