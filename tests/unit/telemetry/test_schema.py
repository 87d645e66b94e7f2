from __future__ import annotations

import math

import pytest

from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Role


@pytest.mark.parametrize(
    ("metric", "statistic", "role", "symbol", "lower", "upper"),
    [
        ("latency", "p95", Role.LATENCY, "s", 0, math.inf),
        ("latency", "Average", Role.LATENCY, "s", 0, math.inf),
        ("requests", "Sum", Role.RATE, "count", 0, math.inf),
        ("availability", "Average", Role.AVAILABILITY, "%", 0, 100),
        ("latency_ms", "p50", Role.LATENCY, "ms", 0, math.inf),
        ("http_request_duration_seconds", "p99", Role.LATENCY, "s", 0, math.inf),
        ("requestDuration", "p99", Role.LATENCY, "s", 0, math.inf),
        ("ResponseLatency_us", "max", Role.LATENCY, "us", 0, math.inf),
        ("availability_ratio", "Average", Role.AVAILABILITY, "ratio", 0, 1),
        ("request_errors", "Sum", Role.ERRORS, "count", 0, math.inf),
        ("error_rate", "Average", Role.ERRORS, "", 0, math.inf),
        ("error_ratio", "Average", Role.ERRORS, "ratio", 0, 1),
        ("loss_rate", "Average", Role.ERRORS, "ratio", 0, 1),
        ("throughput_mbps", "Average", Role.RATE, "Mbit/s", 0, math.inf),
        ("calls_total", "", Role.RATE, "count", 0, math.inf),
        ("rssi_dbm", "Average", Role.OTHER, "dBm", -math.inf, math.inf),
        ("snr_db", "Average", Role.OTHER, "dB", -math.inf, math.inf),
        ("link_age_s", "max", Role.OTHER, "s", 0, math.inf),
        ("cpu_ratio", "Average", Role.OTHER, "ratio", 0, 1),
        ("cpu_ratio", "Sum", Role.OTHER, "ratio", 0, math.inf),
        ("temperature", "Average", Role.OTHER, "", -math.inf, math.inf),
        ("s", "Average", Role.OTHER, "", -math.inf, math.inf),
        ("latency", "SampleCount", Role.RATE, "count", 0, math.inf),
    ],
)
def test_the_words_of_a_column_tell_role_and_unit(
    metric, statistic, role, symbol, lower, upper
) -> None:
    feature = feature_of(metric, statistic)
    assert feature.role is role
    assert (feature.unit.symbol, feature.unit.lower, feature.unit.upper) == (symbol, lower, upper)
    assert (feature.quantity, feature.statistic) == (metric, statistic)


@pytest.mark.parametrize(
    ("metric", "statistic", "name"),
    [
        ("latency", "p95", "latency_p95"),
        ("latency", "Average", "latency_average"),
        ("CPU load", "Average", "cpu_load_average"),
        ("rssi_dbm", "", "rssi_dbm"),
    ],
)
def test_the_name_joins_both(metric, statistic, name) -> None:
    assert feature_of(metric, statistic).name == name
