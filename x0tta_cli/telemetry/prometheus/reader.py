"""Reads a stretch of time from Prometheus as `Telemetry`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import NotYetKnownError, UsageError
from x0tta_cli.core.http import Client
from x0tta_cli.telemetry.prometheus.answers import Labels, in_promql
from x0tta_cli.telemetry.prometheus.grid import Grid
from x0tta_cli.telemetry.prometheus.queries import EdgeQuery, NodeQuery, Queries
from x0tta_cli.telemetry.prometheus.selectors import check_no_counter, only_fresh
from x0tta_cli.telemetry.prometheus.server import (
    MAX_VALUES,
    Matrix,
    ask_range,
    ask_type,
    too_many_values,
)
from x0tta_cli.telemetry.telemetry import Telemetry, bounds_in_words
from x0tta_cli.telemetry.topology import Topology

# The values of one label of a node query, or of the two of an edge query.
Owner = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read, and what there is to say about it.

    `unanswered` names the queries without a single series: their features are missing throughout.
    `warnings` are the server's own (a part of the data may be missing), and values that were taken
    as missing because they are infinite.
    """

    telemetry: Telemetry
    unanswered: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    query: NodeQuery | EdgeQuery
    series: Mapping[Owner, NDArray[np.float64]]
    warnings: tuple[str, ...]


def read_range(
    client: Client,
    queries: Queries,
    start: float,
    end: float,
    step_s: float,
    *,
    topology: Topology | None = None,
    fresh_s: float | None = None,
) -> Reading:
    """Read start ≤ instant ≤ end (Unix seconds), one sample per whole multiple of `step_s`.

    Components stand in the order of `topology`, then those that only series name, by name; edges
    likewise: each pair of an edge query is one. An instant without a point is NaN, and so is one
    whose value is NaN or infinite. A plain selector counts only where it has a sample within
    `fresh_s` (the step, where not given) before the instant: see `selectors`. Nothing is read of
    the future.

    Raises UsageError `telemetry.bad_range`, `telemetry.raw_counter`, `telemetry.no_such_label`,
    `telemetry.several_series`, `telemetry.wrong_unit`, `telemetry.too_many_values`;
    NotYetKnownError `telemetry.no_series` where no query has any and `telemetry.no_values` where
    all are without values; and what `server.ask_range` raises.
    """
    grid = Grid.between(start, end, step_s, now=time.time())
    fresh_ms = max(1, round(1000 * (grid.step_s if fresh_s is None else fresh_s)))
    type_of = cache(partial(ask_type, client))
    answers: list[_Answer] = []
    every: tuple[NodeQuery | EdgeQuery, ...] = (*queries.nodes, *queries.edges)
    for query in every:
        check_no_counter(query.expression, type_of)
        held = grid.size * sum(len(answer.series) for answer in answers)
        expression = only_fresh(query.expression, fresh_ms)
        matrix = ask_range(client, expression, grid, room=MAX_VALUES - held)
        answers.append(_answer(query, matrix, grid))
    _check_any(answers, grid)
    topology = _topology(topology or Topology(()), answers)
    telemetry = _telemetry(topology, queries, answers, grid)
    return Reading(
        telemetry,
        unanswered=tuple(answer.query.name for answer in answers if not answer.series),
        warnings=tuple(dict.fromkeys(text for answer in answers for text in answer.warnings)),
    )


def _answer(query: NodeQuery | EdgeQuery, matrix: Matrix, grid: Grid) -> _Answer:
    series: dict[Owner, NDArray[np.float64]] = {}
    label_sets: dict[Owner, Labels] = {}
    infinite = 0
    for labels, values in matrix.series.items():
        owner = _owner(query, labels)
        if owner in series:
            raise _several_series(query, owner, label_sets[owner], labels)
        endless = np.isinf(values)
        infinite += int(endless.sum())
        series[owner] = np.where(endless, np.nan, values)
        label_sets[owner] = labels
        _check_unit(query, labels, series[owner], grid)
    warnings = matrix.warnings
    if infinite:
        warnings += (f"{query.name}: {infinite} infinite values are taken as missing",)
    return _Answer(query, series, warnings)


def _owner(query: NodeQuery | EdgeQuery, labels: Labels) -> Owner:
    found = dict(labels)
    for label in query.labels:
        # To Prometheus, an empty label is none.
        if not found.get(label):
            raise UsageError(
                "telemetry.no_such_label",
                f"{query.name}: the series {in_promql(labels)} has no label {label!r}.",
                reason="It names the component; aggregations keep only the labels they are told.",
                fix=f"Name another label, or keep this one: sum by ({', '.join(query.labels)}) "
                "(…).",
                context={
                    "feature": query.name,
                    "expression": query.expression,
                    "labels": dict(labels),
                },
            )
    return tuple(found[label] for label in query.labels)


def _several_series(
    query: NodeQuery | EdgeQuery, owner: Owner, first: Labels, second: Labels
) -> UsageError:
    by = ", ".join(query.labels)
    return UsageError(
        "telemetry.several_series",
        f"{query.name}: {' → '.join(owner)} has more than one series.",
        reason=f"{in_promql(first)} and {in_promql(second)}.",
        fix=f"Make one of them: sum by ({by}) (…), max by ({by}) (…), or choose with a matcher.",
        context={
            "feature": query.name,
            "expression": query.expression,
            "labels": [dict(first), dict(second)],
        },
    )


def _check_unit(
    query: NodeQuery | EdgeQuery, labels: Labels, values: NDArray[np.float64], grid: Grid
) -> None:
    for feature in query.features:
        outside = np.flatnonzero(~feature.unit.allows(values))
        for place in outside[:1]:
            raise UsageError(
                "telemetry.wrong_unit",
                f"{feature.name}: {in_promql(labels)} is {values[place]:g} at "
                f"{grid.instants[place]:.3f}.",
                reason=f"Possible is {bounds_in_words(feature.unit)}; {len(outside)} of "
                f"{len(values)} samples are outside.",
                fix="Convert it in the query (… / 1000, clamp_max(…, 1)), or name the feature by "
                "its unit.",
                context={
                    "feature": feature.name,
                    "expression": query.expression,
                    "labels": dict(labels),
                },
            )


def _check_any(answers: Iterable[_Answer], grid: Grid) -> None:
    series = [values for answer in answers for values in answer.series.values()]
    names = ", ".join(f"{answer.query.name} ({answer.query.expression})" for answer in answers)
    if not series:
        raise NotYetKnownError(
            "telemetry.no_series",
            "Prometheus has no series for any query in this time.",
            reason=f"Asked for were {names}, {grid.size} times every {grid.step_s:g} s.",
            fix="See whether the targets are up, and whether the step is shorter than the time "
            "between two scrapes.",
            context={"queries": {answer.query.name: answer.query.expression for answer in answers}},
        )
    if all(np.isnan(values).all() for values in series):
        raise NotYetKnownError(
            "telemetry.no_values",
            f"Prometheus has {len(series)} series without a single value.",
            reason=f"Asked for were {names}; a division of 0 by 0 gives such series.",
            fix="See whether anything was measured in this time.",
        )


def _topology(given: Topology, answers: Iterable[_Answer]) -> Topology:
    owners = [owner for answer in answers for owner in answer.series]
    topology = given.with_nodes(sorted({name for owner in owners for name in owner}))
    position = {name: index for index, name in enumerate(topology.nodes)}
    known = set(topology.edges)
    pairs = sorted({owner for owner in owners if len(owner) > 1})
    edges = [(position[source], position[destination]) for source, destination in pairs]
    added = tuple(edge for edge in edges if edge not in known)
    return Topology(topology.nodes, topology.edges + added)


def _telemetry(
    topology: Topology, queries: Queries, answers: Iterable[_Answer], grid: Grid
) -> Telemetry:
    features = tuple(query.feature for query in queries.nodes)
    edge_features = tuple(feature for query in queries.edges for feature in query.features)
    series = len(topology.nodes) * len(features) + len(topology.edges) * len(edge_features)
    if series * grid.size > MAX_VALUES:
        raise too_many_values(series, grid.size)
    values = np.full((len(topology.nodes), grid.size, len(features)), np.nan)
    edge_values = np.full((len(topology.edges), grid.size, len(edge_features)), np.nan)
    nodes = topology.nodes
    position: dict[Owner, int] = {(name,): index for index, name in enumerate(nodes)}
    position.update({(nodes[a], nodes[b]): i for i, (a, b) in enumerate(topology.edges)})
    for answer in answers:
        query = answer.query
        if isinstance(query, NodeQuery):
            _fill(values[:, :, features.index(query.feature)], position, answer.series)
            continue
        turned = {owner[::-1]: samples for owner, samples in answer.series.items()}
        for feature, series_of_end in (
            (query.feature, answer.series),
            (query.far_feature, turned),
        ):
            if feature is not None:
                place = edge_features.index(feature)
                _fill(edge_values[:, :, place], position, series_of_end)
    return Telemetry(
        topology,
        grid.instants,
        features,
        values,
        edge_features,
        edge_values if edge_features else None,
    )


def _fill(
    values: NDArray[np.float64],
    position: Mapping[Owner, int],
    series: Mapping[Owner, NDArray[np.float64]],
) -> None:
    for owner, samples in series.items():
        # The far end may speak of an edge that nothing else names.
        if owner in position:
            values[position[owner]] = samples
