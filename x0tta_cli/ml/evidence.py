"""Words the evidence for a suspect: what was observed, what is inferred, what is not known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from x0tta_cli.ml.blame import Account, Rule, Transfer
from x0tta_cli.ml.burden import Kind
from x0tta_cli.ml.case import Case, noticed_burden
from x0tta_cli.ml.model import Detection, Evidence
from x0tta_cli.ml.scoring import harmful

# Transfers and burdens below this share are noise that would hide the rest.
LEAST_SHARE_TOLD = 0.1
QUANTITIES_TOLD = 3

BURDEN_IN_WORDS = {
    Kind.WAITING: ("s of waiting per second", "waiting"),
    Kind.FAILURES: ("failed calls per second", "failures"),
}


def evidence_for(case: Case, node: int, detection: Detection | None) -> tuple[Evidence, ...]:
    """Collect the evidence for one component, by its index."""
    return (
        *_observed(case, node),
        *_inferred(case, node, detection),
        *_not_known(case, node),
    )


def _observed(case: Case, node: int) -> Iterator[Evidence]:
    """Of each quantity, the statistic and sample farthest from health; the farthest first."""
    view = case.view
    features = view.detector.features
    harm = np.nan_to_num(harmful(view.deviations()[node], features))
    farthest = {}
    for group in view.detector.scorer.groups:
        sample, place = np.unravel_index(
            int(np.argmax(harm[:, list(group)])), (len(harm), len(group))
        )
        farthest[group[place]] = int(sample)
    told = sorted(farthest, key=lambda index: -harm[farthest[index], index])[:QUANTITIES_TOLD]
    for index in told:
        value = float(view.telemetry.values[node, farthest[index], index])
        if np.isnan(value):
            continue
        feature, usual = features[index], float(view.baseline.level[node, index])
        unit = feature.unit.symbol
        in_health = "never measured in health" if np.isnan(usual) else f"usually {usual:.4g} {unit}"
        yield Evidence(
            "observed",
            f"{feature.name} was {value:.4g} {unit}".rstrip() + f", {in_health}".rstrip(),
            feature=feature.name,
            value=value,
            healthy_value=None if np.isnan(usual) else usual,
            unit=unit,
        )


def _inferred(case: Case, node: int, detection: Detection | None) -> Iterator[Evidence]:
    samples = len(case.view.telemetry.instants)
    if detection is not None and detection.score > detection.threshold:
        yield _inference(
            f"anomaly score {detection.score:.2f}, above the threshold of "
            f"{detection.threshold:.2f} in {detection.samples} of {samples} samples"
        )
    for kind, account in case.accounts.items():
        yield from _burden_in_words(case, kind, account, node)
        for transfer in account.transfers:
            if transfer.share >= LEAST_SHARE_TOLD and node in (transfer.giver, transfer.taker):
                yield _inference(_transfer_in_words(case, kind, transfer, node))
    if case.anomaly[node] >= LEAST_SHARE_TOLD:
        yield _inference(
            "part of its anomaly is in no callee, or for load in no caller: "
            f"{case.anomaly[node]:.2f} of the largest such part"
        )
    nodes, calls = case.view.telemetry.topology.nodes, case.mesh.calls
    for caller, callee in zip(calls.caller, calls.callee, strict=True):
        if case.mesh.newcomers[callee] and caller == node:
            yield _inference(f"it alone calls {nodes[callee]}, which health never saw: its change")
        if case.mesh.newcomers[callee] and callee == node:
            yield _inference(f"health never saw it; {nodes[caller]} alone calls it and has changed")


def _burden_in_words(case: Case, kind: Kind, account: Account, node: int) -> Iterator[Evidence]:
    explained = float(case.explained[kind][node])
    if explained < LEAST_SHARE_TOLD:
        return
    unit, word = BURDEN_IN_WORDS[kind]
    worst = int(np.nanargmax(noticed_burden(account, case.mesh, case.symptom)))
    cost, own = float(account.cost[node, worst]), float(account.own[node, worst])
    share = (cost - own) / cost if cost > 0 else 0.0
    yield _inference(
        f"costs its callers {cost:.3g} {unit} beyond health; its callees explain "
        + (f"{share:.0%} of that" if share >= LEAST_SHARE_TOLD else "next to nothing of that")
    )
    where = "the entrances of the mesh"
    if case.symptom is not None and account.burden.known[case.symptom].any():
        where = case.view.telemetry.topology.nodes[case.symptom]
    yield _inference(
        f"what it adds to {word} itself accounts for what {where} shows to {explained:.2f} of 1"
    )


def _transfer_in_words(case: Case, kind: Kind, transfer: Transfer, node: int) -> str:
    nodes = case.view.telemetry.topology.nodes
    giver = "it" if transfer.giver == node else nodes[transfer.giver]
    taker = "it" if transfer.taker == node else nodes[transfer.taker]
    seen = {
        Rule.LOAD: f"load beyond all that health saw enters at {taker}",
        Rule.SILENT: f"{taker} is anomalous and can't show its {BURDEN_IN_WORDS[kind][1]}",
        Rule.FAILING: f"{taker} fails",
    }[transfer.rule]
    return (
        f"{seen} in step (correlation {transfer.share:.2f}) with the "
        f"{BURDEN_IN_WORDS[kind][1]} of {giver}: it may be the cause of that"
    )


def _not_known(case: Case, node: int) -> Iterator[Evidence]:
    view = case.view
    missing = np.isnan(view.telemetry.values[node])
    never = ~np.isfinite(view.baseline.level[node])
    samples = len(missing)
    for index, feature in enumerate(view.detector.features):
        count = int(missing[:, index].sum())
        if count and not never[index]:
            yield Evidence(
                "unknown",
                f"{feature.name} is missing in {count} of {samples} samples",
                feature=feature.name,
                unit=feature.unit.symbol,
            )
    if never.all():
        yield Evidence("unknown", "nothing of it was ever measured in health")
    elif never.any():
        names = [f.name for f, absent in zip(view.detector.features, never, strict=True) if absent]
        yield Evidence("unknown", f"never measured in health: {', '.join(names)}")
    if case.connected[node] < 1.0 and case.symptom is not None:
        noticed_at = view.telemetry.topology.nodes[case.symptom]
        yield Evidence("unknown", f"no recorded calls lead from {noticed_at} to it")


def _inference(statement: str) -> Evidence:
    return Evidence("inferred", statement)
