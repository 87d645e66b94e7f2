from __future__ import annotations

import math

import numpy as np
import pytest

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.telemetry.mesh_schema import (
    EDGE_FEATURES,
    NODE_FEATURE_NAMES,
    NODE_FEATURES,
    as_mesh,
    edge_queries,
    mesh_feature,
    node_queries,
    with_both_ends,
)
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Role, Telemetry
from x0tta_cli.telemetry.topology import Topology


def test_eight_features_stand_in_their_order_with_units_and_ranges() -> None:
    assert [(f.name, f.unit.symbol, f.unit.lower, f.unit.upper, f.role) for f in NODE_FEATURES] == [
        ("rssi_dbm", "dBm", -150, 30, Role.OTHER),
        ("snr_db", "dB", -30, 100, Role.OTHER),
        ("loss_rate", "ratio", 0, 1, Role.ERRORS),
        ("link_age_s", "s", 0, math.inf, Role.OTHER),
        ("latency_ms", "ms", 0, math.inf, Role.LATENCY),
        ("throughput_mbps", "Mbit/s", 0, math.inf, Role.RATE),
        ("cpu_ratio", "ratio", 0, 1, Role.OTHER),
        ("memory_ratio", "ratio", 0, 1, Role.OTHER),
    ]


def test_links_are_measured_at_both_ends() -> None:
    assert [feature.name for feature in EDGE_FEATURES[:4]] == [
        "rssi_dbm_source",
        "rssi_dbm_destination",
        "snr_db_source",
        "snr_db_destination",
    ]
    assert len(EDGE_FEATURES) == 12
    assert all("cpu" not in f.name and "memory" not in f.name for f in EDGE_FEATURES)
    assert EDGE_FEATURES[1].unit == NODE_FEATURES[0].unit


def test_any_other_name_is_a_feature_too() -> None:
    assert mesh_feature("queue_bytes", "max") == feature_of("queue_bytes", "max")


def test_the_eight_are_asked_for_by_their_names() -> None:
    queries = node_queries()
    assert tuple(query.feature for query in queries) == NODE_FEATURES
    assert tuple(query.expression for query in queries) == NODE_FEATURE_NAMES
    assert {query.labels for query in queries} == {("node",)}


def test_queries_of_a_mesh_keep_the_order_of_the_schema() -> None:
    queries = node_queries(
        {"battery_v": "battery", "cpu_ratio": "cpu", "rssi_dbm": "signal"}, node_label="instance"
    )
    assert [query.name for query in queries] == ["rssi_dbm", "cpu_ratio", "battery_v"]
    assert [query.expression for query in queries] == ["signal", "cpu", "battery"]
    assert queries[0].feature == NODE_FEATURES[0]
    assert queries[0].labels == ("instance",)


def test_queries_of_links_have_two_features_each() -> None:
    (signal,) = edge_queries({"rssi_dbm": "signal"}, source_label="from", destination_label="to")
    assert signal.features == EDGE_FEATURES[:2]
    assert signal.labels == ("from", "to")


def telemetry(names: list[str], values: float = 0.5) -> Telemetry:
    nodes = ("a", "b", "c")
    return Telemetry(
        Topology(nodes, ((0, 1), (2, 0))),
        np.array([0.0, 60.0]),
        tuple(feature_of(name, "") for name in names),
        np.full((3, 2, len(names)), values),
    )


def test_telemetry_is_brought_into_the_order_of_the_schema() -> None:
    found = as_mesh(telemetry(["cpu_ratio", "battery_v", "rssi_dbm"]))
    names = [feature.name for feature in found.telemetry.features]
    assert names == [*NODE_FEATURE_NAMES, "battery_v"]
    assert found.telemetry.features[:8] == NODE_FEATURES
    assert found.missing_features == tuple(
        name for name in NODE_FEATURE_NAMES if name not in {"cpu_ratio", "rssi_dbm"}
    )
    measured = ~np.isnan(found.telemetry.values).any(axis=(0, 1))
    assert [name for name, there in zip(names, measured, strict=True) if there] == [
        "rssi_dbm",
        "cpu_ratio",
        "battery_v",
    ]


def test_what_is_out_of_range_is_refused() -> None:
    # A signal strength in percent.
    with pytest.raises(UsageError, match="rssi_dbm of 'a' is 70") as caught:
        as_mesh(telemetry(["rssi_dbm"], 70))
    assert caught.value.code == "telemetry.wrong_unit"


def test_edges_take_what_their_two_nodes_measure() -> None:
    plain = telemetry(["cpu_ratio", "rssi_dbm", "loss_rate"])
    values = np.array(plain.values)
    values[:, :, 1] = [[-60, -61], [-70, -71], [-80, -81]]
    measured = Telemetry(plain.topology, plain.instants, plain.features, values)
    found = with_both_ends(measured, ["rssi_dbm", "loss_rate"])
    assert [feature.name for feature in found.edge_features] == [
        "rssi_dbm_source",
        "rssi_dbm_destination",
        "loss_rate_source",
        "loss_rate_destination",
    ]
    # [edge, instant, feature]: a → b, then c → a.
    np.testing.assert_array_equal(
        found.edge_values,
        [
            [[-60, -70, 0.5, 0.5], [-61, -71, 0.5, 0.5]],
            [[-80, -60, 0.5, 0.5], [-81, -61, 0.5, 0.5]],
        ],
    )
    assert with_both_ends(as_mesh(measured).telemetry).edge_features == EDGE_FEATURES
    with pytest.raises(NotFoundError, match="snr_db"):
        with_both_ends(measured)


def test_a_mesh_without_edges_has_none_to_measure() -> None:
    lonely = Telemetry(
        Topology(("a",)), np.array([0.0]), (NODE_FEATURES[0],), np.full((1, 1, 1), -60.0)
    )
    assert with_both_ends(lonely, ["rssi_dbm"]).edge_values.shape == (0, 1, 2)
