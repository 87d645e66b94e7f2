"""A small drill to render, whose parts a test may exchange."""

from __future__ import annotations

from dataclasses import replace

import pytest

from x0tta_cli.drill.model import (
    Accuracy,
    DeliveredAlert,
    DrillResult,
    DrillSummary,
    JudgedIncident,
    Stage,
    Training,
    Verdict,
)
from x0tta_cli.drill.report.model import HealthyBand, ReportData, Series
from x0tta_cli.ml.model import Attribution, Contribution, Detection, Evidence, Suspect

INSTANTS = (1681398600.0, 1681398900.0, 1681399200.0, 1681399500.0, 1681399800.0)
TRAINING = Training(
    seed=0,
    stated_false_alarm_rate=0.01,
    measured_false_alarm_rate=0.0087,
    measured_interval=(0.0071, 0.0106),
    measured_samples=7611,
    threshold=1.5,
)


@pytest.fixture(autouse=True)
def _state(state):
    """Nothing is written outside the test's own state folder."""


@pytest.fixture
def explanation():
    return explanation_of("orders")


@pytest.fixture
def drill():
    """Build a result and its report data over the given component names."""
    return build_drill


@pytest.fixture
def summary():
    accuracy = Accuracy(
        top_1=0.5,
        top_3=0.75,
        avg_5=0.7,
        mrr=0.6,
        intervals={
            "top_1": (0.3, 0.7),
            "top_3": (0.5, 0.9),
            "avg_5": (0.5, 0.8),
            "mrr": (0.4, 0.8),
        },
    )
    return DrillSummary(
        verdict=Verdict.MISS,
        top_1=accuracy.top_1,
        top_3=accuracy.top_3,
        avg_5=accuracy.avg_5,
        mrr=accuracy.mrr,
        intervals=accuracy.intervals,
        baselines={"largest_robust_z": accuracy, "frequency_order": replace(accuracy, top_3=0.5)},
        top_3_floor=0.8,
        judged_incidents=2,
        distinct_causes=2,
        incidents=(
            JudgedIncident("mesh/one", "orders", "orders", 1, Verdict.HIT, 900.0),
            JudgedIncident("mesh/two", "stock", "orders", 7, Verdict.MISS, 900.0),
            JudgedIncident("mesh/three", None, None, None, Verdict.INCONCLUSIVE, 900.0),
        ),
        training={"mesh": TRAINING},
        duration_ms=2700.0,
    )


def build_drill(
    names: tuple[str, ...] = ("shop", "orders", "stock", "mail"),
    edges: tuple[tuple[int, int], ...] = ((0, 1), (1, 2), (0, 3)),
) -> tuple[DrillResult, ReportData]:
    """The second component (of one, the only) is the truth and ranked first."""
    truth = names[min(1, len(names) - 1)]
    scores = {name: 1 / (1 + place) for place, name in enumerate(dict.fromkeys([truth, *names]))}
    ranking = tuple(Suspect(name, score, evidence_of(name)) for name, score in scores.items())
    explanations = tuple(explanation_of(name) for name in list(scores)[:3])
    result = DrillResult(
        incident="mesh/slow",
        symptom=f"latency (p95) of {names[0]}",
        truth=truth,
        truth_rank=1,
        verdict=Verdict.HIT,
        reason="",
        ranking=ranking,
        detected=tuple(
            Detection(one.node, one.score, 1.5, INSTANTS[2], samples=3, unseen=one.node == truth)
            for one in explanations
        ),
        explanations=explanations,
        not_known=(f"not measured in this incident: {names[-1]}",),
        training=TRAINING,
        alert=DeliveredAlert(
            key="5f1d",
            name="MeshRootCauseSuspected",
            receiver="loopback",
            state="visible, then resolved",
            labels={"component": truth, "severity": "critical"},
            annotations={"summary": f"{truth} is slow", "observed": "one\ntwo"},
        ),
        stages=(Stage("train", 4870.0), Stage("rank", 31.0), Stage("judge", 0.2)),
    )
    data = ReportData(
        nodes=names,
        edges=edges,
        scores=tuple(scores[name] for name in names),
        symptom_node=names[0],
        instants=INSTANTS,
        onset=1681399159.0,
        series=(series_of(names[0], "symptom"), series_of(truth, "suspect 1")),
        attribution="Recorded by the authors.\nCC-BY-4.0",
    )
    return result, data


def explanation_of(node: str) -> Attribution:
    parts = (
        Contribution("latency_p95", "own", 2.5, 0.6, 0.06, 9.0, "s"),
        Contribution("availability", "own", -0.75, None, 100.0, None, "%"),
        *(
            Contribution(
                "requests_sum", f"{node} {number}", 0.1 * number, 120.0, None, 1.0, "count"
            )
            for number in range(8)
        ),
    )
    base = 0.25
    return Attribution(
        node, base, base + sum(part.shap for part in parts), parts, ("availability",)
    )


def evidence_of(node: str) -> tuple[Evidence, ...]:
    return (
        Evidence("observed", f"{node} is ten times slower", "latency_p95", 0.6, 0.06, "s"),
        Evidence("inferred", f"no callee of {node} explains it"),
        Evidence("unknown", f"availability of {node} was not measured"),
    )


def series_of(node: str, reason: str) -> Series:
    values = (0.06, 0.05, 0.4, None, 0.6)
    return Series(node, "latency_p95", "s", values, HealthyBand(0.04, 0.06, 0.08), reason)
