"""How far components are from what is usual, as a score: prediction errors and missing values.

A component's distance in a sample is the root of a sum over its quantities (latency, requests, …)
of the mean over the quantity's statistics of two squares:

- the robust standardised error of predicting the feature while its quantity is hidden, counted
  only in the direction that does harm, where the quantity has one;
- how unusual it is that the feature is missing, or there.

So a quantity that is recorded under five statistics counts once. The score is the distance over
what the component itself stays within in health, but for its false alarms: one that bursts now and
then must not set the threshold for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from x0tta_cli.core.progress import Progress
from x0tta_cli.ml.baseline import MAD_TO_SIGMA, Array, Baseline
from x0tta_cli.ml.canonical import canonical_order
from x0tta_cli.telemetry.telemetry import Feature, Role, Telemetry

if TYPE_CHECKING:
    from x0tta_cli.ml.graphsage import MaskedGraphSage

Edges = Sequence[tuple[int, int]]
Places = Sequence[int | None]

# A component that never strays by a robust deviation is not judged by less than that.
LEAST_TAIL = 1.0

# Slower, more errors, less available: the other direction is no harm.
HARM_OF_ROLE = {Role.LATENCY: 1, Role.ERRORS: 1, Role.AVAILABILITY: -1}


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A trained network and what is usual for each of N components in health.

    `groups` are the features of one quantity each. `error_location` and `error_scale` float64[N, F]
    are median and 1.4826 x median absolute deviation of the prediction error, in deviations, and
    `tail` float64[N] is the distance that few samples of its health pass.
    """

    baseline: Baseline
    network: MaskedGraphSage
    groups: tuple[tuple[int, ...], ...]
    error_location: Array
    error_scale: Array
    tail: Array

    def squares(self, places: Places, values: Array, deviations: Array, edges: Edges) -> Array:
        """Squared parts of the distance, float64[n, T, F], of some components and calls among them.

        `places` are their rows in health, None for one that health never saw; `values` float64
        [n, T, F] only say what is missing, `deviations` float64[n, T, F] are what is judged.
        """
        from x0tta_cli.ml import graphsage

        inputs = np.swapaxes(deviations, 0, 1)
        predicted = np.swapaxes(graphsage.predict(self.network, inputs, edges, self.groups), 0, 1)
        location = _rows(self.error_location, places, 0.0)[:, None, :]
        scale = _rows(self.error_scale, places, 1.0)[:, None, :]
        error = (deviations - predicted - location) / scale
        harm = np.nan_to_num(harmful(error, self.baseline.features))
        known = self.baseline.for_nodes(places)
        # No requests to what health never saw are no news.
        idle = np.isnan(known.level)[:, None, :] & (values == 0.0)
        surprise = known.surprise(np.isfinite(values) & ~idle)
        squares: Array = harm**2 + surprise**2
        return squares

    def scores(self, places: Places, squares: Array) -> Array:
        """Score [n, T] some components by the parts [n, T, F] of their distances.

        What health never saw is measured by the tail that is usual in the mesh.
        """
        tail = _rows(self.tail[:, None], places, float(np.median(self.tail)))
        return _distances(squares, self.groups) / tail


def learn(
    healthy: Telemetry,
    taught: Telemetry,
    *,
    seed: int,
    false_alarm_rate: float,
    progress: Progress,
) -> Scorer:
    """Train on the part `taught` of a healthy recording, in an order that names can't change."""
    from x0tta_cli.ml import graphsage

    baseline = Baseline.of(taught)
    groups = groups_of(healthy.features)
    order = canonical_order(healthy.values, healthy.topology.edges)
    place = {node: rank for rank, node in enumerate(order)}
    edges = [(place[caller], place[callee]) for caller, callee in taught.topology.edges]
    deviations = baseline.deviations(taught.values)
    network = graphsage.fit(deviations[list(order)], edges, groups, seed=seed, progress=progress)
    location, scale = _usual_errors(network, baseline, deviations, taught.topology.edges, groups)
    draft = Scorer(baseline, network, groups, location, scale, np.ones(len(location)))
    squares = draft.squares(range(len(location)), taught.values, deviations, taught.topology.edges)
    tail = np.quantile(_distances(squares, groups), 1.0 - false_alarm_rate, axis=1)
    return replace(draft, tail=np.maximum(tail, LEAST_TAIL))


def groups_of(features: Sequence[Feature]) -> tuple[tuple[int, ...], ...]:
    """Group features by quantity: one statistic of a quantity would give the others away."""
    groups: dict[str, list[int]] = {}
    for index, feature in enumerate(features):
        groups.setdefault(feature.quantity, []).append(index)
    return tuple(tuple(group) for group in groups.values())


def harmful(errors: Array, features: Sequence[Feature]) -> Array:
    """Keep of signed errors [..., F] what does harm; both directions where none is known."""
    harm = np.abs(errors)
    for index, feature in enumerate(features):
        sign = HARM_OF_ROLE.get(feature.role)
        if sign is not None:
            harm[..., index] = np.maximum(sign * errors[..., index], 0.0)
    return harm


def _distances(squares: Array, groups: tuple[tuple[int, ...], ...]) -> Array:
    total = np.zeros(squares.shape[:-1])
    for group in groups:
        total += squares[..., list(group)].mean(axis=-1)
    distances: Array = np.sqrt(total)
    return distances


def _usual_errors(
    network: MaskedGraphSage,
    baseline: Baseline,
    deviations: Array,
    edges: Edges,
    groups: tuple[tuple[int, ...], ...],
) -> tuple[Array, Array]:
    from x0tta_cli.ml import graphsage

    predicted = graphsage.predict(network, np.swapaxes(deviations, 0, 1), edges, groups)
    errors = deviations - np.swapaxes(predicted, 0, 1)
    location, scale = np.zeros(baseline.level.shape), np.ones(baseline.level.shape)
    for node, feature in np.argwhere(np.isfinite(baseline.level)):
        series = errors[node, :, feature]
        location[node, feature] = np.nanmedian(series)
        spread = MAD_TO_SIGMA * float(np.nanmedian(np.abs(series - location[node, feature])))
        # What would not matter before prediction does not matter after it.
        least = float(baseline.floor[node, feature] / baseline.scale[node, feature])
        scale[node, feature] = max(spread, least)
    return location, scale


def _rows(array: Array, places: Places, otherwise: float) -> Array:
    known = np.array([place is not None for place in places], dtype=bool)
    index = np.array([0 if place is None else place for place in places], dtype=np.intp)
    return np.where(known[:, None], array[index], otherwise)
