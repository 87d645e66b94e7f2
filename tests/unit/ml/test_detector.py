from __future__ import annotations

import numpy as np
import pytest
from fakes.handmade_mesh import healthy_values, make, shuffled
from fakes.simulated_mesh import simulate

from x0tta_cli.core.errors import NotYetKnownError
from x0tta_cli.ml.detector import detect, train

pytestmark = pytest.mark.slow

CHAIN = ((0, 1), (1, 2))


@pytest.fixture(scope="module")
def chain():
    return train(make(healthy_values(3), CHAIN), seed=0)


def found(detector, values, calls=CHAIN, **options):
    return {d.node: d for d in detect(detector, make(values, calls, **options))}


def test_healthy_time_that_nobody_learnt_from_is_called_ill_as_often_as_stated():
    rates = []
    for seed in range(3):
        simulation = simulate(seed, services=12)
        calibration = train(simulation.healthy, seed=0, false_alarm_rate=0.02).calibration
        assert calibration.stated_rate == 0.02
        low, high = calibration.measured_interval
        assert low <= calibration.measured_rate <= high
        rates.append(calibration.measured_rate)
    assert 0.01 < np.mean(rates) < 0.04


def test_the_same_seed_gives_the_same_scores(simulation, detector):
    again = train(simulation.healthy, seed=1)
    incident = simulation.incident("slow").telemetry
    assert np.array_equal(again.score(incident), detector.score(incident))
    assert again.calibration == detector.calibration


def test_names_and_order_change_no_score(simulation, detector):
    incident = simulation.incident("failing").telemetry
    order = np.random.default_rng(5).permutation(len(incident.topology.nodes))
    other = train(shuffled(simulation.healthy, order), seed=1)
    assert other.calibration.threshold == pytest.approx(detector.calibration.threshold, abs=1e-4)
    there = other.score(shuffled(incident, order))
    assert there == pytest.approx(detector.score(incident)[order], abs=1e-4)
    names = dict(zip(shuffled(incident, order).topology.nodes, order, strict=True))
    nodes = incident.topology.nodes
    assert [nodes[names[d.node]] for d in detect(other, shuffled(incident, order))] == [
        d.node for d in detect(detector, incident)
    ]


def test_harm_is_detected_and_relief_is_not(chain):
    for feature, harm, relief in ((0, 1.0, 0.02), (2, 80.0, 100.0)):
        values = healthy_values(3, samples=4, seed=9)
        values[1, 2:, feature] = harm
        detected = found(chain, values)["n1"]
        assert (detected.samples, detected.first_instant) == (2, 120.0)
        assert detected.score > detected.threshold
        assert not detected.unseen
        alone = values.copy()
        alone[1, 2:, feature] = relief
        assert chain.score(make(alone, CHAIN))[1, 2] < detected.score / 3


def test_missing_is_a_sign(chain):
    values = healthy_values(3, samples=4, seed=9)
    values[2, 3] = np.nan
    assert found(chain, values)["n2"].samples == 1


def test_what_health_never_saw_is_detected_when_it_shows_anything(chain):
    values = healthy_values(5, samples=4, seed=9)
    values[3:, :2] = np.nan
    values[4] = np.nan
    values[4, :, 1] = 0.0
    detected = found(chain, values, (*CHAIN, (0, 3), (0, 4)))
    assert (detected["n3"].unseen, detected["n3"].samples) == (True, 2)
    assert detected["n3"].first_instant == 120.0
    assert "n4" not in detected


def test_healthy_samples_are_quiet(chain):
    scores = chain.score(make(healthy_values(3, samples=300, seed=9), CHAIN))
    assert (scores > chain.calibration.threshold).mean() < 0.03


def test_other_features_are_passed_over_and_absent_ones_are_missing(chain):
    values = healthy_values(3, samples=4, seed=9)
    metrics = (("latency", "Average"), ("temperature", ""), ("availability", "Average"))
    telemetry = make(values, CHAIN, metrics=metrics)
    view = chain.view(telemetry)
    assert view.telemetry.features == chain.features
    assert np.isnan(view.telemetry.values[:, :, 1]).all()
    assert detect(chain, telemetry)


@pytest.mark.parametrize("samples", [1, 200])
def test_any_number_of_samples_will_do(chain, samples):
    values = healthy_values(3, samples=samples, seed=9)
    values[2, -1, 0] = 2.0
    assert "n2" in found(chain, values)


def test_an_incident_without_any_value_is_scored(chain):
    scores = chain.score(make(np.full((3, 4, 3), np.nan), CHAIN))
    assert scores.shape == (3, 4)
    assert np.isfinite(scores).all()
    assert chain.score(make(np.empty((3, 0, 3)), CHAIN)).shape == (3, 0)


@pytest.mark.parametrize(
    ("nodes", "calls", "metrics"),
    [
        (1, (), None),
        (3, (), None),
        (3, ((0, 1), (1, 0), (1, 2), (2, 0)), None),
        (3, ((0, 0), (0, 1), (2, 2)), None),
        (3, CHAIN, (("cpu", ""), ("memory", ""), ("threads", ""))),
    ],
    ids=["single", "no calls", "circles", "calls of oneself", "only other metrics"],
)
def test_any_mesh_is_learnt(nodes, calls, metrics):
    options = {"metrics": metrics} if metrics else {}
    healthy = make(healthy_values(nodes, samples=550), calls, **options)
    detector = train(healthy, seed=0)
    assert 0 < detector.calibration.threshold < 20
    values = healthy_values(nodes, samples=4, seed=9)
    values[0, 2, 0] = 3.0
    assert next(iter(found(detector, values, calls, **options))) == "n0"


def test_constant_and_missing_series_in_health():
    values = healthy_values(4)
    values[1] = [0.5, 100.0, 100.0]
    values[2] = np.nan
    values[3, :, 0] = np.nan
    detector = train(make(values, CHAIN), seed=0)
    assert np.isfinite(detector.calibration.threshold)
    incident = values[:, :4].copy()
    incident[1, 2, 0] = 0.9
    incident[3, 2, 0] = 0.1
    detected = found(detector, incident)
    assert set(detected) == {"n1", "n3"}


@pytest.mark.parametrize("samples", [1, 2, 20])
def test_too_few_samples_are_no_health(samples):
    with pytest.raises(NotYetKnownError) as raised:
        train(make(healthy_values(3, samples=samples), CHAIN), seed=0)
    assert raised.value.code == "ml.too_few_samples"
    assert str(samples) in str(raised.value)


def test_nor_is_a_recording_without_a_value():
    with pytest.raises(NotYetKnownError) as raised:
        train(make(np.full((3, 200, 3), np.nan), CHAIN), seed=0)
    assert raised.value.code == "ml.nothing_measured"
