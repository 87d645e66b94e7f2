"""The recordings that come with x0tta: what is in them, and that all of it can be read."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from x0tta_cli.telemetry.library import packaged_library
from x0tta_cli.telemetry.telemetry import Role

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def incidents():
    library = packaged_library()
    return [library.load(reference.identifier) for reference in library.incidents()]


def test_incidents_and_their_causes(incidents) -> None:
    assert Counter(incident.healthy_identifier for incident in incidents) == {
        "high_traffic": 26,
        "low_traffic": 8,
    }
    causes = Counter(incident.truth for incident in incidents)
    assert len(causes) == 5
    assert causes["PetSearch_AWS::ECS::Fargate"] == 16
    assert {incident.symptom.node for incident in incidents} == {"PetSite"}


@pytest.mark.parametrize(
    ("name", "measured", "nodes", "edges", "start"),
    [("high_traffic", 39, 44, 47, 1693922400), ("low_traffic", 41, 42, 44, 1692608400)],
)
def test_healthy_time(name, measured, nodes, edges, start) -> None:
    healthy = packaged_library().healthy(name)
    assert healthy.values.shape == (nodes, 589, 7)
    assert len(healthy.topology.edges) == edges
    assert nodes - len(healthy.unobserved_nodes) == measured
    assert healthy.step_s == 300
    assert healthy.instants[0] == start
    assert healthy.gaps() == ()
    assert [feature.name for feature in healthy.features] == [
        "latency_average",
        "latency_p90",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "requests_sum",
        "availability_average",
    ]
    assert [feature.role for feature in healthy.features] == [Role.LATENCY] * 5 + [
        Role.RATE,
        Role.AVAILABILITY,
    ]


def test_incidents_are_five_samples_around_their_onset(incidents) -> None:
    for incident in incidents:
        telemetry = incident.telemetry
        assert len(telemetry.instants) == 5
        assert telemetry.step_s == 300
        assert telemetry.instants[0] < incident.onset < telemetry.instants[-1]
        assert incident.missing_features == incident.unknown_features == ()
        assert incident.truth in telemetry.topology.nodes
        assert np.isfinite(telemetry.values).any()


def test_a_cell_keeps_its_digits() -> None:
    healthy = packaged_library().healthy("high_traffic")
    site = healthy.topology.index_of("PetSite")
    feature = healthy.feature_index("latency_average")
    assert healthy.values[site, 0, feature] == 0.102864526490529
    unmeasured = healthy.topology.index_of("169.254.170.2_remote")
    assert np.isnan(healthy.values[unmeasured, 0, feature])


def test_licence_and_attribution_lie_beside_the_data() -> None:
    folder = packaged_library().root
    assert "Attribution 4.0 International" in (folder / "LICENSE").read_text()
    assert "Amazon.com" in (folder / "NOTICE").read_text()
    readme = (folder / "README.md").read_text()
    assert "Creative Commons Attribution 4.0" in readme
    assert "What was changed: the files `graph.csv` and `metrics.csv` were compressed" in readme
