from __future__ import annotations

import numpy as np
import pytest
from fakes.handmade_mesh import healthy_values, make, shuffled
from fakes.simulated_mesh import FAULTS, RESOURCES, simulate

from x0tta_cli.ml.detector import train
from x0tta_cli.ml.ranking import largest_robust_z, rank
from x0tta_cli.telemetry.library import packaged_library
from x0tta_cli.telemetry.target import Symptom

pytestmark = pytest.mark.slow

SEEDS = range(20, 28)
CHAIN = ((0, 1), (1, 2))


@pytest.fixture(scope="module")
def simulations():
    """Eight meshes of other sizes, steps, loads and latencies, each with its detector."""
    drawn = [simulate(seed, services=8 + 3 * (seed % 5)) for seed in SEEDS]
    return [(simulation, train(simulation.healthy, seed=0)) for simulation in drawn]


@pytest.fixture(scope="module")
def chain():
    return train(make(healthy_values(3), CHAIN), seed=0)


def place_of(truth, order):
    return order.index(truth) + 1 if truth in order else len(order) + 1


def order_of(ranking):
    return [suspect.node for suspect in ranking.suspects]


def share_within(places, most):
    return float(np.mean([place <= most for place in places]))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_in_a_mesh_that_nobody_has_seen_is_found(simulations, kind):
    ours, plain = [], []
    for simulation, detector in simulations:
        for number in range(2):
            incident = simulation.incident(kind, number)
            ranking = rank(detector, incident.telemetry, incident.symptom)
            ours.append(place_of(incident.truth, order_of(ranking)))
            order = largest_robust_z(detector, incident.telemetry, incident.symptom)
            plain.append(place_of(incident.truth, order))
    assert share_within(ours, 3) >= 0.8, ours
    assert share_within(ours, 1) >= 0.5, ours
    assert share_within(ours, 3) >= share_within(plain, 3)


def test_without_a_symptom_the_entrances_are_explained(simulations):
    places = []
    for simulation, detector in simulations:
        for kind in ("slow", "failing", "dead"):
            incident = simulation.incident(kind)
            places.append(place_of(incident.truth, order_of(rank(detector, incident.telemetry))))
    assert share_within(places, 3) >= 0.75, places


def test_what_no_entrance_feels_is_not_explained_by_their_usual_ups_and_downs(chain):
    places = []
    for seed in SEEDS:
        values = healthy_values(3, samples=8, seed=seed)
        values[2, 4:, 0] += 1.0
        places.append(place_of("n2", order_of(rank(chain, make(values, CHAIN)))))
    assert share_within(places, 1) >= 0.8, places


def test_without_burdens_anomalies_that_no_callee_has_are_ranked():
    places = []
    for seed in SEEDS[:5]:
        simulation = simulate(seed, services=12, features=RESOURCES)
        detector = train(simulation.healthy, seed=0)
        for kind in ("slow", "cpu"):
            incident = simulation.incident(kind)
            places.append(place_of(incident.truth, order_of(rank(detector, incident.telemetry))))
    assert share_within(places, 3) >= 0.8, places


@pytest.mark.parametrize("kind", FAULTS)
def test_names_and_order_change_nothing(simulation, detector, kind):
    incident = simulation.incident(kind)
    nodes = incident.telemetry.topology.nodes
    order = np.random.default_rng(8).permutation(len(nodes)).tolist()
    renamed = dict(zip(nodes, [f"other {node}" for node in range(len(nodes))], strict=True))
    here = rank(detector, incident.telemetry, incident.symptom)
    symptom = Symptom(
        renamed[incident.symptom.node],
        incident.symptom.metric,
        incident.symptom.statistic,
        incident.symptom.instant,
    )
    other = train(shuffled(simulation.healthy, order), seed=1)
    there = rank(other, shuffled(incident.telemetry, order), symptom)
    assert order_of(there) == [renamed[node] for node in order_of(here)]
    assert [s.score for s in there.suspects] == pytest.approx(
        [s.score for s in here.suspects], abs=1e-4
    )


def test_scores_fall_and_stay_between_0_and_1(simulation, detector):
    for kind in FAULTS:
        incident = simulation.incident(kind)
        scores = [s.score for s in rank(detector, incident.telemetry, incident.symptom).suspects]
        assert scores == sorted(scores, reverse=True)
        assert 0 < min(scores) <= max(scores) <= 1


def test_evidence_keeps_numbers_inferences_and_gaps_apart(simulation, detector):
    incident = simulation.incident("slow")
    first = rank(detector, incident.telemetry, incident.symptom).suspects[0]
    assert first.node == incident.truth
    by_kind = {
        kind: [e for e in first.evidence if e.kind == kind]
        for kind in ("observed", "inferred", "unknown")
    }
    latency = next(e for e in by_kind["observed"] if e.feature.startswith("latency"))
    node = incident.telemetry.topology.index_of(first.node)
    index = incident.telemetry.feature_index(latency.feature)
    assert latency.value in incident.telemetry.values[node, :, index]
    assert latency.healthy_value < latency.value
    assert latency.unit == "s"
    words = " ".join(e.statement for e in by_kind["inferred"])
    assert "s of waiting per second beyond health" in words
    assert incident.symptom.node in words
    assert all(e.value is None for e in by_kind["inferred"])


def test_missing_data_is_told_as_not_known(simulation, detector):
    incident = simulation.incident("lost")
    suspects = rank(detector, incident.telemetry, incident.symptom).suspects
    truth = next(suspect for suspect in suspects if suspect.node == incident.truth)
    unknown = [e.statement for e in truth.evidence if e.kind == "unknown"]
    assert "requests_sum is missing in 5 of 8 samples" in unknown
    assert any("can't show its waiting" in e.statement for e in truth.evidence)


def test_a_newcomer_stands_behind_the_caller_that_has_changed(simulation, detector):
    incident = simulation.incident("newcomer")
    suspects = rank(detector, incident.telemetry, incident.symptom).suspects
    newcomer = incident.telemetry.topology.nodes[incident.fault.newcomer]
    scores = {suspect.node: suspect.score for suspect in suspects}
    assert suspects[0].node == incident.truth
    assert scores[newcomer] == pytest.approx(scores[incident.truth] / 2)
    assert any(newcomer in e.statement for e in suspects[0].evidence)


def test_what_several_begin_to_call_at_once_is_the_change_itself():
    calls = ((0, 1), (0, 2), (1, 3), (2, 3))
    health = healthy_values(4)
    health[3] = np.nan
    detector = train(make(health, calls), seed=0)
    values = healthy_values(4, samples=8, seed=9)
    values[3, :4] = np.nan
    values[3, 4:, 2] = 0.0
    values[1:3, 4:, 2] = 50.0
    values[0, 4:, 2] = 25.0
    symptom = Symptom("n0", "availability", "Average", 240.0)
    assert order_of(rank(detector, make(values, calls), symptom))[0] == "n3"


def test_less_traffic_behind_a_failure_is_no_cause(chain):
    values = healthy_values(3, samples=8, seed=9)
    values[1, 4:, 2] = 40.0
    values[0, 4:, 2] = 40.0
    values[2, 4:, 1] *= 0.4
    symptom = Symptom("n0", "availability", "Average", 240.0)
    ranking = rank(chain, make(values, CHAIN), symptom)
    assert order_of(ranking)[0] == "n1"
    assert "n2" not in order_of(ranking)[:1]


def test_of_a_chain_of_aliases_the_deepest_that_adds_time_goes_first(chain):
    values = healthy_values(3, samples=8, seed=9)
    values[:, 4:, 0] += 1.0
    ranking = rank(chain, make(values, CHAIN), Symptom("n0", "latency", "Average", 240.0))
    assert order_of(ranking)[0] == "n2"
    assert ranking.suspects[0].score > 2 * ranking.suspects[1].score


def test_what_no_recorded_call_connects_with_the_symptom_goes_behind():
    health = healthy_values(4)
    calls = ((0, 1), (2, 3))
    detector = train(make(health, calls), seed=0)
    values = healthy_values(4, samples=8, seed=9)
    values[[0, 1, 2, 3], 4:, 0] += 1.0
    ranking = rank(detector, make(values, calls), Symptom("n0", "latency", "Average", 240.0))
    assert order_of(ranking)[0] == "n1"
    other = next(s for s in ranking.suspects if s.node == "n3")
    assert "no recorded calls lead from n0 to it" in [e.statement for e in other.evidence]


def test_a_symptom_at_an_unknown_component_is_no_symptom(chain):
    values = healthy_values(3, samples=8, seed=9)
    values[:, 4:, 0] += 1.0
    ranking = rank(chain, make(values, CHAIN), Symptom("elsewhere", "latency", "Average", 240.0))
    assert order_of(ranking)[0] == "n2"


@pytest.mark.parametrize(
    ("change", "instant", "reason"),
    [
        (lambda values: values * 0 + [0.1, 300, 100], 240.0, "no component is anomalous"),
        (lambda values: np.full_like(values, np.nan), 240.0, "nothing was measured"),
        (lambda values: values[:, :0], 240.0, "there is no sample"),
        (lambda values: values * [10, 1, 1], 9000.0, "no sample reaches"),
        (
            lambda values: np.where(np.arange(8)[None, :, None] < 4, values, np.nan),
            300.0,
            "nothing was measured after",
        ),
    ],
)
def test_too_little_to_go_by_is_no_ranking(chain, change, instant, reason):
    values = change(healthy_values(3, samples=8, seed=9))
    symptom = Symptom("n0", "latency", "Average", instant)
    ranking = rank(chain, make(values, CHAIN), symptom)
    assert not ranking.enough
    assert ranking.suspects == ()
    assert ranking.reason.startswith(reason)


@pytest.mark.parametrize("samples", [1, 200])
def test_any_number_of_samples_is_ranked(chain, samples):
    values = healthy_values(3, samples=samples, seed=9)
    values[:2, -1, 0] += 2.0
    ranking = rank(chain, make(values, CHAIN), Symptom("n0", "latency", "Average"))
    assert ranking.enough
    assert order_of(ranking)[0] == "n1"


def test_circles_and_calls_of_oneself_are_ranked():
    calls = ((0, 1), (1, 2), (2, 1), (2, 2), (2, 0))
    detector = train(make(healthy_values(3), calls), seed=0)
    values = healthy_values(3, samples=8, seed=9)
    values[:, 4:, 0] += 1.0
    ranking = rank(detector, make(values, calls), Symptom("n0", "latency", "Average", 240.0))
    assert ranking.enough
    assert all(np.isfinite(suspect.score) for suspect in ranking.suspects)


def test_the_plain_baseline_orders_by_the_largest_deviation(chain):
    values = healthy_values(3, samples=4, seed=9)
    values[1, 2, 0] = 5.0
    values[2, 2, 2] = 60.0
    telemetry = make(values, CHAIN)
    assert largest_robust_z(chain, telemetry)[:2] == ["n2", "n1"]
    latency = Symptom("n0", "latency", "Average")
    assert largest_robust_z(chain, telemetry, latency)[0] == "n1"
    assert sorted(largest_robust_z(chain, telemetry, latency)) == ["n0", "n1", "n2"]


def test_the_recorded_causes_are_found_in_real_incidents():
    library = packaged_library()
    detectors = {}
    ours, plain = [], []
    for reference in library.incidents():
        incident = library.load(reference.identifier)
        recording = incident.healthy_identifier
        if recording not in detectors:
            detectors[recording] = train(library.healthy(recording), seed=0)
        detector = detectors[recording]
        ranking = rank(detector, incident.telemetry, incident.symptom)
        ours.append(place_of(incident.truth, order_of(ranking)))
        order = largest_robust_z(detector, incident.telemetry, incident.symptom)
        plain.append(place_of(incident.truth, order))
    assert share_within(ours, 3) >= 0.8, ours
    assert share_within(ours, 1) > share_within(plain, 1)
    assert share_within(ours, 3) > share_within(plain, 3)
