"""Expressions that read a metric as it is: what they need before they can be trusted.

Two things go wrong with a plain `NAME{...}`, alone, under sum, avg, min or max, or converted by
numbers (`NAME * 1000`); everything else is taken as its author wrote it.

A counter only grows, and starts over when its process does: its height says how old the process
is. Only PromQL can make a rate of it rightly, because it sees every sample that was scraped, while
a reader sees one value per step and misses a reset in between that was made up for since. So a
plain counter is refused, with `increase(NAME[step])` and `rate` as the way out. (Both need two
samples: what a counter already holds when it is seen first is not counted.)

A gap is filled by Prometheus itself: for 5 minutes after a metric's last sample it repeats that
value, unless it was up and saw the target gone. So a plain selector is read only where it has a
sample within the last step: `NAME and last_over_time(NAME[step])`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from x0tta_cli.core.errors import UsageError

_QUOTED = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
_METRIC = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_MATCHERS = rf"""\{{(?:[^{{}}"'`]|{_QUOTED})*\}}"""
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?"
_GROUPING = r"(?:(?:by|without)\s*\([^()]*\))"
_PLAIN = re.compile(
    rf"""
    \s* (?: {_NUMBER} \s* [-+*/] \s* )?
    (?P<aggregation> (?: sum|avg|min|max ) \s* {_GROUPING}? \s* \( \s* )?
    (?P<selector> (?P<metric> {_METRIC} ) (?: \s* {_MATCHERS} )? )
    (?(aggregation) \s* \) \s* {_GROUPING}? )
    (?: \s* [-+*/] \s* {_NUMBER} )* \s*
    """,
    re.VERBOSE | re.DOTALL,
)
# Parts of a classic histogram or of a summary, whose type is known by the whole's name alone.
_PARTS = ("_sum", "_count")
_WHOLES = {"histogram", "summary"}
_COUNTERS = ("_total", "_bucket")


def plain_metric(expression: str) -> str | None:
    """Tell the metric that an expression reads as it is; None for any other expression."""
    found = _PLAIN.fullmatch(expression)
    return found["metric"] if found else None


def only_fresh(expression: str, fresh_ms: int) -> str:
    """Leave out of a plain selector what was not sampled within so many milliseconds."""
    found = _PLAIN.fullmatch(expression)
    if found is None:
        return expression
    selector, (start, end) = found["selector"], found.span("selector")
    fresh = f"({selector} and last_over_time({selector}[{fresh_ms}ms]))"
    return f"{expression[:start]}{fresh}{expression[end:]}"


def check_no_counter(expression: str, type_of: Callable[[str], str | None]) -> None:
    """Refuse a counter that is read as it is; `type_of` tells what the server knows of a metric.

    Where it knows nothing, names decide: `_total` and `_bucket` are endings of counters
    (https://prometheus.io/docs/practices/naming/). Raises UsageError `telemetry.raw_counter`.
    """
    metric = plain_metric(expression)
    if metric is None or not _is_counter(metric, type_of):
        return
    raise UsageError(
        "telemetry.raw_counter",
        f"{expression[:200]}: {metric} is a counter.",
        reason="It only grows, and starts at 0 with its process: its height says nothing about "
        "now.",
        fix=f"Ask for increase({metric}[STEP]) or rate({metric}[5m]); in parentheses, as "
        f"({metric}), it is read as it is.",
        context={"expression": expression, "metric": metric},
    )


def _is_counter(metric: str, type_of: Callable[[str], str | None]) -> bool:
    known = type_of(metric)
    if known is not None and known != "unknown":
        return known == "counter"
    for ending in _PARTS:
        if metric.endswith(ending):
            return type_of(metric.removesuffix(ending)) in _WHOLES
    return metric.endswith(_COUNTERS)
