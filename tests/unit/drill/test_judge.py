from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.drill.judge import (
    accuracy,
    best_ranked,
    bootstrap_interval,
    frequency_ranks,
    verdict_on,
    wilson_interval,
)
from x0tta_cli.drill.model import Verdict

ranks = st.lists(st.none() | st.integers(1, 40), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("truth", "enough", "verdict"),
    [
        ("a", True, Verdict.HIT),
        ("c", True, Verdict.HIT),
        ("d", True, Verdict.MISS),
        ("elsewhere", True, Verdict.MISS),
        ("a", False, Verdict.INCONCLUSIVE),
        (None, True, Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_needs_the_truth_among_the_first_three(truth, enough, verdict):
    truth, rank = best_ranked([truth] if truth else [], ["a", "b", "c", "d"])
    assert verdict_on(truth, rank, enough=enough) is verdict


def test_exit_statuses_follow_the_verdict():
    from x0tta_cli.drill.model import EXIT_STATUS_OF

    assert {verdict.value: int(status) for verdict, status in EXIT_STATUS_OF.items()} == {
        "hit": 0,
        "miss": 3,
        "inconclusive": 10,
    }


def test_ranks_count_from_one_and_the_best_ranked_of_several_causes_counts():
    assert best_ranked(["b"], ["a", "b"]) == ("b", 2)
    assert best_ranked(["z"], ["a", "b"]) == ("z", None)
    assert best_ranked(["z", "b", "a"], ["a", "b"]) == ("a", 1)
    assert best_ranked([], ["a", "b"]) == (None, None)


def test_accuracy_of_known_ranks():
    found = accuracy([1, 2, 4, None])
    assert found.top_1 == 0.25
    assert found.top_3 == 0.5
    assert found.avg_5 == pytest.approx((1 + 2 + 2 + 3 + 3) / 4 / 5)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 4)


@pytest.mark.slow
@given(ranks)
def test_accuracy_is_ordered_and_inside_its_intervals(values):
    found = accuracy(values)
    assert 0 <= found.top_1 <= found.top_3 <= 1
    assert found.top_1 <= found.mrr + 1e-9
    for name, (low, high) in found.intervals.items():
        assert low - 1e-9 <= getattr(found, name) <= high + 1e-9, name


def test_wilson_interval_agrees_with_the_published_example():
    # 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I, method 3).
    low, high = wilson_interval(81 / 263, 263)
    assert low == pytest.approx(0.2553, abs=5e-5)
    assert high == pytest.approx(0.3662, abs=5e-5)


def test_bootstrap_interval_shrinks_with_more_incidents_and_is_repeatable():
    few, many = [0.0, 1.0] * 5, [0.0, 1.0] * 80
    assert bootstrap_interval(few) == bootstrap_interval(few)
    width_few, width_many = (math.dist(*[[x] for x in bootstrap_interval(v)]) for v in (few, many))
    assert width_many < width_few / 2


def test_the_frequency_baseline_never_counts_the_incident_it_judges():
    assert frequency_ranks(["a", "a", "b"]) == [1.5, 1.5, None]
    assert frequency_ranks(["a", "a", "a", "b", "b"]) == [1.5, 1.5, 1.5, 2, 2]
