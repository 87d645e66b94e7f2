"""How often a detector cries wolf: set on one part of healthy time, measured on another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.ml.baseline import Array
from x0tta_cli.ml.model import Calibration

# Each round of blocks; training needs most, and each part sees every hour of a day.
PARTS = ("train", "calibrate", "train", "measure", "train")
ROUNDS = 10
NORMAL_QUANTILE_95 = 1.959964


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Three parts of a recording's samples, and the block (int[T]) that each sample is in."""

    train: NDArray[np.intp]
    calibrate: NDArray[np.intp]
    measure: NDArray[np.intp]
    block: NDArray[np.intp]


def split_by_time(samples: int) -> Split:
    """Cut the samples into blocks of neighbours, dealt out in turn.

    Neighbouring samples resemble each other, so whole blocks are held back, never single samples.
    """
    blocks = len(PARTS) * ROUNDS
    block = np.arange(samples, dtype=np.intp) * blocks // max(samples, blocks)
    part = np.array(PARTS)[block % len(PARTS)]
    return Split(
        train=np.flatnonzero(part == "train"),
        calibrate=np.flatnonzero(part == "calibrate"),
        measure=np.flatnonzero(part == "measure"),
        block=block,
    )


def calibrate(scores: Array, split: Split, stated_rate: float) -> Calibration:
    """Choose the threshold on the calibration part, and measure its rate on the last part.

    `scores` float64[N, T] of healthy time. Of n values the ceil((n + 1)(1 - rate))-th smallest is
    passed by at most this share of further ones, if they are exchangeable (Vovk, Gammerman &
    Shafer 2005).
    """
    ordered = np.sort(scores[:, split.calibrate], axis=None)
    # The rounding undoes what subtracting from 1 adds: 0.99 of 100 values is the 99th.
    rank = math.ceil(round((len(ordered) + 1) * (1.0 - stated_rate), 9))
    threshold = float(ordered[min(rank, len(ordered)) - 1])
    alarms = scores > threshold
    measured = alarms[:, split.measure]
    effect = design_effect(alarms, split.measure, split.block) or design_effect(
        alarms, split.calibrate, split.block
    )
    return Calibration(
        stated_rate=stated_rate,
        threshold=threshold,
        measured_rate=float(measured.mean()),
        measured_interval=rate_interval(
            float(measured.mean()), measured.size / max(1.0, effect or 1.0)
        ),
        measured_samples=int(measured.size),
    )


def design_effect(
    alarms: NDArray[np.bool_], chosen: NDArray[np.intp], block: NDArray[np.intp]
) -> float | None:
    """Tell how many times fewer independent values there are than values (Kish 1965).

    Alarms come in bursts, over time and over components; blocks of time are what is independent.
    None where nothing can be told: no alarms, or a single block.
    """
    numbers = np.unique(block[chosen])
    per_block = [alarms[:, chosen[block[chosen] == number]] for number in numbers]
    sizes = np.array([part.size for part in per_block], dtype=float)
    counts = np.array([part.sum() for part in per_block], dtype=float)
    rate = float(counts.sum()) / max(float(sizes.sum()), 1.0)
    if len(numbers) < 2 or not 0.0 < rate < 1.0:
        return None
    # Variance of a ratio of block totals (Cochran 1977, equation 6.9).
    spread = ((counts - rate * sizes) ** 2).sum() / (len(numbers) - 1) * len(numbers)
    return float(spread / sizes.sum() ** 2 / (rate * (1.0 - rate) / sizes.sum()))


def rate_interval(rate: float, independent: float) -> tuple[float, float]:
    """95 % score interval of a rate (Wilson 1927) from so many independent values."""
    z = NORMAL_QUANTILE_95
    centre = (rate + z * z / (2.0 * independent)) / (1.0 + z * z / independent)
    spread = rate * (1.0 - rate) / independent + z * z / (4.0 * independent * independent)
    half = z * math.sqrt(spread) / (1.0 + z * z / independent)
    return max(0.0, centre - half), min(1.0, centre + half)
