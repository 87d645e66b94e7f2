"""Instants of samples: how they are written, and what a sequence of them must hold to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import UsageError

# Unix seconds pass 1e11 in the year 5138; milliseconds did in 1973.
LATEST_UNIX_SECONDS = 1e11

# What a recorder's clock may be off by, in steps.
STEP_TOLERANCE = 0.1

# After a gap this long (in steps) the recorder may have been started anew, on another beat.
RESTART_STEPS = 10


def parse_instant(text: str) -> float:
    """Read Unix seconds or ISO 8601 (without an offset: UTC) as Unix seconds.

    Raises ValueError with the reason.
    """
    text = text.strip()
    if not text:
        raise ValueError("It is empty.")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _parse_iso(text)
    if not math.isfinite(seconds) or "_" in text:
        raise ValueError(f"{text!r} is no instant.")
    if abs(seconds) > LATEST_UNIX_SECONDS:
        raise ValueError(f"{text} is too large for seconds: milliseconds or finer?")
    return seconds


def check_instants(path: Path, instants: NDArray[np.float64], lines: Sequence[int]) -> None:
    """Hold a recording's instants to strictly increasing order and one step.

    The step is the median distance (`usual_step_s`). Each distance must be a whole number of steps
    within a tenth of a step: more than one is a gap, and is kept as one. A gap of more than ten
    steps may have any length. Raises UsageError `telemetry.duplicate_instant`,
    `telemetry.unsorted_instants`, `telemetry.irregular_step`.
    """
    distances = np.diff(instants)
    for index in np.flatnonzero(distances <= 0)[:1]:
        raise _unordered(path, instants, lines, int(index))
    if len(distances) < 2:
        return
    step_s = usual_step_s(distances)
    for index in np.flatnonzero(off_beat(distances, step_s))[:1]:
        raise UsageError(
            "telemetry.irregular_step",
            f"{path}, line {lines[index + 1]}: {distances[index]:g} s after the sample before it.",
            reason=f"The recording's step is {step_s:g} s (median), and this is not a whole number "
            "of steps.",
            fix="Resample the recording to one step; leave out samples that are missing.",
            context={"file": str(path), "line": lines[index + 1], "step_s": step_s},
        )


def usual_step_s(distances: NDArray[np.float64]) -> float:
    """Tell the median distance of samples, in seconds; of two in the middle the shorter one.

    Half of the distances may be gaps: their mean with a step would be no distance at all.
    """
    return float(np.sort(distances)[(len(distances) - 1) // 2])


def off_beat(distances: NDArray[np.float64], step_s: float) -> NDArray[np.bool_]:
    """Say which distances of samples (seconds) are neither a step nor a gap of whole steps."""
    steps = distances / step_s
    beside = (np.abs(steps - np.rint(steps)) > STEP_TOLERANCE) | (steps < 1 - STEP_TOLERANCE)
    return np.asarray(beside & (steps <= RESTART_STEPS))


def _unordered(
    path: Path, instants: NDArray[np.float64], lines: Sequence[int], index: int
) -> UsageError:
    line, line_before = lines[index + 1], lines[index]
    context = {"file": str(path), "line": line}
    if instants[index] == instants[index + 1]:
        return UsageError(
            "telemetry.duplicate_instant",
            f"{path}, line {line}: the same instant as in line {line_before}.",
            reason=f"Both are {instants[index]:.3f}.",
            fix="Keep one row per instant.",
            context=context,
        )
    return UsageError(
        "telemetry.unsorted_instants",
        f"{path}, line {line}: an earlier instant than in line {line_before}.",
        reason=f"{instants[index]:.3f} is followed by {instants[index + 1]:.3f}.",
        fix="Sort the rows by time.",
        context=context,
    )


def _parse_iso(text: str) -> float:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither Unix seconds nor ISO 8601.") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
