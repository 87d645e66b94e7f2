from __future__ import annotations

import numpy as np
import pytest
from fakes.handmade_mesh import healthy_values, make, shuffled

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ml.detector import detect, train
from x0tta_cli.ml.explanation import NEIGHBOUR_INPUTS, OTHERS, OWN, explain

pytestmark = pytest.mark.slow


def total(attribution):
    return attribution.base + sum(c.shap for c in attribution.contributions)


@pytest.mark.parametrize("kind", ["slow", "dead", "newcomer", "surge"])
def test_the_values_add_up_to_the_score_of_the_detection(simulation, detector, kind):
    telemetry = simulation.incident(kind).telemetry
    detections = detect(detector, telemetry)
    assert detections
    for detection in detections:
        attribution = explain(detector, telemetry, detection.node)
        assert attribution.score == pytest.approx(detection.score, abs=1e-6)
        assert total(attribution) == pytest.approx(attribution.score, abs=1e-3)
        assert attribution.base < detection.threshold


def test_the_same_input_gives_the_same_values_and_leaves_numpy_alone(simulation, detector):
    incident = simulation.incident("slow")
    np.random.seed(7)
    first = explain(detector, incident.telemetry, incident.truth)
    drawn = np.random.random()
    np.random.seed(7)
    assert drawn == np.random.random()
    assert explain(detector, incident.telemetry, incident.truth) == first


def test_what_moved_has_the_largest_share(simulation, detector):
    incident = simulation.incident("slow")
    largest = explain(detector, incident.telemetry, incident.truth).contributions[0]
    assert largest.source == OWN
    assert largest.feature.startswith("latency")
    assert largest.shap > 0
    assert largest.value > largest.healthy_value
    assert largest.unit == "s"
    assert largest.deviation > 3


def test_names_and_order_change_no_value(simulation, detector):
    incident = simulation.incident("slow")
    nodes = incident.telemetry.topology.nodes
    order = np.random.default_rng(5).permutation(len(nodes)).tolist()
    renamed = dict(zip(nodes, [f"other {node}" for node in range(len(nodes))], strict=True))
    other = train(shuffled(simulation.healthy, order), seed=1)
    there = explain(other, shuffled(incident.telemetry, order), renamed[incident.truth])
    here = explain(detector, incident.telemetry, incident.truth)
    assert there.score == pytest.approx(here.score, abs=1e-4)
    assert {
        (c.source, c.feature): pytest.approx(c.shap, abs=1e-3) for c in there.contributions
    } == {(renamed.get(c.source, c.source), c.feature): c.shap for c in here.contributions}


def test_missing_features_are_named_and_their_absence_is_explained(simulation, detector):
    incident = simulation.incident("lost")
    attribution = explain(detector, incident.telemetry, incident.truth)
    assert "requests_sum" in attribution.missing
    requests = next(c for c in attribution.contributions if c.feature == "requests_sum")
    assert requests.value is None
    assert requests.shap > 0


def test_the_neighbours_of_a_hub_are_told_in_short():
    nodes = 30
    calls = [(0, node) for node in range(1, nodes)]
    detector = train(make(healthy_values(nodes, samples=60), calls), seed=0)
    values = healthy_values(nodes, samples=3, seed=9)
    values[0, 1, 0] = 2.0
    attribution = explain(detector, make(values, calls), "n0")
    assert len(attribution.contributions) == 3 + NEIGHBOUR_INPUTS + 1
    assert [c.source for c in attribution.contributions].count(OTHERS) == 1
    assert total(attribution) == pytest.approx(attribution.score, abs=1e-3)


def test_a_single_component_with_a_single_feature():
    metrics = (("cpu_percent", ""),)
    health = np.random.default_rng(0).normal(40, 2, (1, 550, 1))
    detector = train(make(health, metrics=metrics), seed=0)
    attribution = explain(detector, make(np.array([[[40.0], [95.0]]]), metrics=metrics), "n0")
    assert [c.value for c in attribution.contributions] == [95.0]
    assert total(attribution) == pytest.approx(attribution.score, abs=1e-3)


def test_a_component_that_health_never_saw(simulation, detector):
    incident = simulation.incident("newcomer")
    newcomer = next(d.node for d in detect(detector, incident.telemetry) if d.unseen)
    attribution = explain(detector, incident.telemetry, newcomer)
    assert total(attribution) == pytest.approx(attribution.score, abs=1e-3)
    own = [c for c in attribution.contributions if c.source == OWN]
    assert all(c.healthy_value is None for c in own)


def test_an_unknown_component_is_an_error(simulation, detector):
    with pytest.raises(NotFoundError) as raised:
        explain(detector, simulation.healthy, "nobody")
    assert raised.value.code == "telemetry.no_such_node"
