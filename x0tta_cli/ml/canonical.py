"""An order of components that depends on what they did and whom they call, never on their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def colours_of(values: NDArray[np.float64], calls: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Rank N components by content: float64[N, ...] values, (caller, callee) pairs.

    Two share a rank only where neither their values nor their place in the graph tell them apart,
    so that their order can't matter. Ranks are refined by those of the neighbours until nothing
    new is told apart (Weisfeiler & Leman 1968).
    """
    # Adding 0 makes a negative zero positive: equal numbers need equal bytes.
    colours = _ranks([np.ascontiguousarray(row + 0.0).tobytes() for row in values])
    callees: list[list[int]] = [[] for _ in values]
    callers: list[list[int]] = [[] for _ in values]
    for caller, callee in calls:
        callees[caller].append(callee)
        callers[callee].append(caller)
    while True:
        refined = _ranks(
            [
                (
                    colour,
                    sorted(colours[other] for other in callees[node]),
                    sorted(colours[other] for other in callers[node]),
                )
                for node, colour in enumerate(colours)
            ]
        )
        if len(set(refined)) == len(set(colours)):
            return tuple(colours)
        colours = refined


def canonical_order(
    values: NDArray[np.float64], calls: Sequence[tuple[int, int]]
) -> tuple[int, ...]:
    """Put the components in the order of their `colours_of`."""
    colours = colours_of(values, calls)
    return tuple(sorted(range(len(colours)), key=lambda node: colours[node]))


def _ranks(keys: Sequence[Any]) -> list[int]:
    place = {key: rank for rank, key in enumerate(sorted({_hashable(key) for key in keys}))}
    return [place[_hashable(key)] for key in keys]


def _hashable(key: Any) -> Any:
    return tuple(map(_hashable, key)) if isinstance(key, list | tuple) else key
