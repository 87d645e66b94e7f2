from __future__ import annotations

import pytest

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.prometheus.queries import (
    EdgeQuery,
    NodeQuery,
    Queries,
    edge_query,
    node_query,
)
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Feature, Role, Unit


def test_a_name_tells_role_and_unit() -> None:
    query = node_query("latency_ms", "delay * 1000", statistic="p95", node_label="node")
    assert query.feature == feature_of("latency_ms", "p95")
    assert (query.name, query.labels) == ("latency_ms_p95", ("node",))


def test_role_and_unit_may_be_given() -> None:
    feature = Feature("glow", "glow", "", Role.ERRORS, Unit("lm", 0, 5))
    assert NodeQuery(feature, "glow").features == (feature,)


def test_an_edge_may_be_measured_at_both_ends_at_one_or_only_be() -> None:
    both = edge_query("rssi_dbm", "rssi", both_ends=True)
    assert [feature.name for feature in both.features] == [
        "rssi_dbm_source",
        "rssi_dbm_destination",
    ]
    one = edge_query("rssi_dbm", "rssi", source_label="a", destination_label="b")
    assert [feature.name for feature in one.features] == ["rssi_dbm"]
    assert one.labels == ("a", "b")
    assert EdgeQuery("rssi").features == ()


def test_two_queries_may_not_measure_one_feature() -> None:
    with pytest.raises(UsageError, match="'loss_rate'") as caught:
        Queries((node_query("loss_rate", "a"), node_query("Loss_Rate", "b")))
    assert caught.value.code == "telemetry.duplicate_feature"


def test_a_node_and_an_edge_may_have_features_of_one_name() -> None:
    both = Queries((node_query("loss_rate", "a"),), (edge_query("loss_rate", "a"),))
    assert both.nodes[0].features[0].name == both.edges[0].features[0].name == "loss_rate"


@pytest.mark.parametrize(
    ("expression", "words"),
    [("", "empty"), (" \n", "empty"), ("x" * 20_000, "16 KiB"), ("up\udcff", "UTF-8")],
)
def test_what_can_not_be_sent_is_refused_before(expression, words) -> None:
    for make in (lambda: node_query("a", expression), lambda: EdgeQuery(expression)):
        with pytest.raises(UsageError) as caught:
            make()
        assert caught.value.code == "telemetry.bad_query"
        assert words in caught.value.reason


def test_a_reading_asks_for_something() -> None:
    with pytest.raises(ValueError, match="without a query"):
        Queries(())
