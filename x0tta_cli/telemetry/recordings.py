"""Reads recordings: healthy time, and incidents held against it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from x0tta_cli.core import files
from x0tta_cli.core.errors import NotFoundError, NotYetKnownError, UsageError
from x0tta_cli.telemetry.csv_reader import read_metrics, read_node_names
from x0tta_cli.telemetry.graph_reader import read_graph
from x0tta_cli.telemetry.library import (
    HEALTHY_FOLDER,
    IncidentReference,
    Library,
    RecordingReference,
    csv_file,
    exists,
)
from x0tta_cli.telemetry.plausibility import check_same_step, check_same_units
from x0tta_cli.telemetry.target import Symptom, Target, read_target
from x0tta_cli.telemetry.telemetry import Telemetry

# Two samples show at least a step and whether a value moves; how many a model needs, it says.
FEWEST_HEALTHY_SAMPLES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Incident:
    """One incident: what was measured, where it was seen, and what is recorded as its cause.

    `telemetry` has the features of the healthy recording in its order, and its components first in
    its order, followed by `unknown_nodes`. What the incident does not measure is NaN and listed.
    `truths` are as recorded: a name among them may be of no component.
    """

    identifier: str
    healthy_identifier: str
    telemetry: Telemetry
    symptom: Symptom | None
    truths: tuple[str, ...]
    unseen_nodes: tuple[str, ...]
    """Measured here, without a single value in healthy time."""
    missing_nodes: tuple[str, ...]
    """Measured in healthy time, without a single value here."""
    unknown_nodes: tuple[str, ...]
    """Measured here, named neither by the graph nor by the healthy recording."""
    missing_features: tuple[str, ...]
    """Measured in healthy time, not here."""
    unknown_features: tuple[str, ...]
    """Measured here, not in healthy time: left out of `telemetry`."""

    @property
    def truth(self) -> str | None:
        """The recorded root cause, the first where several are; None where it is not known."""
        return self.truths[0] if self.truths else None

    @property
    def onset(self) -> float | None:
        """The instant at which trouble was noticed (Unix seconds), where it is recorded."""
        return self.symptom.instant if self.symptom else None


def read_healthy(recording: RecordingReference) -> Telemetry:
    """Read a recording's graph and healthy time; read again only when a file has changed.

    Components: those of the graph, then those that only the measurements name. Raises NotFoundError
    `telemetry.no_graph` and `telemetry.no_healthy_recording`, NotYetKnownError
    `telemetry.too_few_samples`, and what `read_graph` and `read_metrics` raise.
    """
    graph = csv_file(recording.folder, "graph")
    if graph is None:
        raise NotFoundError(
            "telemetry.no_graph",
            f"{recording.folder}: the recording has no graph.csv.",
            fix="Add graph.csv: one row and one column per component, 1 where the row calls the "
            "column.",
            context={"folder": str(recording.folder)},
        )
    metrics = csv_file(recording.folder / HEALTHY_FOLDER, "metrics")
    if metrics is None:
        raise NotFoundError(
            "telemetry.no_healthy_recording",
            f"{recording.folder}: the recording has no {HEALTHY_FOLDER}/metrics.csv.",
            reason="What is unusual can't be told without a time that was not.",
            fix=f"Record a time without trouble as {HEALTHY_FOLDER}/metrics.csv.",
            context={"folder": str(recording.folder)},
        )
    return _read_versions(recording, _version(graph), _version(metrics))


def read_incident(reference: IncidentReference) -> Incident:
    """Read an incident and bring it into the order of its healthy recording.

    A component or feature that one side lacks is listed, never filled in. Raises NotFoundError
    `telemetry.no_metrics`; UsageError `telemetry.no_common_feature`, `telemetry.unknown_symptom`,
    `telemetry.symptom_outside`, `telemetry.wrong_unit`, `telemetry.different_step`; and what
    `read_healthy`, `read_metrics` and `read_target` raise.
    """
    metrics = _incident_metrics(reference.folder)
    healthy = read_healthy(reference.recording)
    found = read_metrics(metrics, healthy.topology)
    aligned = found.aligned_to(found.topology, healthy.features)
    if len(aligned.missing_features) == len(healthy.features):
        raise _no_common_feature(metrics, healthy, found)
    telemetry = aligned.telemetry
    target = _read_target(reference, telemetry, healthy)
    check_same_step(metrics, healthy, telemetry)
    _check_units(metrics, healthy, telemetry, target.symptom)
    nodes = telemetry.topology.nodes
    known = set(healthy.topology.nodes)
    seen_before = known.difference(healthy.unobserved_nodes)
    seen_now = set(nodes).difference(telemetry.unobserved_nodes)
    unseen, lost = seen_now - seen_before, seen_before - seen_now
    return Incident(
        identifier=reference.identifier,
        healthy_identifier=reference.recording.identifier,
        telemetry=telemetry,
        symptom=target.symptom,
        truths=target.truths,
        unseen_nodes=tuple(node for node in nodes if node in unseen),
        missing_nodes=tuple(node for node in nodes if node in lost),
        unknown_nodes=tuple(node for node in nodes if node not in known),
        missing_features=aligned.missing_features,
        unknown_features=aligned.dropped_features,
    )


@dataclass(frozen=True, slots=True)
class _FileVersion:
    path: Path
    modified_ns: int
    size: int


@lru_cache(maxsize=4)
def _read_versions(
    recording: RecordingReference, graph: _FileVersion, metrics: _FileVersion
) -> Telemetry:
    topology = read_graph(graph.path, lambda: _measured_nodes(recording, metrics.path))
    healthy = read_metrics(metrics.path, topology)
    if len(healthy.instants) < FEWEST_HEALTHY_SAMPLES:
        raise NotYetKnownError(
            "telemetry.too_few_samples",
            f"{metrics.path}: the healthy recording has a single sample.",
            reason="One sample does not tell what is usual.",
            fix="Record healthy time for longer, then try again.",
            context={"file": str(metrics.path), "samples": len(healthy.instants)},
        )
    return healthy


def _incident_metrics(folder: Path) -> Path:
    metrics = csv_file(folder, "metrics")
    if metrics is None:
        raise NotFoundError(
            "telemetry.no_metrics",
            f"{folder}: the incident has no metrics.csv.",
            fix="Add the recording of the incident as metrics.csv or metrics.csv.xz.",
            context={"folder": str(folder)},
        )
    return metrics


def _measured_nodes(recording: RecordingReference, metrics: Path) -> set[str]:
    names = set(read_node_names(metrics))
    for incident in Library(recording.folder).incidents():
        path = csv_file(incident.folder, "metrics")
        if path is not None:
            names.update(read_node_names(path))
    return names


def _version(path: Path) -> _FileVersion:
    with files.reading_errors(path):
        status = path.stat()
    return _FileVersion(path, status.st_mtime_ns, status.st_size)


def _read_target(reference: IncidentReference, telemetry: Telemetry, healthy: Telemetry) -> Target:
    path = reference.folder / "target.json"
    if not exists(path):
        return Target(symptom=None, truths=())
    target = read_target(path)
    symptom = target.symptom
    if symptom is None:
        return target
    context = {"file": str(path), "node": symptom.node}
    if symptom.node not in telemetry.topology.nodes:
        raise UsageError(
            "telemetry.unknown_symptom",
            f"{path}: trouble was seen at an unknown component {symptom.node!r}.",
            reason="Neither the graph nor a column names it.",
            fix="Correct 'target.node'.",
            context=context,
        )
    # What is seen within a step shows in the sample before or after it.
    slack = healthy.step_s or 0.0
    first, last = telemetry.instants[0], telemetry.instants[-1]
    if symptom.instant is not None and not first - slack <= symptom.instant <= last + slack:
        raise UsageError(
            "telemetry.symptom_outside",
            f"{path}: trouble was seen at {symptom.instant:.0f}, outside the incident's recording.",
            reason=f"Its samples reach from {first:.0f} to {last:.0f}.",
            fix="Correct 'target.timestamp' (Unix seconds or ISO 8601).",
            context=context,
        )
    return target


def _check_units(
    path: Path, healthy: Telemetry, incident: Telemetry, symptom: Symptom | None
) -> None:
    if symptom is None or symptom.instant is None:
        return
    usual = healthy.aligned_to(incident.topology, incident.features).telemetry
    check_same_units(path, usual, incident.slice(None, symptom.instant))


def _no_common_feature(path: Path, healthy: Telemetry, found: Telemetry) -> UsageError:
    return UsageError(
        "telemetry.no_common_feature",
        f"{path}: the incident and the healthy recording measure nothing in common.",
        reason=f"Healthy time has {_feature_names(healthy)}; the incident {_feature_names(found)}.",
        fix="Record both with the same metrics and statistics.",
        context={"file": str(path)},
    )


def _feature_names(telemetry: Telemetry) -> str:
    return ", ".join(feature.name for feature in telemetry.features)
