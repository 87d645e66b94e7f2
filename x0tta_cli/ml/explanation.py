"""Takes a detector score apart into what each input added to it: SHAP values that add up.

Kernel SHAP (Lundberg & Lee 2017, arXiv:1705.07874; shap.KernelExplainer) against one reference: all
inputs as they usually are in health. Its regression is constrained, so that the values add up to
the score minus the base whatever coalitions were drawn. shap's faster explainers compile with numba
first, which takes longer than all that there is to explain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core import extras
from x0tta_cli.ml.baseline import Array
from x0tta_cli.ml.canonical import colours_of
from x0tta_cli.ml.detector import Detector, View
from x0tta_cli.ml.model import Attribution, Contribution
from x0tta_cli.telemetry.telemetry import Telemetry

# Neighbours beyond these count together: a hub has hundreds, and nobody reads more bars.
NEIGHBOUR_INPUTS = 12
# All coalitions of one input, or of all but one, and so many more.
SAMPLED_COALITIONS = 512
Scores = Callable[[NDArray[np.float64]], Array]

OWN = "own"
OTHERS = "other neighbours"


@dataclass(frozen=True, slots=True)
class Input:
    """A player: features of one of the components at hand that change together.

    `cells` are (component's place among those at hand, feature) pairs; `source` and `feature` name
    it as in `Contribution`, `shown` is the cell whose value stands for it.
    """

    source: str
    feature: str
    cells: tuple[tuple[int, int], ...]
    shown: tuple[int, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A component (place 0) and its neighbours in one sample, beside what is usual.

    `values`, `deviations` float64[n, F], and `usual_values`, `usual_deviations` of the reference.
    """

    nodes: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    values: Array
    deviations: Array
    usual_values: Array
    usual_deviations: Array


def explain(detector: Detector, telemetry: Telemetry, node: str) -> Attribution:
    """Explain the highest score of a component; the same input gives the same values.

    Raises NotFoundError `telemetry.no_such_node`.
    """
    extras.require("ml")
    view = detector.view(telemetry)
    place = view.telemetry.topology.index_of(node)
    sample = _highest_sample(view, place)
    inputs = _inputs_of(view, sample)

    def scores(masks: NDArray[np.float64]) -> Array:
        return _scores(view, sample, inputs, masks > 0.5)

    shares, base, score = _shapley_values(scores, len(inputs))
    order = np.argsort(-np.abs(np.round(shares, 9)), kind="stable")
    missing = np.isnan(sample.values[0]) & np.isfinite(view.baseline.level[place])
    return Attribution(
        node=node,
        base=base,
        score=score,
        contributions=tuple(
            _contribution(view, sample, inputs[index], float(shares[index])) for index in order
        ),
        missing=tuple(
            feature.name
            for feature, absent in zip(detector.features, missing, strict=True)
            if absent
        ),
    )


def _shapley_values(scores: Scores, players: int) -> tuple[Array, float, float]:
    """Give the players' values, the score without any of them, and with all."""
    import shap

    reference, present = np.zeros((1, players)), np.ones((1, players))
    explainer = shap.KernelExplainer(scores, reference)
    with _seeded():
        # Choosing among the inputs (l1_reg) would need scikit-learn's time and hide small ones.
        shares: Array = explainer.shap_values(
            present, nsamples=2 * players + SAMPLED_COALITIONS, l1_reg=False, silent=True
        )
    return shares[0], float(scores(reference)[0]), float(scores(present)[0])


@contextmanager
def _seeded() -> Iterator[None]:
    """Make what shap draws from numpy's global generator the same each time, and put it back."""
    state = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(state)


def _highest_sample(view: View, place: int) -> Sample:
    topology = view.telemetry.topology
    neighbours = dict.fromkeys((*topology.callees(place), *topology.callers(place)))
    colours = colours_of(view.telemetry.values, topology.edges)
    nodes = (place, *sorted(neighbours, key=lambda index: colours[index]))
    at_hand = {index: number for number, index in enumerate(nodes)}
    edges = tuple(
        (at_hand[caller], at_hand[callee])
        for caller, callee in topology.edges
        if place in (caller, callee) and caller != callee
    )
    rows = list(nodes)
    values, deviations = view.telemetry.values[rows], view.deviations()[rows]
    places = [view.places[index] for index in nodes]
    squares = view.detector.scorer.squares(places, values, deviations, edges)
    highest = int(np.argmax(view.detector.scorer.scores(places[:1], squares[:1])))
    presence, level = view.baseline.presence[rows], view.baseline.level[rows]
    usually_there = presence >= 0.5
    return Sample(
        nodes=nodes,
        edges=edges,
        values=values[:, highest],
        deviations=deviations[:, highest],
        usual_values=np.where(usually_there, level, np.nan),
        usual_deviations=np.where(usually_there & np.isfinite(level), 0.0, np.nan),
    )


def _inputs_of(view: View, sample: Sample) -> list[Input]:
    """List the component's features and its neighbours' quantities, all but the farthest as one."""
    topology, features = view.telemetry.topology, view.detector.features
    inputs = [
        Input(OWN, feature.name, ((0, index),), (0, index))
        for index, feature in enumerate(features)
    ]
    candidates = []
    for number, node in enumerate(sample.nodes[1:], 1):
        for group in view.detector.scorer.groups:
            distance = np.abs(np.nan_to_num(sample.deviations[number, list(group)]))
            farthest = group[int(np.argmax(distance))]
            cells = tuple((number, index) for index in group)
            name = topology.nodes[node]
            candidates.append(
                (
                    -float(distance.max()),
                    Input(name, features[farthest].quantity, cells, (number, farthest)),
                )
            )
    candidates.sort(key=lambda candidate: round(candidate[0], 9))
    inputs += [candidate for _, candidate in candidates[:NEIGHBOUR_INPUTS]]
    rest = tuple(cell for _, other in candidates[NEIGHBOUR_INPUTS:] for cell in other.cells)
    if rest:
        inputs.append(Input(OTHERS, "all", rest, None))
    return inputs


def _scores(view: View, sample: Sample, inputs: Sequence[Input], masks: NDArray[np.bool_]) -> Array:
    """Score the component with some inputs as in the sample and the others as usual: [B]."""
    size, features = sample.values.shape
    present = np.zeros((size, len(masks), features), dtype=bool)
    for player, one in enumerate(inputs):
        for number, index in one.cells:
            present[number, :, index] = masks[:, player]
    values = np.where(present, sample.values[:, None], sample.usual_values[:, None])
    deviations = np.where(present, sample.deviations[:, None], sample.usual_deviations[:, None])
    places = [view.places[index] for index in sample.nodes]
    scorer = view.detector.scorer
    squares = scorer.squares(places, values, deviations, sample.edges)
    scores: Array = scorer.scores(places[:1], squares[:1])[0]
    return scores


def _contribution(view: View, sample: Sample, one: Input, share: float) -> Contribution:
    if one.shown is None:
        return Contribution(one.feature, one.source, share, None, None, None, "")
    number, index = one.shown
    level = view.baseline.level[sample.nodes[number], index]
    return Contribution(
        feature=one.feature,
        source=one.source,
        shap=share,
        value=_known(sample.values[number, index]),
        healthy_value=_known(level),
        deviation=_known(sample.deviations[number, index]),
        unit=view.detector.features[index].unit.symbol,
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
