"""Collect what a report shows from a finding, and render it."""

from __future__ import annotations

import math

import numpy as np

from x0tta_cli.drill.model import DrillSummary
from x0tta_cli.drill.report.model import HealthyBand, ReportData, Series
from x0tta_cli.drill.report.page import render_page, render_summary_page
from x0tta_cli.drill.run import Finding
from x0tta_cli.telemetry.library import Library
from x0tta_cli.telemetry.telemetry import Role, Telemetry

SUSPECTS_DRAWN = 3
# One series per thing that can go wrong: three percentiles of one latency tell the same story.
ROLES_DRAWN = (Role.LATENCY, Role.RATE, Role.AVAILABILITY, Role.ERRORS)


def of_finding(finding: Finding, library: Library) -> str:
    """Render the page about one incident."""
    incident, result = finding.incident, finding.result
    telemetry, symptom = incident.telemetry, incident.symptom
    healthy = library.healthy(incident.healthy_identifier)
    score_of = {suspect.node: suspect.score for suspect in result.ranking}
    data = ReportData(
        nodes=telemetry.topology.nodes,
        edges=telemetry.topology.edges,
        scores=tuple(score_of.get(node, 0.0) for node in telemetry.topology.nodes),
        symptom_node=symptom.node if symptom else None,
        instants=tuple(map(float, telemetry.instants)),
        onset=incident.onset,
        series=tuple(
            series_of(telemetry, healthy, node, index, reason)
            for node, reason in _nodes_drawn(finding)
            for index in features_drawn(telemetry)
        ),
        attribution=library.attribution(),
    )
    return render_page(result, data)


def of_summary(summary: DrillSummary, library: Library) -> str:
    """Render the page over all incidents."""
    return render_summary_page(summary, library.attribution())


def features_drawn(telemetry: Telemetry) -> tuple[int, ...]:
    """Choose the first feature of each role; of a mesh without known roles, the first few."""
    of_roles = [telemetry.feature_indices(role)[:1] for role in ROLES_DRAWN]
    chosen = tuple(index for indices in of_roles for index in indices)
    return chosen or tuple(range(min(len(ROLES_DRAWN), len(telemetry.features))))


def series_of(
    telemetry: Telemetry, healthy: Telemetry, node: str, feature_index: int, reason: str
) -> Series:
    """One feature of one component over the incident, beside what it was in health."""
    feature = telemetry.features[feature_index]
    values = telemetry.values[telemetry.topology.index_of(node), :, feature_index]
    return Series(
        node=node,
        feature=feature.name,
        unit=feature.unit.symbol,
        values=tuple(None if math.isnan(value) else float(value) for value in values),
        healthy=_band(healthy, node, feature.name),
        reason=reason,
    )


def _band(healthy: Telemetry, node: str, feature: str) -> HealthyBand | None:
    if node not in healthy.topology.nodes:
        return None
    place = healthy.topology.index_of(node), healthy.feature_index(feature)
    values = healthy.values[place[0], :, place[1]]
    if np.isnan(values).all():
        return None
    low, median, high = np.nanquantile(values, (0.05, 0.5, 0.95))
    return HealthyBand(float(low), float(median), float(high))


def _nodes_drawn(finding: Finding) -> list[tuple[str, str]]:
    symptom = finding.incident.symptom
    drawn = {symptom.node: "symptom"} if symptom else {}
    for place, suspect in enumerate(finding.result.ranking[:SUSPECTS_DRAWN], 1):
        drawn.setdefault(suspect.node, f"suspect {place}")
    if finding.result.truth in finding.incident.telemetry.topology.nodes:
        drawn.setdefault(str(finding.result.truth), "recorded cause")
    return list(drawn.items())
