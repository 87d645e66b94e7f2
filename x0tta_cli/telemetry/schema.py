"""From the words of a recording to features: what a metric's name says about role and unit.

The rule looks at the metric and the statistic alone, never at a component's name:

1. A known ending after the last `_` is the unit: `latency_ms`, `cpu_ratio`, `rssi_dbm`.
2. The words of the metric give the role, the first of: latency (latency, duration, delay, rtt),
   errors (error, failure, fault, loss, drop, timeout), availability (availability, success),
   rate (request, call, invocation, throughput, traffic, rps, qps). Plurals count.
3. Without an ending, the role gives the unit that the PetShop recordings use: latency in seconds,
   availability in percent, requests and errors counted per step; everything else has none.
4. Statistics that count or add up change that: `SampleCount` of anything is a count (and the
   rate, where the metric is a latency), and a `Sum` has no upper bound.

PetShop: Hardt et al., "The PetShop Dataset - Finding Causes of Performance Issues across
Microservices", 2023.
"""

from __future__ import annotations

import math
import re

from x0tta_cli.telemetry.telemetry import Feature, Role, Unit

COUNT = Unit("count", lower=0.0)
SECONDS = Unit("s", lower=0.0)
PERCENT = Unit("%", lower=0.0, upper=100.0)
RATIO = Unit("ratio", lower=0.0, upper=1.0)
UNKNOWN = Unit("")

UNIT_OF_ENDING = {
    "s": SECONDS,
    "sec": SECONDS,
    "secs": SECONDS,
    "second": SECONDS,
    "seconds": SECONDS,
    "ms": Unit("ms", lower=0.0),
    "milliseconds": Unit("ms", lower=0.0),
    "us": Unit("us", lower=0.0),
    "microseconds": Unit("us", lower=0.0),
    "ns": Unit("ns", lower=0.0),
    "nanoseconds": Unit("ns", lower=0.0),
    "ratio": RATIO,
    "percent": PERCENT,
    "pct": PERCENT,
    "count": COUNT,
    "total": COUNT,
    "rps": Unit("1/s", lower=0.0),
    "qps": Unit("1/s", lower=0.0),
    "bytes": Unit("B", lower=0.0),
    "bps": Unit("bit/s", lower=0.0),
    "kbps": Unit("kbit/s", lower=0.0),
    "mbps": Unit("Mbit/s", lower=0.0),
    "gbps": Unit("Gbit/s", lower=0.0),
    "dbm": Unit("dBm"),
    "db": Unit("dB"),
    "hz": Unit("Hz", lower=0.0),
    "celsius": Unit("°C", lower=-273.15),
}

# Known to be a share of 1, though the ending `rate` alone may be a share, percent or per second.
UNIT_OF_METRIC = {"loss_rate": RATIO}

WORDS_OF_ROLE = (
    (Role.LATENCY, {"latency", "latencies", "duration", "delay", "rtt"}),
    (Role.ERRORS, {"error", "failure", "fault", "loss", "drop", "timeout"}),
    (Role.AVAILABILITY, {"availability", "success"}),
    (
        Role.RATE,
        {"request", "call", "invocation", "throughput", "traffic", "rps", "qps"},
    ),
)

UNIT_OF_ROLE = {
    Role.LATENCY: SECONDS,
    Role.ERRORS: COUNT,
    Role.AVAILABILITY: PERCENT,
    Role.RATE: COUNT,
    Role.OTHER: UNKNOWN,
}


def feature_of(metric: str, statistic: str) -> Feature:
    """Make the feature that a column of this metric and statistic holds."""
    words = _words(metric)
    role = _role(words)
    unit = UNIT_OF_METRIC.get(metric.lower())
    if unit is None and len(words) > 1:
        unit = UNIT_OF_ENDING.get(words[-1])
    if unit is None:
        # 'error_rate' may be a share, a percentage or per second: only its sign is known.
        unit = Unit("", lower=0.0) if words[-1:] == ["rate"] else UNIT_OF_ROLE[role]
    kind = statistic.replace("_", "").replace(" ", "").lower()
    if kind in {"samplecount", "count"}:
        role, unit = (Role.RATE if role is Role.LATENCY else role), COUNT
    elif kind in {"sum", "total"} and unit.upper < math.inf:
        unit = Unit(unit.symbol, unit.lower)
    return Feature(feature_name(metric, statistic), metric, statistic, role, unit)


def feature_name(metric: str, statistic: str) -> str:
    """Join metric and statistic: `latency` under `p95` is `latency_p95`."""
    joined = f"{metric}_{statistic}" if statistic else metric
    return re.sub(r"\s+", "_", joined.strip()).lower()


def _words(metric: str) -> list[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", metric)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


def _role(words: list[str]) -> Role:
    singular = {word[:-1] if word.endswith("s") else word for word in words} | set(words)
    for role, known in WORDS_OF_ROLE:
        if singular & known:
            return role
    return Role.OTHER
