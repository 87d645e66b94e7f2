from __future__ import annotations

import time

import numpy as np
import pytest

from x0tta_cli.core.errors import NotYetKnownError, OperatorError, UsageError
from x0tta_cli.telemetry.prometheus import reader as reader_module
from x0tta_cli.telemetry.prometheus.queries import EdgeQuery, Queries, edge_query, node_query
from x0tta_cli.telemetry.prometheus.reader import Reading, read_range
from x0tta_cli.telemetry.topology import Topology

START, END, STEP = 1000, 1040, 10
NAN = np.nan
LATENCY = node_query("latency_ms", "(latency)", node_label="node")
LOSS = node_query("loss_rate", "(loss)", node_label="node")
SIGNAL = edge_query("rssi_dbm", "(signal)", both_ends=True)


@pytest.fixture
def read(prometheus, client):
    def read(*queries, **options) -> Reading:
        nodes = tuple(query for query in queries if not isinstance(query, EdgeQuery))
        edges = tuple(query for query in queries if isinstance(query, EdgeQuery))
        return read_range(client(), Queries(nodes, edges), START, END, STEP, **options)

    return read


def points(*values: str | None) -> dict[float, str]:
    return {START + STEP * i: value for i, value in enumerate(values) if value is not None}


def code_of(action) -> str:
    with pytest.raises(OperatorError) as caught:
        action()
    return caught.value.code


def test_queries_become_features_and_series_components(prometheus, read) -> None:
    prometheus.series = {
        "(latency)": [
            ({"node": "b"}, points("1", "2", "3", "4", "5")),
            ({"node": "a"}, points("9", None, "NaN", "7", None)),
        ],
        "(loss)": [({"node": "c", "job": "mesh"}, points(None, None, "0", "0.5", "1"))],
    }
    reading = read(LATENCY, LOSS)
    telemetry = reading.telemetry
    assert telemetry.topology == Topology(("a", "b", "c"))
    assert telemetry.instants.tolist() == [1000, 1010, 1020, 1030, 1040]
    assert [feature.name for feature in telemetry.features] == ["latency_ms", "loss_rate"]
    np.testing.assert_array_equal(telemetry.values[0, :, 0], [9, NAN, NAN, 7, NAN])
    np.testing.assert_array_equal(telemetry.values[1, :, 0], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(telemetry.values[2, :, 1], [NAN, NAN, 0, 0.5, 1])
    assert np.isnan(telemetry.values[:2, :, 1]).all()
    assert np.isnan(telemetry.values[2, :, 0]).all()
    assert (reading.unanswered, reading.warnings) == ((), ())
    assert telemetry.edge_values is None


def test_names_are_taken_as_they_are(prometheus, read) -> None:
    names = ["узел-1", 'a"b\\c', "two\nlines", "{x}", "\u202e", "é" * 300]
    prometheus.series["(latency)"] = [
        ({"node": name}, points(str(number))) for number, name in enumerate(names)
    ]
    telemetry = read(LATENCY).telemetry
    assert set(telemetry.topology.nodes) == set(names)
    for number, name in enumerate(names):
        assert telemetry.values[telemetry.topology.index_of(name), 0, 0] == number


def test_a_topology_that_is_given_comes_first(prometheus, read) -> None:
    prometheus.series["(latency)"] = [({"node": n}, points("1")) for n in ("new", "b", "also")]
    given = Topology(("z", "b"), ((0, 1),))
    telemetry = read(LATENCY, topology=given).telemetry
    assert telemetry.topology == Topology(("z", "b", "also", "new"), ((0, 1),))
    assert telemetry.unobserved_nodes == ("z",)


def test_edges_are_measured_from_both_ends(prometheus, read) -> None:
    def signal(source: str, destination: str, *values: str | None):
        return {"source": source, "destination": destination}, points(*values)

    prometheus.series = {
        "(latency)": [({"node": "a"}, points("1"))],
        "(signal)": [
            signal("a", "b", "-60", "-61"),
            signal("b", "a", "-70", None, "-71"),
            signal("a", "c", "-80"),
        ],
    }
    telemetry = read(LATENCY, SIGNAL).telemetry
    assert telemetry.topology == Topology(("a", "b", "c"), ((0, 1), (0, 2), (1, 0)))
    names = [feature.name for feature in telemetry.edge_features]
    assert names == ["rssi_dbm_source", "rssi_dbm_destination"]
    # [edge, instant, end]
    assert telemetry.edge_values.shape == (3, 5, 2)
    np.testing.assert_array_equal(
        telemetry.edge_values[0, :3], [[-60, -70], [-61, NAN], [NAN, -71]]
    )
    np.testing.assert_array_equal(
        telemetry.edge_values[2, :3], [[-70, -60], [NAN, -61], [-71, NAN]]
    )
    # c says nothing about a, and so there is no edge from it.
    np.testing.assert_array_equal(telemetry.edge_values[1, :2], [[-80, NAN], [NAN, NAN]])


def test_edges_alone_tell_who_is_connected(prometheus, read) -> None:
    calls = EdgeQuery("calls > 0", source_label="client", destination_label="server")
    prometheus.series = {
        "(latency)": [({"node": "b"}, points("1"))],
        "calls > 0": [({"client": "a", "server": "b"}, points("5"))],
    }
    reading = read(LATENCY, calls, topology=Topology(("b", "c"), ((0, 1),)))
    assert reading.telemetry.topology == Topology(("b", "c", "a"), ((0, 1), (2, 0)))
    assert reading.telemetry.edge_values is None
    assert read(calls).telemetry.topology == Topology(("a", "b"), ((0, 1),))


def test_a_query_without_series_is_named_and_its_feature_is_missing(prometheus, read) -> None:
    prometheus.series["(latency)"] = [({"node": "a"}, points("1"))]
    reading = read(LATENCY, LOSS, EdgeQuery("calls"))
    assert reading.unanswered == ("loss_rate", "edges (calls)")
    assert np.isnan(reading.telemetry.values[:, :, 1]).all()


def test_no_series_at_all_is_not_yet_known(prometheus, read) -> None:
    with pytest.raises(NotYetKnownError) as caught:
        read(LATENCY, LOSS)
    assert caught.value.code == "telemetry.no_series"
    assert "latency_ms ((latency)), loss_rate ((loss))" in caught.value.reason


def test_series_without_a_value_are_not_yet_known(prometheus, read) -> None:
    prometheus.series["(latency)"] = [({"node": "a"}, points("NaN", "+Inf"))]
    assert code_of(lambda: read(LATENCY, LOSS)) == "telemetry.no_values"


def test_infinite_values_are_missing_and_counted(prometheus, read) -> None:
    prometheus.series["(latency)"] = [
        ({"node": "a"}, points("+Inf", "1", "-Inf")),
        ({"node": "b"}, points("2", "+Inf")),
    ]
    prometheus.members = {"warnings": ["a store is away"]}
    reading = read(LATENCY)
    np.testing.assert_array_equal(reading.telemetry.values[0, :3, 0], [NAN, 1, NAN])
    assert reading.warnings == (
        "a store is away",
        "latency_ms: 3 infinite values are taken as missing",
    )


def test_two_series_of_one_component_are_refused_with_both_label_sets(prometheus, read) -> None:
    prometheus.series["(latency)"] = [
        ({"__name__": "latency", "node": "a", "radio": "0"}, points("1")),
        ({"__name__": "latency", "node": "a", "radio": "1"}, points(None, "1")),
    ]
    with pytest.raises(UsageError) as caught:
        read(LATENCY)
    assert caught.value.code == "telemetry.several_series"
    for radio in "01":
        assert f'latency{{node="a", radio="{radio}"}}' in caught.value.reason
    assert "max by (node) (…)" in caught.value.fix


def test_two_series_of_one_edge_are_refused(prometheus, read) -> None:
    ends = {"source": "a", "destination": "b"}
    prometheus.series["(signal)"] = [(ends, points("-60")), ({**ends, "x": "y"}, points("-60"))]
    with pytest.raises(UsageError, match="a → b") as caught:
        read(SIGNAL)
    assert "sum by (source, destination)" in caught.value.fix


@pytest.mark.parametrize("labels", [{}, {"job": "mesh"}, {"node": "", "job": "mesh"}])
def test_a_series_has_to_say_whose_it_is(prometheus, read, labels) -> None:
    prometheus.series["(latency)"] = [(labels, points("1"))]
    with pytest.raises(UsageError, match="has no label 'node'") as caught:
        read(LATENCY)
    assert caught.value.code == "telemetry.no_such_label"
    assert "sum by (node)" in caught.value.fix


def test_an_impossible_value_is_refused_with_its_series(prometheus, read) -> None:
    prometheus.series["(loss)"] = [({"node": "a"}, points("0.5", "35", "40"))]
    with pytest.raises(UsageError, match=r'\{node="a"\} is 35 at 1010') as caught:
        read(LOSS)
    assert caught.value.code == "telemetry.wrong_unit"
    assert "0 to 1 ratio; 2 of 5" in caught.value.reason


def test_a_counter_is_refused_before_it_is_read(prometheus, read) -> None:
    prometheus.types["requests"] = "counter"
    query = node_query("requests", "sum by (node) (requests)", node_label="node")
    assert code_of(lambda: read(query)) == "telemetry.raw_counter"
    assert prometheus.asked == []


def test_a_plain_selector_is_asked_for_with_its_age(prometheus, read) -> None:
    query = node_query("latency_ms", "latency", node_label="node")
    assert code_of(lambda: read(query)) == "telemetry.no_series"
    assert code_of(lambda: read(query, fresh_s=90)) == "telemetry.no_series"
    assert [asked["query"] for asked in prometheus.asked] == [
        "(latency and last_over_time(latency[10000ms]))",
        "(latency and last_over_time(latency[90000ms]))",
    ]


def test_nothing_is_asked_of_the_future(prometheus, client) -> None:
    now = time.time()
    queries = Queries((LATENCY,))
    with pytest.raises(NotYetKnownError):
        read_range(client(), queries, now - 100, now + 1000, 10)
    assert float(prometheus.asked[0]["end"]) <= time.time()


def test_all_queries_together_are_bounded(prometheus, read, monkeypatch) -> None:
    prometheus.series = {
        "(latency)": [({"node": f"a{number}"}, points("1")) for number in range(3)],
        "(loss)": [({"node": f"b{number}"}, points("1")) for number in range(3)],
    }
    monkeypatch.setattr(reader_module, "MAX_VALUES", 60)
    assert read(LATENCY, LOSS).telemetry.values.shape == (6, 5, 2)
    monkeypatch.setattr(reader_module, "MAX_VALUES", 59)
    assert code_of(lambda: read(LATENCY, LOSS)) == "telemetry.too_many_values"
    monkeypatch.setattr(reader_module, "MAX_VALUES", 29)
    assert code_of(lambda: read(LATENCY, LOSS)) == "telemetry.too_many_values"
