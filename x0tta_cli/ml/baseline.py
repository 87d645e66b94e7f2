"""What is usual for each component: robust location and scale of every feature in healthy time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.telemetry.telemetry import Feature, Role, Telemetry

Array = NDArray[np.float64]

# Makes the median absolute deviation estimate a normal distribution's standard deviation
# (Rousseeuw & Croux 1993, doi:10.1080/01621459.1993.10476408).
MAD_TO_SIGMA = 1.4826
# A move within this share of the usual level is nothing that an operator would act on.
LEAST_RELATIVE_SCALE = 0.05
# The same on a bounded range (percent, ratio), as a share of that range.
LEAST_SHARE_OF_RANGE = 0.01
# Zero has no logarithm: a hundredth of the usual level stands for it and what lies below.
LEAST_RELATIVE_LEVEL = 0.01
# Beyond, a deviation is as good as infinite; it is cut so that one value can't drown the others.
LARGEST_DEVIATION = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Robust location and scale of each component's features in `samples` of healthy time.

    All arrays are float64[N, F]. `level`: median in the feature's unit. `location` and `scale`:
    median and 1.4826 x median absolute deviation, floored at `floor`, all three on the scale on
    which deviations are measured (logarithm for latencies, square root for counts, else as is).
    `presence`: share of the samples with a value, by Laplace's rule of succession strictly
    between 0 and 1. What was never measured has NaN and the smallest presence.
    """

    features: tuple[Feature, ...]
    samples: int
    level: Array
    location: Array
    scale: Array
    floor: Array
    presence: Array

    @classmethod
    def of(cls, healthy: Telemetry) -> Baseline:
        """Learn from healthy telemetry; every sample counts the same."""
        values, features = healthy.values, healthy.features
        level = _median(values)
        moved = _on_scale(values, level, features)
        location = _median(moved)
        spread = MAD_TO_SIGMA * _median(np.abs(moved - location[:, None, :]))
        floor = _floor(level, features)
        present = np.isfinite(values).sum(axis=1)
        return cls(
            features=features,
            samples=values.shape[1],
            level=level,
            location=location,
            scale=np.maximum(spread, floor),
            floor=floor,
            presence=(present + 1.0) / (values.shape[1] + 2.0),
        )

    def deviations(self, values: Array) -> Array:
        """Measure float64[N, T, F] in robust standard deviations from health; NaN stays NaN."""
        moved = _on_scale(values, self.level, self.features)
        deviation = (moved - self.location[:, None, :]) / self.scale[:, None, :]
        return np.clip(deviation, -LARGEST_DEVIATION, LARGEST_DEVIATION)

    def surprise(self, present: NDArray[np.bool_]) -> Array:
        """Measure how unusual it is that values are there, or missing: bool to float64[N, T, F].

        The signed root of the deviance (McCullagh & Nelder 1989) against the usual state, which
        makes it comparable with a standard deviation: 0 for the usual state.
        """
        p_present = self.presence[:, None, :]
        p_state = np.where(present, p_present, 1.0 - p_present)
        p_usual = np.maximum(p_present, 1.0 - p_present)
        surprise: Array = np.sqrt(2.0 * np.log(p_usual / p_state))
        return surprise

    def for_nodes(self, places: Sequence[int | None]) -> Baseline:
        """Take the rows of these nodes; None stands for one that was never measured."""
        known = np.array([place is not None for place in places], dtype=bool)
        rows = np.array([0 if place is None else place for place in places], dtype=np.intp)

        def taken(array: Array, otherwise: float) -> Array:
            if not len(array):
                return np.full((len(places), len(self.features)), otherwise)
            return np.where(known[:, None], array[rows], otherwise)

        return Baseline(
            features=self.features,
            samples=self.samples,
            level=taken(self.level, math.nan),
            location=taken(self.location, math.nan),
            scale=taken(self.scale, math.nan),
            floor=taken(self.floor, math.nan),
            presence=taken(self.presence, 1.0 / (self.samples + 2.0)),
        )


def is_count(feature: Feature) -> bool:
    """Say whether a feature counts events per sample step."""
    return feature.unit.symbol == "count"


def _on_scale(values: Array, level: Array, features: Sequence[Feature]) -> Array:
    """Bring values to the scale on which a deviation means the same at every level.

    Latencies multiply, so they go to their logarithm. Counts have a variance that grows with
    their mean, which twice the square root makes 1 (Anscombe 1948, doi:10.1093/biomet/35.3-4.246).
    """
    moved = np.array(values)
    for index, feature in enumerate(features):
        if feature.role is Role.LATENCY:
            least = LEAST_RELATIVE_LEVEL * _positive(level[:, index])
            moved[:, :, index] = np.log(np.maximum(values[:, :, index], least[:, None]))
        elif is_count(feature):
            moved[:, :, index] = 2.0 * np.sqrt(np.maximum(values[:, :, index], 0.0) + 0.375)
    return moved


def _floor(level: Array, features: Sequence[Feature]) -> Array:
    """Least scale of each series: what would not matter even if health never moved at all."""
    floor = np.empty_like(level)
    one_of = _one_request(level, features)
    for index, feature in enumerate(features):
        unit = feature.unit
        if feature.role is Role.LATENCY:
            floor[:, index] = LEAST_RELATIVE_SCALE
        elif is_count(feature):
            # Independent arrivals alone make a count vary by 1 on this scale; 5 % of a large
            # count is more than that.
            floor[:, index] = np.maximum(1.0, LEAST_RELATIVE_SCALE * np.sqrt(level[:, index]))
        elif math.isfinite(unit.lower) and math.isfinite(unit.upper):
            least = np.full(len(level), LEAST_SHARE_OF_RANGE)
            if feature.role in {Role.AVAILABILITY, Role.ERRORS}:
                least = np.maximum(least, one_of)
            floor[:, index] = least * (unit.upper - unit.lower)
        else:
            floor[:, index] = LEAST_RELATIVE_SCALE * _positive(np.abs(level[:, index]))
    return np.where(np.isfinite(level), floor, math.nan)


def _one_request(level: Array, features: Sequence[Feature]) -> Array:
    """Tell what share a single request has in a usual sample: no success rate moves by less.

    0 where requests are not counted.
    """
    counts = [i for i, f in enumerate(features) if f.role is Role.RATE and is_count(f)]
    if not counts:
        return np.zeros(len(level))
    return 1.0 / np.maximum(np.nan_to_num(level[:, counts[0]]), 1.0)


def _positive(level: Array) -> Array:
    """Levels that may be divided by: where one is 0, what is usual among the others, or 1."""
    above = level[level > 0]
    usual = float(np.median(above)) if len(above) else 1.0
    return np.where(level > 0, level, usual)


def _median(values: Array) -> Array:
    """Median over the samples (axis 1), NaN where there is none."""
    median = np.full((values.shape[0], values.shape[2]), math.nan)
    nodes, features = np.nonzero(np.isfinite(values).any(axis=1))
    if len(nodes):
        median[nodes, features] = np.nanmedian(values[nodes, :, features], axis=1)
    return median
