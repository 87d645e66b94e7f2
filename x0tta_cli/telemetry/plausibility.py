"""Whether an incident can be held against a healthy recording: same unit, same step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.instants import STEP_TOLERANCE, off_beat
from x0tta_cli.telemetry.telemetry import Telemetry

# What lies between units that are mixed up: s, ms, us, ns · ratio, percent. Counts have no other
# unit, and a change of load does move them all by one factor.
UNIT_FACTORS = {"%": (1e2,), "ratio": (1e2,), "count": (), "1/s": ()}
UNIT_FACTORS_ELSE = (1e3, 1e6, 1e9)

# What a change of unit leaves: every component moves by the same factor, up to its own noise.
FACTOR_TOLERANCE = 2.0
SHARE_OF_COMPONENTS = 0.8
FEWEST_COMPONENTS = 3


def check_same_units(path: Path, healthy: Telemetry, before: Telemetry) -> None:
    """Compare the time before an incident's onset with healthy time, feature by feature.

    Both have the same components and features. A feature whose medians differ by about one of
    `UNIT_FACTORS` (within a factor of 2) on at least 80 % of the components that can be compared,
    three at least, was recorded in another unit: trouble does not move nearly all components by
    one and the same power of ten before it is noticed. Raises UsageError `telemetry.wrong_unit`.
    """
    for index, feature in enumerate(healthy.features):
        usual = _medians(healthy.values[:, :, index])
        now = _medians(before.values[:, :, index])
        comparable = (usual > 0) & (now > 0)
        if comparable.sum() < FEWEST_COMPONENTS:
            continue
        ratios = now[comparable] / usual[comparable]
        sizes = UNIT_FACTORS.get(feature.unit.symbol, UNIT_FACTORS_ELSE)
        for factor in (f for size in sizes for f in (size, 1 / size)):
            near = np.abs(np.log(ratios / factor)) <= np.log(FACTOR_TOLERANCE)
            if near.mean() < SHARE_OF_COMPONENTS:
                continue
            times = f"{factor:g} times" if factor > 1 else f"1/{1 / factor:g} of"
            raise UsageError(
                "telemetry.wrong_unit",
                f"{path}: {feature.quantity} {feature.statistic} seems to be in another unit than "
                "in the healthy recording.",
                reason=f"Before the incident it is about {times} its healthy value on "
                f"{int(near.sum())} of {len(ratios)} components.",
                fix="Convert one of the two (seconds and milliseconds, ratio and percent?).",
                context={"file": str(path), "feature": feature.name},
            )


def check_same_step(path: Path, healthy: Telemetry, incident: Telemetry) -> None:
    """Hold an incident to the step of its healthy recording.

    Counts per step, averages and percentiles of another step have another healthy range. Distances
    of whole steps are gaps; all distances of three or more samples being the same multiple is
    another step. Raises UsageError `telemetry.different_step`.
    """
    step_s, found_s = healthy.step_s, incident.step_s
    if step_s is None or found_s is None:
        return
    distances = np.diff(incident.instants)
    coarser = len(distances) > 1 and np.min(distances) > (1 + STEP_TOLERANCE) * step_s
    if coarser or off_beat(distances, step_s).any():
        raise UsageError(
            "telemetry.different_step",
            f"{path}: a sample every {found_s:g} s, in the healthy recording every {step_s:g} s.",
            reason="What is usual in one step says little about another: counts add up, averages "
            "and percentiles calm down.",
            fix="Resample one of the two recordings.",
            context={"file": str(path), "step_s": found_s, "healthy_step_s": step_s},
        )


def _medians(series: NDArray[np.float64]) -> NDArray[np.float64]:
    medians = np.full(len(series), np.nan)
    observed = np.isfinite(series).any(axis=1)
    if observed.any():
        medians[observed] = np.nanmedian(series[observed], axis=1)
    return medians
