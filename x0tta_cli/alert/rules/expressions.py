"""The expressions of the shipped rules, written as Prometheus itself prints them.

Traps that they avoid (each a test under promtool):

- `increase()` and `rate()` need two samples: a counter that is born at 1, as most client libraries
  do it at the first failure after a restart, has grown by nothing. `events` adds series that did
  not exist a window ago with the whole of their value.
- 0 / 0 is NaN, which no comparison lets through; one failure among three requests is 33 %. Ratios
  say nothing below a minimum of traffic.
- A series that vanishes compares with nothing: who has stopped to say that it lives looks as well
  as who never said it. `vanished` finds it for as long as the window reaches back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

# https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*,?')


@dataclass(frozen=True, slots=True)
class Limits:
    """How a ratio is measured: by which labels, how far back, and from how much on it counts.

    `minimum` is how much there has to be within the window.
    """

    by: Sequence[str]
    window: timedelta
    threshold: float
    minimum: float


def duration(time: timedelta) -> str:
    """Write a duration as Prometheus does: 90 seconds are 1m30s."""
    seconds, written = round(time.total_seconds()), ""
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        written += f"{count}{unit}" if count else ""
    return written or "0s"


def number(value: float) -> str:
    """Write a number as Prometheus does."""
    return f"{value:.10g}"


def selected(selector: str, suffix: str = "") -> str:
    """Write a selector with its matchers in order; `suffix` is put behind the metric's name."""
    name, brace, rest = selector.partition("{")
    matchers = _MATCHER.findall(rest.rstrip("}"))
    if not brace or not matchers:
        return f"{name}{suffix}{brace}{rest}"
    return f"{name}{suffix}{{{','.join(sorted(''.join(each) for each in matchers))}}}"


def events(metric: str, window: timedelta, threshold: float) -> str:
    """Write that there were more events than `threshold`, those of a newborn series too.

    A target that Prometheus meets for the first time tells of what it has counted before: nobody
    has told of that yet.
    """
    counter, back, limit = selected(metric), duration(window), number(threshold)
    return (
        f"increase({counter}[{back}]) > {limit}\n"
        "or\n"
        f"({counter} unless {counter} offset {back}) > {limit}"
    )


def ratio(part: str, whole: str, limits: Limits) -> str:
    """Write the share of `part` in `whole`, where there is enough of it."""
    back, group = duration(limits.window), grouped(limits.by)
    return (
        f"{group} (rate({selected(part)}[{back}])) / {group} (rate({selected(whole)}[{back}])) "
        f"> {number(limits.threshold)}\n{_enough(selected(whole), group, back, limits)}"
    )


def lack(part: str, whole: str, limits: Limits) -> str:
    """Write the share of `whole` that `part` lacks, where there is enough of it."""
    back, group = duration(limits.window), grouped(limits.by)
    return (
        f"1 - {group} (rate({selected(part)}[{back}])) / {group} (rate({selected(whole)}[{back}])) "
        f"> {number(limits.threshold)}\n{_enough(selected(whole), group, back, limits)}"
    )


def quantile(histogram: str, share: float, limits: Limits) -> str:
    """Write a quantile of a classic histogram, where there is enough in it."""
    back, group = duration(limits.window), grouped(limits.by)
    buckets = f"{grouped((*limits.by, 'le'))} (rate({selected(histogram, '_bucket')}[{back}]))"
    return (
        f"histogram_quantile({number(share)}, {buckets}) > {number(limits.threshold)}\n"
        f"{_enough(selected(histogram, '_count'), group, back, limits)}"
    )


def vanished(series: str, window: timedelta) -> str:
    """Write which series were there within the window and are no more."""
    return f"last_over_time({series}[{duration(window)}]) unless {series}"


def grouped(by: Sequence[str], operator: str = "sum") -> str:
    """Write an aggregation by labels."""
    return f"{operator} by ({', '.join(by)})"


def _enough(whole: str, group: str, back: str, limits: Limits) -> str:
    return f"and\n{group} (increase({whole}[{back}])) >= {number(limits.minimum)}"
