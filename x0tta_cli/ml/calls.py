"""Who causes whose calls: how often components are called, and by whom, over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.ml.baseline import Array, is_count
from x0tta_cli.telemetry.telemetry import Feature, Role, Telemetry

PER_SECOND = "1/s"
# Where calls go round in circles the shares are found step by step, up to this change.
NEGLIGIBLE_SHARE = 1e-9
MOST_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """The calls of a mesh; a component's calls of itself are left out.

    `rate` float64[N, T]: calls into each component per second, 1 throughout where nobody counts
    them. `caller`, `callee` int[E]. `share` float64[E, T]: how much of all calls into the callee
    comes from this caller. No recording tells per call: a component that is called by several is
    taken to be called by each as often as each is called itself.
    """

    rate: Array
    caller: NDArray[np.intp]
    callee: NDArray[np.intp]
    share: Array

    @classmethod
    def of(cls, telemetry: Telemetry, step_s: float) -> Calls:
        """Derive the calls from what was measured, a sample every `step_s` seconds."""
        pairs = [pair for pair in telemetry.topology.edges if pair[0] != pair[1]]
        caller = np.array([pair[0] for pair in pairs], dtype=np.intp)
        callee = np.array([pair[1] for pair in pairs], dtype=np.intp)
        rate = _filled(calls_per_second(telemetry, step_s))
        into = np.zeros_like(rate)
        np.add.at(into, callee, rate[caller])
        callers = np.bincount(callee, minlength=len(rate))
        evenly = np.broadcast_to(1.0 / np.maximum(callers[callee], 1)[:, None], rate[callee].shape)
        share = np.divide(rate[caller], into[callee], out=evenly.copy(), where=into[callee] > 0)
        return cls(rate, caller, callee, share)

    @property
    def callers(self) -> NDArray[np.intp]:
        """How many components call each: int[N]."""
        return np.bincount(self.callee, minlength=len(self.rate)).astype(np.intp)

    def over_callees(self, values: Array) -> Array:
        """Sum [N, T] values over the callees of each, each with the caller's share in it."""
        total = np.zeros_like(values)
        np.add.at(total, self.caller, self.share * values[self.callee])
        return total

    def stemming_from(self, sources: Sequence[int]) -> Array:
        """How much of the calls into each component stems from each source: float64[N, S].

        A share of 1 for a source itself; found by walking up from callee to caller.
        """
        size = len(self.rate)
        upward = np.zeros((size, size))
        if len(self.caller):
            np.add.at(upward, (self.callee, self.caller), self.share.mean(axis=1))
        stemming = np.zeros((size, len(sources)))
        for _ in range(MOST_STEPS):
            stemming[list(sources)] = np.eye(len(sources))
            further = upward @ stemming
            further[list(sources)] = np.eye(len(sources))
            change = np.abs(further - stemming).max(initial=0.0)
            stemming = further
            if change < NEGLIGIBLE_SHARE:
                break
        stemming[list(sources)] = np.eye(len(sources))
        return stemming


def rate_feature(features: Sequence[Feature]) -> int | None:
    """Find the feature that counts calls; None where there is none."""
    for index, feature in enumerate(features):
        if feature.role is Role.RATE and (is_count(feature) or feature.unit.symbol == PER_SECOND):
            return index
    return None


def calls_per_second(telemetry: Telemetry, step_s: float) -> Array:
    """Tell the calls into each component per second, float64[N, T]; NaN where unknown.

    1 throughout where no feature counts calls.
    """
    index = rate_feature(telemetry.features)
    if index is None:
        return np.ones(telemetry.values.shape[:2])
    rate: Array = telemetry.values[:, :, index]
    if is_count(telemetry.features[index]):
        rate = rate / step_s
    return rate


def _filled(rate: Array) -> Array:
    """Put a component's median where its calls were not counted, 0 where they never were."""
    usual = np.zeros((len(rate), 1))
    counted = np.isfinite(rate).any(axis=1)
    usual[counted, 0] = np.nanmedian(rate[counted], axis=1)
    filled: Array = np.where(np.isfinite(rate), rate, usual)
    return filled
