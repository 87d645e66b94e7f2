"""Ranks root causes along the call graph, with the evidence for each.

The rules, each explained where it stands:

1. A component is to blame for what it costs its callers beyond health, minus what its callees cost
   it (`burden`), as far as that accounts for what was noticed, sample by sample (`agreement`).
2. What health never saw, and a single component calls, is that component's change (`blame.Mesh`).
3. Load from outside beyond all that health saw may be what slows components down (`blame_load`).
4. An anomalous callee that can't show its burden, or that fails while its caller waits, may be
   what its caller seems to add (`blame_callees`).
5. A component's own anomaly counts a little, and alone where no burden is measured (`case`).

Names are never looked at; the order of equals is by content.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from x0tta_cli.ml.baseline import Array
from x0tta_cli.ml.canonical import canonical_order
from x0tta_cli.ml.case import work_out
from x0tta_cli.ml.detector import DECIMALS, Detector, View, detect
from x0tta_cli.ml.evidence import evidence_for
from x0tta_cli.ml.model import Detection, Ranking, Suspect
from x0tta_cli.ml.scoring import harmful
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.target import Symptom
from x0tta_cli.telemetry.telemetry import Role, Telemetry


def rank(detector: Detector, telemetry: Telemetry, symptom: Symptom | None = None) -> Ranking:
    """Rank the components of an incident as root causes, likeliest first.

    `symptom` is where trouble was noticed; without it, what arrives at the entrances of the mesh
    is explained. `Ranking.enough` is false where nothing can be told.
    """
    view = detector.view(telemetry)
    detections = {found.node: found for found in detect(detector, telemetry)}
    reason = _why_not_enough(view, detections, symptom)
    if reason:
        return Ranking((), enough=False, reason=reason)
    case = work_out(view, symptom)
    scores = case.scores()
    nodes = telemetry.topology.nodes
    suspects = tuple(
        Suspect(
            nodes[index],
            float(scores[index]),
            evidence_for(case, index, detections.get(nodes[index])),
        )
        for index in _ordered(telemetry, scores)
        if round(float(scores[index]), DECIMALS) > 0
    )
    if not suspects:
        return Ranking((), enough=False, reason="all anomalies follow from others")
    return Ranking(suspects, enough=True)


def largest_robust_z(
    detector: Detector, telemetry: Telemetry, symptom: Symptom | None = None
) -> list[str]:
    """Order components by their largest harmful deviation from health, in robust deviations.

    A plain baseline that knows no calls. Of a symptom it uses the metric: other metrics are left
    out, where the recording has that one.
    """
    view = detector.view(telemetry)
    harm = np.nan_to_num(harmful(view.deviations(), detector.features))
    if symptom is not None:
        role = feature_of(symptom.metric, symptom.statistic).role
        noticed = [i for i, feature in enumerate(detector.features) if feature.role is role]
        harm = harm[:, :, noticed] if noticed and role is not Role.OTHER else harm
    largest = harm.max(axis=(1, 2), initial=0.0)
    return [telemetry.topology.nodes[index] for index in _ordered(telemetry, largest)]


def _ordered(telemetry: Telemetry, scores: Array) -> Sequence[int]:
    order = canonical_order(telemetry.values, telemetry.topology.edges)
    return sorted(order, key=lambda index: -round(float(scores[index]), DECIMALS))


def _why_not_enough(view: View, detections: dict[str, Detection], symptom: Symptom | None) -> str:
    telemetry = view.telemetry
    if not len(telemetry.instants):
        return "there is no sample"
    if not np.isfinite(telemetry.values).any():
        return "nothing was measured"
    onset = symptom.instant if symptom else None
    # A sample may bear the instant at which its step began.
    if onset is not None and telemetry.instants[-1] <= onset - view.step_s:
        return "no sample reaches the time at which trouble was noticed"
    if onset is not None:
        after = telemetry.instants > onset - view.step_s
        if not np.isfinite(telemetry.values[:, after]).any():
            return "nothing was measured after trouble was noticed"
    if not detections:
        return "no component is anomalous"
    return ""
