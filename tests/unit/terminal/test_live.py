"""Rounds of a live view as a plain stream."""

from __future__ import annotations

from x0tta_cli.terminal.live import Rounds


def test_rounds_are_a_stream_of_their_items():
    assert list(Rounds([["a", "b"], [], ["c"]])) == ["a", "b", "c"]


def test_no_round_is_no_item():
    assert list(Rounds([])) == []


def test_a_round_is_asked_for_when_the_one_before_is_used_up():
    asked = []

    def rounds():
        for number in range(3):
            asked.append(number)
            yield [number, number]

    stream = Rounds(rounds())
    assert [next(stream), next(stream)] == [0, 0]
    assert asked == [0]
    assert next(stream) == 1
    assert asked == [0, 1]
