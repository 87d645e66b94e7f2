from __future__ import annotations

import numpy as np
import pytest

from x0tta_cli.ml.agreement import agreement, correlation

WHOLE = np.array([0.0, 0.0, 4.0, 6.0, 5.0])


def one(series, whole=WHOLE):
    return float(agreement(np.array([series], dtype=float), np.asarray(whole, dtype=float))[0])


def test_equal_series_agree_fully():
    assert one(WHOLE) == pytest.approx(1.0)


def test_what_is_too_small_accounts_for_less_and_what_is_larger_for_no_less():
    assert one(0.5 * WHOLE) == pytest.approx(0.8)
    assert one(0.1 * WHOLE) < 0.25
    assert one(3.0 * WHOLE) == pytest.approx(1.0)


def test_what_moves_at_other_times_does_not_agree():
    assert one([5, 5, 0, 0, 0]) == 0
    assert one([6, 4, 5, 6, 5]) < one([0, 1, 5, 6, 4])


def test_what_lasts_for_the_whole_incident_is_a_change_against_health():
    assert one([5, 5, 5, 5, 5], [7, 7, 7, 7, 7]) > 0.9
    assert one([5], [5]) == pytest.approx(1.0)


@pytest.mark.parametrize("whole", [[], [0.0, 0.0]])
def test_nothing_accounts_for_nothing(whole):
    assert one(np.zeros(len(whole)), whole) == 0


def test_relief_is_no_burden():
    assert one(-WHOLE) == 0


def test_correlation_is_of_any_size():
    found = correlation(np.array([0.01 * WHOLE, 100 * WHOLE, -WHOLE]), WHOLE)
    assert found == pytest.approx([1.0, 1.0, 0.0])
