"""Telemetry out of a real Prometheus that was there while an exporter came, went and came back."""

from __future__ import annotations

import time

import numpy as np
import pytest

from x0tta_cli.core.errors import NotYetKnownError, OperatorError
from x0tta_cli.core.http import Client
from x0tta_cli.telemetry.mesh_schema import edge_queries
from x0tta_cli.telemetry.prometheus.queries import NodeQuery, Queries, node_query
from x0tta_cli.telemetry.prometheus.reader import Reading, read_range

STEP_S = 0.5
# A scrape every quarter of a second, and the time that it takes.
SETTLED_S = 1.0


@pytest.fixture
def read(client, history):
    def read(*queries: NodeQuery, start=None, end=None, step_s=STEP_S, edges=(), **options):
        return read_range(
            client,
            Queries(queries, edges),
            history.start if start is None else start,
            history.end if end is None else end,
            step_s,
            **options,
        )

    return read


def node(name: str, expression: str, **options) -> NodeQuery:
    return node_query(name, expression, node_label="node", **options)


def between(reading: Reading, start: float, end: float, which: int = 0) -> np.ndarray:
    part = reading.telemetry.slice(start, end)
    assert len(part.instants) > 1
    return part.values[which, :, 0]


def measured(values: np.ndarray) -> set[float]:
    """The values that are there; on a busy machine a scrape may be missed."""
    return set(values[np.isfinite(values)].tolist())


TEMPERATURE = node("temperature_celsius", "temperature_celsius")


def test_instants_are_a_regular_grid_and_nodes_keep_their_values(read, history) -> None:
    telemetry = read(TEMPERATURE).telemetry
    assert telemetry.topology.nodes == ("a", "b")
    assert telemetry.step_s == STEP_S
    assert telemetry.gaps() == ()
    assert np.all(np.mod(telemetry.instants, STEP_S) == 0)
    early = telemetry.slice(history.start + SETTLED_S, history.restarted - SETTLED_S)
    assert measured(early.values[0]) == {20}
    assert measured(early.values[1]) == {21}


def test_while_the_exporter_is_gone_nothing_is_known(read, history) -> None:
    reading = read(TEMPERATURE)
    assert np.isnan(between(reading, history.gone + SETTLED_S, history.back)).all()
    before = between(reading, history.restarted + SETTLED_S, history.gone)
    after = between(reading, history.back + SETTLED_S, history.killed)
    assert measured(before) == {30}
    assert measured(after) == {40}
    values = reading.telemetry.values
    assert not (values == 0).any()


def test_staleness_alone_ends_a_series_when_prometheus_sees_the_target_gone(read, history) -> None:
    reading = read(node("temperature_celsius", "(temperature_celsius)"))
    assert np.isnan(between(reading, history.gone + SETTLED_S, history.back)).all()


def test_while_prometheus_is_dead_nothing_is_known_of_a_plain_selector(read, history) -> None:
    dead = (history.killed + SETTLED_S, history.up_again)
    assert np.isnan(between(read(TEMPERATURE), *dead)).all()
    # Prometheus itself repeats the last value that it has: that is what the reader has to prevent.
    as_written = between(read(node("temperature_celsius", "(temperature_celsius)")), *dead)
    assert measured(as_written) == {40}


def test_a_conversion_in_the_query_keeps_the_gaps(read, history) -> None:
    reading = read(node("temperature_millicelsius", "temperature_celsius * 1000"))
    assert np.isnan(between(reading, history.gone + SETTLED_S, history.back)).all()
    assert np.isnan(between(reading, history.killed + SETTLED_S, history.up_again)).all()
    assert {20_000, 30_000, 40_000} <= measured(reading.telemetry.values[0])


def test_what_was_before_a_kill_is_there_afterwards(read, history) -> None:
    reading = read(TEMPERATURE)
    assert measured(between(reading, history.end - 1.5, history.end)) == {50}
    assert 20 in between(reading, history.start, history.restarted)


def test_a_counter_that_starts_over_keeps_its_rate(read, history) -> None:
    counter = read(node("requests_count", "(requests_total)"))
    heights = between(counter, history.start, history.gone)
    assert (np.diff(heights[np.isfinite(heights)]) < 0).any(), "the exporter's restart should show"
    reading = read(node("requests_rps", "rate(requests_total[1s])"))
    rates = between(reading, history.start + 2, history.gone)
    assert min(measured(rates)) > 20
    assert max(measured(rates)) < 200


@pytest.mark.parametrize(
    "expression",
    [
        "requests_total",
        "sum by (node) (requests_total)",
        "delay_seconds_sum",
        "delay_seconds_count",
    ],
)
def test_a_counter_as_it_is_is_refused(read, expression) -> None:
    with pytest.raises(OperatorError) as caught:
        read(node("requests_count", expression))
    assert caught.value.code == "telemetry.raw_counter"


def test_several_series_of_one_node_are_refused_with_both_label_sets(read) -> None:
    with pytest.raises(OperatorError) as caught:
        read(node("load", "load"))
    assert caught.value.code == "telemetry.several_series"
    assert 'radio="0"' in caught.value.reason
    assert 'radio="1"' in caught.value.reason


def test_what_the_refusal_proposes_works(read, history) -> None:
    reading = read(node("load", "max by (node) (load)"))
    assert measured(between(reading, history.start, history.restarted)) == {3}


def test_a_query_without_series_is_named(read) -> None:
    reading = read(TEMPERATURE, node("humidity_ratio", "humidity_ratio"))
    assert reading.unanswered == ("humidity_ratio",)
    assert np.isnan(reading.telemetry.values[:, :, 1]).all()


def test_no_series_at_all_is_not_yet_known(read) -> None:
    with pytest.raises(NotYetKnownError) as caught:
        read(node("humidity_ratio", "humidity_ratio"))
    assert caught.value.code == "telemetry.no_series"


def test_a_time_before_all_scrapes_is_not_yet_known(read, history) -> None:
    with pytest.raises(NotYetKnownError):
        read(TEMPERATURE, start=history.start - 3600, end=history.start - 1800, step_s=60)


def test_nan_and_infinity_are_missing_and_zero_is_zero(read, history) -> None:
    reading = read(node("strange", "strange"))
    assert reading.telemetry.topology.nodes == ("a", "b", "c")
    assert np.isnan(reading.telemetry.values[:2]).all()
    assert measured(between(reading, history.start, history.restarted, 2)) == {0}
    (warning,) = reading.warnings
    assert "infinite" in warning


def test_a_native_histogram_is_refused_and_a_quantile_of_it_is_not(read, history) -> None:
    with pytest.raises(OperatorError, match="native_delay_seconds") as caught:
        read(node("delay_s", "native_delay_seconds"))
    assert caught.value.code == "telemetry.native_histogram"
    quantile = node("delay_s", "histogram_quantile(0.5, native_delay_seconds)")
    values = between(read(quantile), history.start + SETTLED_S, history.restarted - SETTLED_S)
    assert measured(values)


def test_names_arrive_as_the_exporter_gave_them(read, odd_names) -> None:
    telemetry = read(node("odd", "odd")).telemetry
    named = dict(
        zip(telemetry.topology.nodes, np.nanmax(telemetry.values[:, :, 0], axis=1), strict=True)
    )
    assert named == {name: place for place, name in enumerate(odd_names)}


def test_edges_are_measured_from_both_ends(read, history) -> None:
    telemetry = read(TEMPERATURE, edges=edge_queries({"rssi_dbm": "signal"})).telemetry
    assert telemetry.topology.nodes == ("a", "b", "c")
    assert telemetry.topology.edges == ((0, 1), (1, 0), (1, 2))
    early = telemetry.slice(history.start + SETTLED_S, history.restarted - SETTLED_S)
    ends = [[measured(series) for series in edge.T] for edge in early.edge_values]
    assert ends == [[{-60}, {-70}], [{-70}, {-60}], [{-80}, set()]]


def test_more_instants_than_prometheus_gives_at_once(read, history) -> None:
    telemetry = read(TEMPERATURE, start=history.end - 12_500, step_s=1).telemetry
    assert len(telemetry.instants) in {12_500, 12_501}
    assert 20 in telemetry.values
    assert np.isnan(telemetry.values[:, :12_000]).all()


def test_an_answer_larger_than_the_client_takes_is_read_in_parts(new_client, history) -> None:
    with new_client(max_bytes=2000) as small:
        reading = read_range(small, Queries((TEMPERATURE,)), history.start, history.end, STEP_S)
    assert {20, 30, 40, 50} <= set(reading.telemetry.values[0, :, 0])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rate(", "parse error"),
        ("temperature_celsius[5m]", "range vector"),
        ("load * on (node) load", "many-to-many"),
        ("no_such_function(up)", "unknown function"),
    ],
)
def test_a_query_that_prometheus_refuses_is_told_in_its_words(read, expression, words) -> None:
    with pytest.raises(OperatorError) as caught:
        read(node("load", expression))
    assert caught.value.code == "telemetry.bad_query"
    assert words in caught.value.reason


def test_the_present_is_the_end(read) -> None:
    telemetry = read(TEMPERATURE, end=time.time() + 100).telemetry
    assert telemetry.instants[-1] <= time.time()


def test_another_path_is_not_prometheus(prometheus, history) -> None:
    with Client(f"{prometheus.url}/graph") as client, pytest.raises(OperatorError) as caught:
        read_range(client, Queries((TEMPERATURE,)), history.start, history.end, STEP_S)
    assert caught.value.code == "telemetry.unreadable_answer"
