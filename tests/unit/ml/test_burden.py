from __future__ import annotations

import numpy as np
import pytest
from fakes.handmade_mesh import make

from x0tta_cli.ml.burden import Kind, burdens_of, mean_latency_feature, own_part
from x0tta_cli.ml.calls import Calls, calls_per_second
from x0tta_cli.telemetry.schema import feature_of

NOBODY = np.zeros(4, dtype=bool)
# Both 0 and 1 call 2, which calls 3.
CALLS = ((0, 2), (1, 2), (2, 3))


def rows(*nodes):
    return np.array(nodes, dtype=float)[:, None, :]


def burdens(telemetry, level, step_s=60.0):
    return {b.kind: b for b in burdens_of(telemetry, np.array(level, dtype=float), step_s)}


def test_counts_per_step_become_calls_per_second():
    for step_s in (15.0, 300.0):
        telemetry = make(rows([0.1, 600, 100]), step_s=step_s)
        assert calls_per_second(telemetry, step_s) == pytest.approx(600 / step_s)
    per_second = make(rows([7.0]), metrics=(("calls_rps", "Average"),))
    assert calls_per_second(per_second, 60.0) == 7.0


def test_without_a_count_all_are_called_equally_often():
    telemetry = make(rows([0.1], [0.2]), [(0, 1)], metrics=(("latency", "Average"),))
    assert (Calls.of(telemetry, 60.0).rate == 1).all()


def test_callers_share_a_callee_by_their_own_calls():
    values = rows([0.1, 300, 100], [0.1, 100, 100], [0.1, 400, 100], [0.1, 400, 100])
    calls = Calls.of(make(values, CALLS), 60.0)
    assert calls.share[:, 0] == pytest.approx([0.75, 0.25, 1.0])
    assert calls.stemming_from([0])[:, 0] == pytest.approx([1.0, 0.0, 0.75, 0.75])


def test_a_callee_whose_callers_are_not_counted_is_shared_evenly():
    values = rows([0.1, np.nan, 100], [0.1, np.nan, 100], [0.1, 400, 100], [0.1, 400, 100])
    assert Calls.of(make(values, CALLS), 60.0).share[:2, 0] == pytest.approx([0.5, 0.5])


def test_circles_of_calls_and_calls_of_oneself_come_to_an_end():
    values = np.repeat(rows([0.1, 300, 100]), 4, axis=0)
    circle = ((0, 1), (1, 2), (2, 1), (2, 2), (3, 3))
    stemming = Calls.of(make(values, circle), 60.0).stemming_from([0])[:, 0]
    assert stemming == pytest.approx([1.0, 1.0, 1.0, 0.0], abs=1e-6)


def test_what_callees_cost_is_not_a_components_own():
    usual = [[0.3, 300, 100], [0.3, 100, 100], [0.2, 400, 100], [0.1, 400, 100]]
    slow = rows([0.4, 300, 100], [0.4, 100, 100], [0.3, 400, 100], [0.2, 400, 100])
    telemetry = make(slow, CALLS)
    waiting = burdens(telemetry, usual)[Kind.WAITING]
    assert waiting.excess[:, 0] == pytest.approx(np.array([30, 10, 40, 40]) / 60)
    own = own_part(waiting.excess, Calls.of(telemetry, 60.0), NOBODY)
    assert own[:, 0] == pytest.approx([0, 0, 0, 40 / 60])


def test_a_callee_that_got_faster_hides_nothing():
    usual = [[0.3, 300, 100], [0.3, 100, 100], [0.2, 400, 100], [0.1, 400, 100]]
    telemetry = make(
        rows([0.3, 300, 100], [0.3, 100, 100], [0.3, 400, 100], [0.05, 400, 100]), CALLS
    )
    own = own_part(
        burdens(telemetry, usual)[Kind.WAITING].excess, Calls.of(telemetry, 60.0), NOBODY
    )
    assert own[2, 0] == pytest.approx(0.1 * 400 / 60)


def test_failures_are_counted_in_calls_whatever_says_so():
    by_availability = burdens(make(rows([0.1, 600, 90])), [[0.1, 600, 100]])[Kind.FAILURES]
    assert by_availability.excess == pytest.approx(1.0)
    for metric, value, usual in (
        (("errors", "Sum"), 60.0, 0.0),
        (("error_ratio", "Average"), 0.1, 0.0),
        (("error_percent", "Average"), 10.0, 0.0),
    ):
        telemetry = make(rows([600.0, value]), metrics=(("requests", "Sum"), metric))
        found = burdens(telemetry, [[600, usual]])[Kind.FAILURES]
        assert found.excess == pytest.approx(1.0), metric


def test_milliseconds_are_seconds():
    metrics = (("latency_ms", "Average"), ("requests", "Sum"))
    found = burdens(make(rows([300.0, 600.0]), metrics=metrics), [[100.0, 600.0]])[Kind.WAITING]
    assert found.excess == pytest.approx(0.2 * 10)


def test_missing_is_unknown_and_no_calls_cost_nothing():
    telemetry = make(rows([np.nan, 600, 100], [np.nan, 0, np.nan], [0.1, np.nan, 100]))
    waiting = burdens(telemetry, [[0.1, 600, 100]] * 3)[Kind.WAITING]
    assert waiting.known[:, 0].tolist() == [False, True, False]
    assert (waiting.excess == 0).all()


def test_the_statistic_nearest_to_a_mean_is_added_up():
    def chosen(*statistics):
        found = mean_latency_feature([feature_of("latency", s) for s in statistics])
        return None if found is None else statistics[found]

    assert chosen("p99", "p50", "Average") == "Average"
    assert chosen("p99", "p90", "p50") == "p50"
    assert chosen("p99", "p95") == "p95"
    assert chosen() is None


def test_meshes_without_these_metrics_have_no_burdens():
    assert burdens(make(rows([1.0]), metrics=(("cpu_percent", ""),)), [[1.0]]) == {}
