"""One incident, worked out: how well each component explains the symptom, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from x0tta_cli.ml.baseline import Array
from x0tta_cli.ml.blame import AMBIGUOUS, Account, Mesh, accounts_of
from x0tta_cli.ml.burden import KIND_OF_ROLE, Kind
from x0tta_cli.ml.calls import Calls
from x0tta_cli.ml.detector import View
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.target import Symptom
from x0tta_cli.telemetry.telemetry import Role

# Weight of what is not shown to belong to the symptom: a component that no recorded calls connect
# with it (recorded graphs are incomplete), a burden of another kind than was noticed, an anomaly
# without a burden. It may, but what does belong goes first.
UNCONNECTED = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What the evidence of a ranking is made from; arrays float64[N] with values from 0 to 1.

    `symptom` is the index of the component where trouble was noticed, None where it is not known.
    `explained` says per kind how well each component accounts for the symptom's burden,
    `anomaly` how far its own anomaly is the largest, `connected` weighs the way to the symptom.
    """

    view: View
    mesh: Mesh
    symptom: int | None
    accounts: dict[Kind, Account]
    explained: dict[Kind, Array]
    weights: dict[Kind, float]
    anomaly: Array
    connected: Array

    def scores(self) -> Array:
        """Score each component as root cause, float64[N] from 0 to 1.

        Kinds of evidence are joined as independent causes are (noisy or: Pearl 1988, section
        4.3.2): each may be enough, and together they are more.
        """
        burdened = any(
            weight == 1.0 and self.explained[kind].any() for kind, weight in self.weights.items()
        )
        doubt = 1.0 - self.anomaly * self.connected * (UNCONNECTED if burdened else 1.0)
        for kind, explained in self.explained.items():
            doubt = doubt * (1.0 - self.weights[kind] * self.connected * explained)
        scores = 1.0 - doubt
        newcomers = self.mesh.newcomers
        calls = self.mesh.calls
        for caller, callee in zip(calls.caller, calls.callee, strict=True):
            if newcomers[callee]:
                scores[callee] = AMBIGUOUS * scores[caller]
        return scores


def work_out(view: View, symptom: Symptom | None) -> Case:
    """Apply the rules to an incident."""
    telemetry = view.telemetry
    nodes = telemetry.topology.nodes
    noticed_at = nodes.index(symptom.node) if symptom and symptom.node in nodes else None
    calls = Calls.of(telemetry, view.step_s)
    anomalous = view.scores() > view.detector.calibration.threshold
    mesh = Mesh(calls, anomalous, view.unseen())
    accounts = accounts_of(view, mesh)
    explained = {
        kind: account.explains(noticed_burden(account, mesh, noticed_at))
        for kind, account in accounts.items()
    }
    is_felt = bool(anomalous[mesh.entrances].any()) or not mesh.entrances.any()
    is_noticed = noticed_at is not None or is_felt
    connected = np.ones(len(nodes))
    if noticed_at is not None:
        hops = telemetry.topology.hops_from(noticed_at)
        connected = np.array([UNCONNECTED if hop is None else 1.0 for hop in hops])
    return Case(
        view=view,
        mesh=mesh,
        symptom=noticed_at,
        accounts=accounts,
        explained=explained,
        weights=_weights(explained, symptom, is_noticed=is_noticed),
        anomaly=own_anomaly(view, calls),
        connected=connected,
    )


def noticed_burden(account: Account, mesh: Mesh, symptom: int | None) -> Array:
    """Find the burden to explain, float64[T]; NaN where it is not known.

    It is the symptom's, or else what arrives where nobody calls.
    In a mesh where everything is called by something, it is what all components add themselves.
    """
    if symptom is not None and account.burden.known[symptom].any():
        return np.where(account.burden.known[symptom], account.cost[symptom], np.nan)
    if mesh.entrances.any():
        arriving: Array = account.cost[mesh.entrances].sum(axis=0)
        return arriving
    added: Array = np.maximum(account.own, 0.0).sum(axis=0)
    return added


def own_anomaly(view: View, calls: Calls) -> Array:
    """How far a component's anomaly is its own, float64[N]: 1 for the one with most of its own.

    Trouble spreads to callers and more requests to callees, so only what no callee (for requests:
    no caller) has as much of is a component's own. Fewer requests follow from trouble.
    """
    anomalies = view.anomalies()
    trouble, load = anomalies["trouble"], anomalies["load"]
    beneath, above = np.zeros_like(trouble), np.zeros_like(load)
    np.maximum.at(beneath, calls.caller, trouble[calls.callee])
    np.maximum.at(above, calls.callee, load[calls.caller])
    own = np.maximum(np.maximum(trouble - beneath, load - above), 0.0)
    most = own.max(initial=0.0)
    return own / most if most > 0 else own


def _weights(
    explained: dict[Kind, Array], symptom: Symptom | None, *, is_noticed: bool
) -> dict[Kind, float]:
    """Put the kind that was noticed first; where it is not known or not explained, all count.

    Where nothing was noticed, a burden is of the usual ups and downs: who makes them goes behind
    what is anomalous.
    """
    if not is_noticed:
        return dict.fromkeys(explained, UNCONNECTED)
    role = feature_of(symptom.metric, symptom.statistic).role if symptom else Role.OTHER
    noticed = KIND_OF_ROLE.get(role)
    if noticed is None or noticed not in explained or not explained[noticed].any():
        return dict.fromkeys(explained, 1.0)
    return {kind: 1.0 if kind is noticed else UNCONNECTED for kind in explained}
