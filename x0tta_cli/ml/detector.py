"""Learns what is usual in a mesh, and finds the components that are not as usual."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core import extras
from x0tta_cli.core.errors import NotYetKnownError
from x0tta_cli.core.progress import Progress, Silent
from x0tta_cli.ml.baseline import Array, Baseline
from x0tta_cli.ml.calibration import Split, calibrate, split_by_time
from x0tta_cli.ml.canonical import canonical_order
from x0tta_cli.ml.model import Calibration, Detection
from x0tta_cli.ml.scoring import Scorer, learn
from x0tta_cli.telemetry.telemetry import Feature, Role, Telemetry
from x0tta_cli.telemetry.topology import Topology

# Scores are compared to so many decimals: what lies beyond is rounding.
DECIMALS = 9


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """What was learnt from one healthy recording; `scorer` has its components in the same order."""

    healthy: Telemetry
    scorer: Scorer
    calibration: Calibration

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features it knows; others are passed over."""
        return self.healthy.features

    def view(self, telemetry: Telemetry) -> View:
        """Hold telemetry against what was learnt; components and features may be new or absent.

        Raises UsageError `telemetry.wrong_unit` where a feature has another unit than in health.
        """
        known = {name: place for place, name in enumerate(self.healthy.topology.nodes)}
        places = tuple(known.get(name) for name in telemetry.topology.nodes)
        topology = _with_known_calls(telemetry.topology, self.healthy.topology)
        aligned = telemetry.aligned_to(topology, self.features).telemetry
        return View(self, aligned, places, self.scorer.baseline.for_nodes(places))

    def score(self, telemetry: Telemetry) -> Array:
        """Score every component and sample: float64[N, T], components as in `telemetry`."""
        return self.view(telemetry).scores()


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Telemetry beside what was learnt about the same components, in the telemetry's order.

    `places` are the components' rows in health, None for one that health does not have.
    """

    detector: Detector
    telemetry: Telemetry
    places: tuple[int | None, ...]
    baseline: Baseline

    @property
    def step_s(self) -> float:
        """Seconds between samples; a single sample is taken to have health's step."""
        return self.telemetry.step_s or self.detector.healthy.step_s or 1.0

    def healthy(self) -> Telemetry:
        """Bring the healthy recording into the same order of the same components."""
        return self.detector.healthy.aligned_to(
            self.telemetry.topology, self.detector.features
        ).telemetry

    def deviations(self) -> Array:
        """Deviations from health, float64[N, T, F]; NaN where missing now or never measured."""
        return self.baseline.deviations(self.telemetry.values)

    def squares(self) -> Array:
        """Squared parts of the score: see `Scorer.squares`."""
        return self.detector.scorer.squares(
            self.places, self.telemetry.values, self.deviations(), self.telemetry.topology.edges
        )

    def scores(self) -> Array:
        """Score every component and sample: float64[N, T]."""
        return self.detector.scorer.scores(self.places, self.squares())

    def alive(self) -> NDArray[np.bool_]:
        """Say when a component shows anything: bool[N, T]. No requests are no sign of life."""
        values = self.telemetry.values
        alive: NDArray[np.bool_] = np.any(np.isfinite(values) & (values != 0.0), axis=2)
        return alive

    def unseen(self) -> NDArray[np.bool_]:
        """Say which components show something now that health never saw: bool[N]."""
        never = ~np.isfinite(self.baseline.level).any(axis=1)
        unseen: NDArray[np.bool_] = never & np.any(self.alive(), axis=1)
        return unseen

    def anomalies(self) -> Mapping[str, Array]:
        """How far each component's worst sample is above the threshold, in powers of e: float64[N].

        Under "load" for more requests than usual, which spread to callees, and under "trouble" for
        all else but fewer requests, which follow from trouble.
        """
        squares, rising = self.squares(), self.deviations() > 0
        is_rate = np.array([feature.role is Role.RATE for feature in self.detector.features])
        parts = {
            "load": np.where(is_rate & rising, squares, 0.0),
            "trouble": np.where(is_rate, 0.0, squares),
        }
        threshold = max(self.detector.calibration.threshold, np.finfo(float).tiny)
        scorer = self.detector.scorer
        return {
            name: np.log(np.maximum(scorer.scores(self.places, part) / threshold, 1.0)).max(
                axis=1, initial=0.0
            )
            for name, part in parts.items()
        }


def train(
    healthy: Telemetry,
    *,
    seed: int,
    false_alarm_rate: float = 0.01,
    progress: Progress | None = None,
) -> Detector:
    """Train, calibrate and measure a detector on three parts of healthy time.

    `false_alarm_rate` is the share of healthy samples, per component, that may be called
    anomalous. The same telemetry and seed give the same numbers, whatever the components' names
    and order. Raises NotYetKnownError `ml.too_few_samples` and `ml.nothing_measured`.
    """
    extras.require("ml")
    measured = np.isfinite(healthy.values).any(axis=(1, 2))
    if not measured.any():
        raise _nothing_measured()
    split = split_by_time(len(healthy.instants))
    _check_enough(split, int(measured.sum()), false_alarm_rate)
    taught = Telemetry(
        healthy.topology,
        healthy.instants[split.train],
        healthy.features,
        healthy.values[:, split.train],
    )
    scorer = learn(
        healthy,
        taught,
        seed=seed,
        false_alarm_rate=false_alarm_rate,
        progress=progress or Silent(),
    )
    everyone = range(len(healthy.topology.nodes))
    deviations = scorer.baseline.deviations(healthy.values)
    squares = scorer.squares(everyone, healthy.values, deviations, healthy.topology.edges)
    scores = scorer.scores(everyone, squares)
    calibration = calibrate(scores[measured], split, false_alarm_rate)
    return Detector(healthy, scorer, calibration)


def detect(detector: Detector, telemetry: Telemetry) -> tuple[Detection, ...]:
    """Find the components whose score passes the threshold, or that health never saw.

    The highest score comes first; equal ones are ordered by content, not by name.
    """
    view = detector.view(telemetry)
    scores, unseen = view.scores(), view.unseen()
    threshold = detector.calibration.threshold
    passed = (scores > threshold) | (unseen[:, None] & view.alive())
    order = canonical_order(telemetry.values, telemetry.topology.edges)
    found = [
        Detection(
            node=telemetry.topology.nodes[node],
            score=float(scores[node].max()),
            threshold=threshold,
            first_instant=float(telemetry.instants[np.argmax(passed[node])]),
            samples=int(passed[node].sum()),
            unseen=bool(unseen[node]),
        )
        for node in order
        if passed[node].any()
    ]
    return tuple(sorted(found, key=lambda detection: -round(detection.score, DECIMALS)))


def _with_known_calls(topology: Topology, known: Topology) -> Topology:
    """Add the calls that health knows between the same components."""
    present = set(topology.nodes)
    calls = [
        (named.nodes[caller], named.nodes[callee])
        for named in (topology, known)
        for caller, callee in named.edges
    ]
    return Topology.from_calls(topology.nodes, [call for call in calls if present.issuperset(call)])


def _check_enough(split: Split, components: int, false_alarm_rate: float) -> None:
    held_back = components * len(split.calibrate)
    fewest = math.ceil(1.0 / false_alarm_rate)
    if held_back >= fewest and len(split.measure):
        return
    samples = len(split.block)
    raise NotYetKnownError(
        "ml.too_few_samples",
        f"{samples} healthy samples of {components} components are too few to learn from.",
        reason=f"A false-alarm rate of {false_alarm_rate:g} can't be told from fewer than {fewest} "
        f"held-back values; these leave {held_back}.",
        fix="Record healthy time for longer, or allow more false alarms.",
        context={"samples": samples, "components": components},
    )


def _nothing_measured() -> NotYetKnownError:
    return NotYetKnownError(
        "ml.nothing_measured",
        "The healthy recording holds no value at all.",
        reason="Every value of every component is missing.",
        fix="Check that the recorder ran, and record healthy time again.",
    )
