from __future__ import annotations

import numpy as np
import pytest
from fakes.handmade_mesh import healthy_values, make

from x0tta_cli.ml.baseline import LARGEST_DEVIATION, Baseline


def baseline_of(values, **options):
    return Baseline.of(make(values, **options))


def test_a_deviation_is_counted_in_robust_deviations_of_the_component_itself():
    values = healthy_values(2)
    values[1, :, 0] *= 100
    found = baseline_of(values).deviations(values)[:, :, 0]
    assert np.abs(np.median(found, axis=1)).max() < 1e-9
    assert np.median(np.abs(found), axis=1) == pytest.approx(1 / 1.4826)


def test_outliers_in_health_do_not_widen_the_scale():
    values = healthy_values(1)
    calm = baseline_of(values).scale[0, 0]
    values[0, ::10, 0] = 50.0
    assert baseline_of(values).scale[0, 0] == pytest.approx(calm, rel=0.3)


@pytest.mark.parametrize(
    ("metric", "usual", "moved", "at_least"),
    [
        (("latency", "p95"), 0.2, 0.3, 5),
        (("availability", "Average"), 100.0, 90.0, 5),
        (("requests", "Sum"), 400.0, 600.0, 5),
        (("requests", "Sum"), 0.0, 20.0, 3),
        (("memory_bytes", "max"), 1e9, 2e9, 5),
        (("temperature", ""), 0.0, 5.0, 5),
        (("latency", "p95"), 0.0, 1.0, 5),
    ],
)
def test_a_series_that_was_constant_in_health_counts_when_it_moves(metric, usual, moved, at_least):
    baseline = baseline_of(np.full((1, 50, 1), usual), metrics=(metric,))
    same, other = baseline.deviations(np.array([[[usual], [moved]]]))[0, :, 0]
    assert same == 0
    assert at_least < abs(other) <= LARGEST_DEVIATION


def test_a_move_of_a_percent_of_the_level_is_no_deviation():
    for metric, usual in ((("latency", "p95"), 0.2), (("memory_bytes", "max"), 1e9)):
        baseline = baseline_of(np.full((1, 50, 1), usual), metrics=(metric,))
        assert np.abs(baseline.deviations(np.full((1, 1, 1), usual * 1.01))).max() < 0.5


def test_one_failed_request_of_five_is_one_deviation_and_one_of_a_thousand_is_less():
    for requests, expected in ((5.0, 1.0), (1000.0, 0.1)):
        values = np.full((1, 50, 3), 100.0)
        values[:, :, 1] = requests
        one_failed = np.array([[[100.0, requests, 100 * (1 - 1 / requests)]]])
        found = baseline_of(values).deviations(one_failed)[0, 0, 2]
        assert found == pytest.approx(-expected)


def test_what_was_never_measured_has_no_deviation():
    values = healthy_values(2)
    values[1] = np.nan
    found = baseline_of(values).deviations(healthy_values(2))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_the_surprise_is_zero_for_the_usual_state_and_grows_with_rarity():
    values = healthy_values(3, samples=100)
    values[1, :50] = np.nan
    values[2, :99] = np.nan
    baseline = baseline_of(values)
    here = baseline.surprise(np.ones((3, 1, 3), dtype=bool))[:, 0, 0]
    gone = baseline.surprise(np.zeros((3, 1, 3), dtype=bool))[:, 0, 0]
    assert here[0] == 0
    assert gone[2] == 0
    assert gone[0] > 2.5 > gone[1]
    assert here[2] > 2.5 > here[1]


def test_a_component_that_health_does_not_have_is_one_that_was_never_measured():
    baseline = baseline_of(healthy_values(2)).for_nodes([1, None])
    assert np.isfinite(baseline.level[0]).all()
    assert np.isnan(baseline.level[1]).all()
    assert baseline.surprise(np.ones((2, 1, 3), dtype=bool))[1].min() > 0
