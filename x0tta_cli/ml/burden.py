"""What a component costs its callers beyond health, and how much of that is its own doing.

Two burdens add up along calls: seconds waited per second, and failed calls per second. A caller
waits for its callees and fails with them, so what a component adds itself is what it costs minus
what its callees cost it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.ml.baseline import Array, is_count
from x0tta_cli.ml.calls import PER_SECOND, Calls, calls_per_second
from x0tta_cli.telemetry.telemetry import Feature, Role, Telemetry

SECONDS_PER_UNIT = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MEAN_STATISTICS = ("average", "mean", "avg", "")


class Kind(StrEnum):
    """What is counted."""

    WAITING = "waiting"
    FAILURES = "failures"


KIND_OF_ROLE = {
    Role.LATENCY: Kind.WAITING,
    Role.AVAILABILITY: Kind.FAILURES,
    Role.ERRORS: Kind.FAILURES,
}


@dataclass(frozen=True, slots=True, eq=False)
class Burden:
    """One kind of burden, per second, float64[N, T] each.

    `total` is all of it, `excess` what goes beyond health; `known` says where it was measured (it
    is where nobody calls). `features` are those that it was computed from.
    """

    kind: Kind
    features: tuple[int, ...]
    total: Array
    excess: Array
    known: NDArray[np.bool_]


def burdens_of(telemetry: Telemetry, level: Array, step_s: float) -> tuple[Burden, ...]:
    """Compute the burdens that a recording allows; `level` float64[N, F] is the healthy median."""
    found = (_waiting(telemetry, level, step_s), _failures(telemetry, level, step_s))
    return tuple(burden for burden in found if burden is not None)


def own_part(burden: Array, calls: Calls, passed_over: NDArray[np.bool_]) -> Array:
    """Take off what the callees explain: float64[N, T].

    Only what callees add explains anything: one that got better hides nothing. Callees in
    `passed_over` bool[N] explain nothing.
    """
    explaining = np.where(passed_over[:, None], 0.0, np.maximum(burden, 0.0))
    return burden - calls.over_callees(explaining)


def mean_latency_feature(features: Sequence[Feature]) -> int | None:
    """Find the latency whose statistic is nearest to a mean, which alone adds up over calls."""
    candidates = [i for i, feature in enumerate(features) if feature.role is Role.LATENCY]
    return min(candidates, key=lambda i: _distance_from_mean(features[i]), default=None)


def _distance_from_mean(feature: Feature) -> float:
    statistic = feature.statistic.lower()
    if statistic in MEAN_STATISTICS:
        return 0.0
    percentile = re.fullmatch(r"p(\d+(?:\.\d+)?)", statistic)
    if percentile:
        return abs(float(percentile.group(1)) - 50.0) + 1.0
    return 1.0 if statistic == "median" else math.inf


def _waiting(telemetry: Telemetry, level: Array, step_s: float) -> Burden | None:
    index = mean_latency_feature(telemetry.features)
    if index is None:
        return None
    rate = calls_per_second(telemetry, step_s)
    per_unit = SECONDS_PER_UNIT.get(telemetry.features[index].unit.symbol, 1.0)
    latency = per_unit * telemetry.values[:, :, index]
    usual = per_unit * np.nan_to_num(level[:, index])[:, None]
    return _burden(Kind.WAITING, (index,), rate, latency, latency - usual)


def _failures(telemetry: Telemetry, level: Array, step_s: float) -> Burden | None:
    """Failed calls by availability, and by counted errors where that is not measured."""
    rate = calls_per_second(telemetry, step_s)
    share = np.full(rate.shape, math.nan)
    excess = share.copy()
    used = []
    for index, feature in enumerate(telemetry.features):
        values = telemetry.values[:, :, index]
        failing = _failing_share(feature, values, rate, step_s)
        usual = _failing_share(feature, level[:, index, None], rate, step_s)
        if failing is None or usual is None:
            continue
        used.append(index)
        fresh = np.isnan(share)
        share = np.where(fresh, failing, share)
        excess = np.where(fresh, failing - np.nan_to_num(usual), excess)
    return _burden(Kind.FAILURES, tuple(used), rate, share, excess) if used else None


def _failing_share(feature: Feature, values: Array, rate: Array, step_s: float) -> Array | None:
    unit = feature.unit
    span = unit.upper - unit.lower
    if feature.role is Role.AVAILABILITY and math.isfinite(span):
        return (unit.upper - values) / span
    if feature.role is not Role.ERRORS:
        return None
    if math.isfinite(span):
        return (values - unit.lower) / span
    if is_count(feature) or unit.symbol == PER_SECOND:
        per_second = values / step_s if is_count(feature) else values
        return np.divide(per_second, rate, out=np.zeros(rate.shape), where=rate > 0) + 0.0 * values
    return None


def _burden(
    kind: Kind, features: tuple[int, ...], rate: Array, per_call: Array, excess: Array
) -> Burden:
    # Nobody waits for a component that nobody calls, though it then has no latency to show.
    known = (np.isfinite(rate) & np.isfinite(per_call)) | (rate == 0.0)
    return Burden(
        kind=kind,
        features=features,
        total=np.nan_to_num(rate * per_call),
        excess=np.nan_to_num(rate * excess),
        known=known,
    )
