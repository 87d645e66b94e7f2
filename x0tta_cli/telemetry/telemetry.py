"""What was measured: one value per component, instant and feature, with its unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.telemetry.instants import usual_step_s
from x0tta_cli.telemetry.topology import Topology

# Bounds hold up to what printing and reading a float may lose.
BOUND_TOLERANCE = 1e-9


class Role(StrEnum):
    """What a feature says about a component, whatever it is called."""

    LATENCY = "latency"
    RATE = "rate"
    AVAILABILITY = "availability"
    ERRORS = "errors"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement and the values that are possible in it, bounds included."""

    symbol: str
    lower: float = -math.inf
    upper: float = math.inf

    def allows(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say for each value whether it is possible; a missing one (NaN) is."""
        slack = BOUND_TOLERANCE * max(1.0, abs(self.upper) if math.isfinite(self.upper) else 1.0)
        outside = (values < self.lower - slack) | (values > self.upper + slack)
        return np.logical_not(outside)


@dataclass(frozen=True, slots=True)
class Feature:
    """One measured quantity under one statistic, such as `latency_p95`.

    `quantity` and `statistic` are the recording's own words, `name` joins them in lower case.
    """

    name: str
    quantity: str
    statistic: str
    role: Role
    unit: Unit


@dataclass(frozen=True, slots=True)
class MissingRun:
    """Consecutive samples without a value in one series; both instants are within the run."""

    node: str
    feature: str
    first_instant: float
    last_instant: float
    samples: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch between two neighbouring samples that is longer than a step."""

    after: float
    before: float
    missing_samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Telemetry:
    """Measurements of a mesh over time; the arrays are read-only.

    `instants` float64[T], Unix seconds, strictly increasing; gaps may lie between them.
    `values` float64[N, T, F]: N as in `topology.nodes`, F as in `features`; NaN is missing.
    `edge_values` float64[E, T, Fe] or None: E as in `topology.edges`, Fe as in `edge_features`.

    Raises UsageError for data that can't be right (`telemetry.unsorted_instants`,
    `telemetry.duplicate_instant`, `telemetry.not_finite`, `telemetry.wrong_unit`,
    `telemetry.duplicate_feature`) and ValueError for arrays of a wrong shape.
    """

    topology: Topology
    instants: NDArray[np.float64]
    features: tuple[Feature, ...]
    values: NDArray[np.float64]
    edge_features: tuple[Feature, ...] = ()
    edge_values: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "instants", _read_only(self.instants))
        object.__setattr__(self, "values", _read_only(self.values))
        if self.edge_values is not None:
            object.__setattr__(self, "edge_values", _read_only(self.edge_values))
        self._check_shapes()
        _check_instants(self.instants)
        _check_features(self.features)
        _check_features(self.edge_features)
        nodes = self.topology.nodes
        _check_values(nodes, self.instants, self.features, self.values)
        if self.edge_values is not None:
            calls = tuple(f"{nodes[a]} → {nodes[b]}" for a, b in self.topology.edges)
            _check_values(calls, self.instants, self.edge_features, self.edge_values)

    @property
    def step_s(self) -> float | None:
        """The usual distance of two samples in seconds; None for fewer than two."""
        return usual_step_s(np.diff(self.instants)) if len(self.instants) > 1 else None

    @property
    def unobserved_nodes(self) -> tuple[str, ...]:
        """The components without a single value."""
        silent = np.isnan(self.values).all(axis=(1, 2))
        return tuple(self.topology.nodes[index] for index in np.flatnonzero(silent))

    def feature_index(self, name: str) -> int:
        """Tell a feature's place on the last axis.

        Raises NotFoundError `telemetry.no_such_feature`.
        """
        for index, feature in enumerate(self.features):
            if feature.name == name:
                return index
        raise NotFoundError(
            "telemetry.no_such_feature",
            f"There is no feature {name!r}.",
            reason=f"Known are {', '.join(feature.name for feature in self.features)}.",
            fix="Name one of these.",
            context={"feature": name},
        )

    def feature_indices(self, role: Role) -> tuple[int, ...]:
        """List the places of all features of one role."""
        return tuple(i for i, feature in enumerate(self.features) if feature.role is role)

    def slice(self, start: float | None, end: float | None) -> Telemetry:
        """Take the samples with start ≤ instant < end (Unix seconds; None leaves a side open)."""
        first = 0 if start is None else int(np.searchsorted(self.instants, start, "left"))
        stop = len(self.instants) if end is None else np.searchsorted(self.instants, end, "left")
        return self.samples(first, int(stop))

    def samples(self, first: int, stop: int) -> Telemetry:
        """Take the samples number first … stop-1."""
        edges = self.edge_values
        return replace(
            self,
            instants=self.instants[first:stop],
            values=self.values[:, first:stop],
            edge_values=None if edges is None else edges[:, first:stop],
        )

    def aligned_to(self, topology: Topology, features: Sequence[Feature]) -> Alignment:
        """Bring the measurements into another order of components and features, by name.

        What is wanted and not measured here becomes NaN, what is measured and not wanted is left
        out, and both are listed. Edge features stay as they are and follow the wanted edges.
        Raises UsageError `telemetry.wrong_unit` where one name has two units.
        """
        wanted = tuple(features)
        node_pairs = _pairs(topology.nodes, self.topology.nodes)
        feature_pairs = _pairs(
            tuple(feature.name for feature in wanted),
            tuple(feature.name for feature in self.features),
        )
        for here, there in feature_pairs:
            _check_same_unit(wanted[here], self.features[there])
        shape = (len(topology.nodes), len(self.instants), len(wanted))
        values = np.full(shape, np.nan)
        if node_pairs and feature_pairs:
            to_nodes, from_nodes = zip(*node_pairs, strict=True)
            to_features, from_features = zip(*feature_pairs, strict=True)
            block = self.values[np.array(from_nodes)][:, :, np.array(from_features)]
            values[np.ix_(to_nodes, range(shape[1]), to_features)] = block
        telemetry = replace(
            self,
            topology=topology,
            features=wanted,
            values=values,
            edge_values=self._edge_values_for(topology),
        )
        return Alignment(
            telemetry,
            missing_nodes=_absent(topology.nodes, self.topology.nodes),
            missing_features=_absent(
                [feature.name for feature in wanted], [feature.name for feature in self.features]
            ),
            dropped_nodes=_absent(self.topology.nodes, topology.nodes),
            dropped_features=_absent(
                [feature.name for feature in self.features], [feature.name for feature in wanted]
            ),
        )

    def missing_runs(self, at_least: int = 1) -> tuple[MissingRun, ...]:
        """List every run of at least so many consecutive missing samples, series by series."""
        missing = np.isnan(self.values)
        runs: list[MissingRun] = []
        for node_index, feature_index in np.argwhere(missing.any(axis=1)):
            padded = np.zeros(len(self.instants) + 2, dtype=np.int8)
            padded[1:-1] = missing[node_index, :, feature_index]
            change = np.diff(padded)
            begins, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
            for first, stop in zip(begins.tolist(), ends.tolist(), strict=True):
                if stop - first >= at_least:
                    runs.append(
                        MissingRun(
                            self.topology.nodes[node_index],
                            self.features[feature_index].name,
                            float(self.instants[first]),
                            float(self.instants[stop - 1]),
                            stop - first,
                        )
                    )
        return tuple(runs)

    def gaps(self) -> tuple[Gap, ...]:
        """List the stretches where whole samples are missing from the recording."""
        step_s = self.step_s
        if step_s is None:
            return ()
        steps = np.rint(np.diff(self.instants) / step_s).astype(int)
        return tuple(
            Gap(float(self.instants[i]), float(self.instants[i + 1]), int(steps[i] - 1))
            for i in np.flatnonzero(steps > 1).tolist()
        )

    def _edge_values_for(self, topology: Topology) -> NDArray[np.float64] | None:
        if self.edge_values is None:
            return None
        shape = (len(topology.edges), len(self.instants), len(self.edge_features))
        values = np.full(shape, np.nan)
        position = {call: index for index, call in enumerate(_calls(self.topology))}
        for index, call in enumerate(_calls(topology)):
            if call in position:
                values[index] = self.edge_values[position[call]]
        return values

    def _check_shapes(self) -> None:
        if self.instants.ndim != 1:
            raise ValueError(f"instants have the shape {self.instants.shape}, expected (T,)")
        samples = len(self.instants)
        expected = (len(self.topology.nodes), samples, len(self.features))
        if self.values.shape != expected:
            raise ValueError(f"values have the shape {self.values.shape}, expected {expected}")
        if self.edge_values is None:
            if self.edge_features:
                raise ValueError("edge features without edge values")
            return
        expected = (len(self.topology.edges), samples, len(self.edge_features))
        if self.edge_values.shape != expected:
            raise ValueError(
                f"edge values have the shape {self.edge_values.shape}, expected {expected}"
            )


@dataclass(frozen=True, slots=True)
class Alignment:
    """Telemetry in a wanted order, and what had no counterpart on either side."""

    telemetry: Telemetry
    missing_nodes: tuple[str, ...]
    missing_features: tuple[str, ...]
    dropped_nodes: tuple[str, ...]
    dropped_features: tuple[str, ...]


def _read_only(array: NDArray[np.float64]) -> NDArray[np.float64]:
    view = np.asarray(array, dtype=np.float64).view()
    view.flags.writeable = False
    return view


def _check_instants(instants: NDArray[np.float64]) -> None:
    if not np.isfinite(instants).all():
        raise UsageError(
            "telemetry.bad_instant",
            f"Sample number {int(np.argmin(np.isfinite(instants))) + 1} has no finite instant.",
            fix="Give every sample its time in Unix seconds.",
        )
    distances = np.diff(instants)
    for index in np.flatnonzero(distances <= 0)[:1]:
        if distances[index] == 0:
            raise UsageError(
                "telemetry.duplicate_instant",
                f"Sample number {index + 2} is at the same instant as the one before it.",
                reason=f"Both are at {instants[index]:.3f}.",
                fix="Keep one sample per instant.",
            )
        raise UsageError(
            "telemetry.unsorted_instants",
            f"Sample number {index + 2} is earlier than the one before it.",
            reason=f"{instants[index]:.3f} is followed by {instants[index + 1]:.3f}.",
            fix="Sort the samples by time.",
        )


def _check_features(features: tuple[Feature, ...]) -> None:
    names = [feature.name for feature in features]
    if len(set(names)) != len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise UsageError(
            "telemetry.duplicate_feature",
            f"The feature {name!r} is there twice.",
            fix="Rename or remove one of the two.",
            context={"feature": name},
        )


def _check_values(
    owners: tuple[str, ...],
    instants: NDArray[np.float64],
    features: tuple[Feature, ...],
    values: NDArray[np.float64],
) -> None:
    for index, feature in enumerate(features):
        series = values[:, :, index]
        for owner, sample in np.argwhere(np.isinf(series))[:1]:
            raise UsageError(
                "telemetry.not_finite",
                f"{feature.name} of {owners[owner]!r} is infinite at {instants[sample]:.3f}.",
                fix="Make a value that was not measured NaN.",
                context={"node": owners[owner], "feature": feature.name},
            )
        for owner, sample in np.argwhere(~feature.unit.allows(series))[:1]:
            raise UsageError(
                "telemetry.wrong_unit",
                f"{feature.name} of {owners[owner]!r} is {series[owner, sample]:g} at "
                f"{instants[sample]:.3f}.",
                reason=f"Possible is {bounds_in_words(feature.unit)}.",
                fix="Give values in the unit of the feature.",
                context={"node": owners[owner], "feature": feature.name},
            )


def bounds_in_words(unit: Unit) -> str:
    """Tell which values a unit allows, for messages: `0 to 100 %`."""
    symbol = f" {unit.symbol}" if unit.symbol else ""
    if math.isfinite(unit.lower) and math.isfinite(unit.upper):
        return f"{unit.lower:g} to {unit.upper:g}{symbol}"
    if math.isfinite(unit.lower):
        return f"{unit.lower:g}{symbol} or more"
    if math.isfinite(unit.upper):
        return f"{unit.upper:g}{symbol} or less"
    return f"any finite number{f' of {unit.symbol}' if unit.symbol else ''}"


def _check_same_unit(wanted: Feature, found: Feature) -> None:
    if wanted.unit != found.unit:
        raise UsageError(
            "telemetry.wrong_unit",
            f"{found.name} is in {found.unit.symbol or 'no unit'} here "
            f"and in {wanted.unit.symbol or 'no unit'} there.",
            fix="Convert one of the two recordings.",
            context={"feature": found.name},
        )


def _pairs(wanted: Sequence[str], found: Sequence[str]) -> list[tuple[int, int]]:
    position = {name: index for index, name in enumerate(found)}
    return [(i, position[name]) for i, name in enumerate(wanted) if name in position]


def _absent(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    known = set(others)
    return tuple(name for name in names if name not in known)


def _calls(topology: Topology) -> list[tuple[str, str]]:
    return [(topology.nodes[caller], topology.nodes[callee]) for caller, callee in topology.edges]
