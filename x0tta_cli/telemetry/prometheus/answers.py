"""Reads what Prometheus' HTTP API answers.

Format: https://prometheus.io/docs/prometheus/2.53/querying/api/
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import UsageError

# Sorted pairs of name and value; what tells one series from another.
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The points of one series: `instants` (Unix seconds) and `values`, both float64[points].

    They come in the order of the answer. A value may be NaN or infinite, as it was sent.
    """

    labels: Labels
    instants: NDArray[np.float64]
    values: NDArray[np.float64]


def read_matrix(data: Any, expression: str) -> tuple[Series, ...]:
    """Read the member `data` of an answer to a range query.

    Raises ValueError with the reason where it is none, and UsageError
    `telemetry.native_histogram`.
    """
    match data:
        case {"resultType": "matrix", "result": list(result)}:
            return tuple(_series(item, expression) for item in result)
    raise ValueError("It is not a matrix, as range queries have.")


def read_messages(document: dict[str, Any]) -> tuple[str, ...]:
    """List the warnings and remarks of an answer, such as that a part of the data is missing."""
    return tuple(
        str(message)
        for member in ("warnings", "infos")
        if isinstance(document.get(member), list)
        for message in document[member]
    )


def in_promql(labels: Labels) -> str:
    """Write a label set as Prometheus does: `name{a="b"}`."""
    pairs = dict(labels)
    name = pairs.pop("__name__", "")
    inner = ", ".join(
        f"{label}={json.dumps(value, ensure_ascii=False)}" for label, value in pairs.items()
    )
    return f"{name}{{{inner}}}"


def _series(item: Any, expression: str) -> Series:
    match item:
        case {"metric": dict(metric), "histograms": [_, *_]}:
            raise _native_histogram(_labels(metric), expression)
        case {"metric": dict(metric), "values": list(points)}:
            return _points(_labels(metric), points)
    raise ValueError("A series has no labels or no values.")


def _labels(metric: dict[str, Any]) -> Labels:
    return tuple(sorted((name, str(value)) for name, value in metric.items()))


def _points(labels: Labels, points: list[Any]) -> Series:
    try:
        instants = np.array([_instant(point[0]) for point in points], dtype=np.float64)
        values = np.array([_value(point[1]) for point in points], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        raise ValueError(f"{in_promql(labels)} has points that are not [instant, value].") from None
    return Series(labels, instants, values)


def _instant(member: Any) -> float:
    if isinstance(member, bool) or not isinstance(member, int | float):
        raise TypeError
    # Python's JSON takes NaN and Infinity, which are no JSON.
    if not math.isfinite(member):
        raise ValueError
    return float(member)


def _value(member: Any) -> float:
    # Sample values are texts, because JSON has no NaN and no infinity.
    if not isinstance(member, str):
        raise TypeError
    return float(member)


def _native_histogram(labels: Labels, expression: str) -> UsageError:
    return UsageError(
        "telemetry.native_histogram",
        f"{expression[:200]}: {in_promql(labels)} holds native histograms, not numbers.",
        reason="A feature is one number per instant; a histogram is a whole distribution.",
        fix="Ask for a number out of it: histogram_quantile(0.95, rate(NAME[5m])), "
        "histogram_count(rate(NAME[5m])).",
        context={"expression": expression, "labels": dict(labels)},
    )
