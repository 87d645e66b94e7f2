from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Role, Telemetry, Unit
from x0tta_cli.telemetry.topology import Topology

NAN = float("nan")
FEATURES = (feature_of("latency", "p95"), feature_of("requests", "Sum"))
EDGE_FEATURES = (feature_of("loss_rate", ""),)
TOPOLOGY = Topology(("front", "cart", "store"), ((0, 1), (1, 2)))


def telemetry(samples: int = 4, **changes) -> Telemetry:
    values = np.arange(3 * samples * 2, dtype=float).reshape(3, samples, 2)
    fields = {
        "topology": TOPOLOGY,
        "instants": 100.0 + 60.0 * np.arange(samples),
        "features": FEATURES,
        "values": values,
        **changes,
    }
    return Telemetry(**fields)


def test_arrays_cannot_be_written_through_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        telemetry().values[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {"instants": np.zeros((4, 1))},
        {"values": np.zeros((3, 4))},
        {"values": np.zeros((2, 4, 2))},
        {"values": np.zeros((3, 5, 2))},
        {"edge_features": EDGE_FEATURES},
        {"edge_features": EDGE_FEATURES, "edge_values": np.zeros((3, 4, 1))},
    ],
)
def test_arrays_of_a_wrong_shape_are_a_mistake_of_the_program(changes) -> None:
    with pytest.raises(ValueError, match=r"shape|without"):
        telemetry(**changes)


def impossible(value: float, feature: int) -> np.ndarray:
    values = np.ones((3, 4, 2))
    values[1, 2, feature] = value
    return values


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"instants": np.array([1.0, 3.0, 2.0, 4.0])}, "unsorted_instants", "number 3"),
        ({"instants": np.array([1.0, 2.0, 2.0, 4.0])}, "duplicate_instant", "number 3"),
        ({"instants": np.array([1.0, NAN, 3.0, 4.0])}, "bad_instant", "number 2"),
        ({"values": impossible(np.inf, 0)}, "not_finite", "latency_p95 of 'cart'"),
        ({"values": impossible(-1.0, 0)}, "wrong_unit", "latency_p95 of 'cart' is -1"),
        ({"values": impossible(-1.0, 1)}, "wrong_unit", "requests_sum of 'cart' is -1"),
        ({"features": (FEATURES[0], FEATURES[0])}, "duplicate_feature", "latency_p95"),
        (
            {"edge_features": EDGE_FEATURES, "edge_values": np.full((2, 4, 1), 1.5)},
            "wrong_unit",
            "loss_rate of 'front → cart'",
        ),
    ],
)
def test_data_that_cannot_be_right_are_refused_by_name(changes, code, words) -> None:
    with pytest.raises(UsageError) as caught:
        telemetry(**changes)
    assert caught.value.code == f"telemetry.{code}"
    assert words in str(caught.value)


def test_bounds_leave_room_for_what_printing_loses() -> None:
    unit = Unit("%", 0.0, 100.0)
    values = np.array([-1e-12, 100.0 + 1e-11, 100.1, -0.1, NAN])
    assert unit.allows(values).tolist() == [True, True, False, False, True]


def test_the_step_is_the_usual_distance() -> None:
    assert telemetry(instants=np.array([0.0, 60.0, 300.0, 360.0])).step_s == 60.0
    assert telemetry(samples=5, instants=np.array([0.0, 60, 180, 240, 360])).step_s == 60.0
    assert telemetry(samples=1).step_s is None


def test_slices_include_their_start_and_exclude_their_end() -> None:
    whole = telemetry()
    assert whole.slice(160.0, 280.0).instants.tolist() == [160.0, 220.0]
    assert whole.slice(None, 160.0).instants.tolist() == [100.0]
    assert whole.slice(221.0, None).instants.tolist() == [280.0]
    assert whole.slice(500.0, None).values.shape == (3, 0, 2)
    assert np.array_equal(whole.samples(1, 3).values, whole.values[:, 1:3])


def test_slices_cut_edges_too() -> None:
    values = np.linspace(0, 1, 8).reshape(2, 4, 1)
    whole = telemetry(edge_features=EDGE_FEATURES, edge_values=values)
    cut = whole.samples(1, 3).edge_values
    assert cut is not None
    assert np.array_equal(cut, values[:, 1:3])


def test_features_are_found_by_name_and_role() -> None:
    assert telemetry().feature_index("requests_sum") == 1
    assert telemetry().feature_indices(Role.LATENCY) == (0,)
    assert telemetry().feature_indices(Role.AVAILABILITY) == ()
    with pytest.raises(NotFoundError) as caught:
        telemetry().feature_index("latency_p99")
    assert caught.value.code == "telemetry.no_such_feature"
    assert "latency_p95" in caught.value.reason


def test_alignment_reorders_by_name_and_lists_what_has_no_counterpart() -> None:
    whole = telemetry()
    wanted = Topology(("store", "new", "front"), ((2, 0),))
    features = (feature_of("availability", "Average"), *reversed(FEATURES))
    aligned = whole.aligned_to(wanted, features)
    found = aligned.telemetry
    assert found.topology is wanted
    assert np.array_equal(found.values[0, :, 1:], whole.values[2][:, ::-1])
    assert np.array_equal(found.values[2, :, 1:], whole.values[0][:, ::-1])
    assert np.isnan(found.values[1]).all()
    assert np.isnan(found.values[:, :, 0]).all()
    assert aligned.missing_nodes == ("new",)
    assert aligned.missing_features == ("availability_average",)
    assert aligned.dropped_nodes == ("cart",)
    assert aligned.dropped_features == ()


def test_alignment_with_nothing_in_common_is_all_missing() -> None:
    aligned = telemetry().aligned_to(Topology(("other",)), (feature_of("load", ""),))
    assert np.isnan(aligned.telemetry.values).all()
    assert aligned.dropped_features == ("latency_p95", "requests_sum")


def test_alignment_carries_edges_by_the_names_at_their_ends() -> None:
    values = np.stack([np.full((4, 1), 0.1), np.full((4, 1), 0.2)])
    whole = telemetry(edge_features=EDGE_FEATURES, edge_values=values)
    wanted = Topology(("store", "cart", "front"), ((1, 0), (2, 0)))
    edges = whole.aligned_to(wanted, FEATURES).telemetry.edge_values
    assert edges is not None
    assert edges[0, :, 0].tolist() == [0.2] * 4
    assert np.isnan(edges[1]).all()


def test_one_name_in_two_units_is_refused() -> None:
    milliseconds = replace(FEATURES[0], unit=Unit("ms", 0.0))
    with pytest.raises(UsageError) as caught:
        telemetry().aligned_to(TOPOLOGY, (milliseconds,))
    assert caught.value.code == "telemetry.wrong_unit"
    assert "is in s here and in ms there" in str(caught.value)


def test_missing_runs_tell_where_and_how_long() -> None:
    values = np.ones((3, 4, 2))
    values[0, :, 0] = [NAN, 1, NAN, NAN]
    values[2, 1, 1] = NAN
    runs = telemetry(values=values).missing_runs()
    assert [
        (run.node, run.feature, run.first_instant, run.last_instant, run.samples) for run in runs
    ] == [
        ("front", "latency_p95", 100.0, 100.0, 1),
        ("front", "latency_p95", 220.0, 280.0, 2),
        ("store", "requests_sum", 160.0, 160.0, 1),
    ]
    assert [run.samples for run in telemetry(values=values).missing_runs(at_least=2)] == [2]


def test_a_component_without_a_value_is_unobserved() -> None:
    values = np.ones((3, 4, 2))
    values[1] = NAN
    values[2, :, 0] = NAN
    assert telemetry(values=values).unobserved_nodes == ("cart",)


def test_gaps_count_the_samples_that_are_not_there() -> None:
    gaps = telemetry(instants=np.array([0.0, 60.0, 240.0, 300.0])).gaps()
    assert [(gap.after, gap.before, gap.missing_samples) for gap in gaps] == [(60.0, 240.0, 2)]
    assert telemetry(samples=1).gaps() == ()
