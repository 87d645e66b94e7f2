"""Telemetry of small meshes that a test writes by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Telemetry
from x0tta_cli.telemetry.topology import Topology

GOLDEN = (("latency", "Average"), ("requests", "Sum"), ("availability", "Average"))


def make(
    values: np.ndarray,
    calls: Sequence[tuple[int, int]] = (),
    *,
    metrics: Sequence[tuple[str, str]] = GOLDEN,
    names: Sequence[str] | None = None,
    step_s: float = 60.0,
    start: float = 0.0,
) -> Telemetry:
    """Telemetry of [N, T, F] values."""
    nodes = tuple(names or (f"n{number}" for number in range(len(values))))
    instants = start + step_s * np.arange(values.shape[1])
    features = tuple(feature_of(*metric) for metric in metrics)
    return Telemetry(Topology(nodes, tuple(calls)), instants, features, values)


def healthy_values(nodes: int, samples: int = 200, seed: int = 0) -> np.ndarray:
    """Latencies about 0.1 s, about 300 requests and no failures."""
    generator = np.random.default_rng(seed)
    values = np.empty((nodes, samples, 3))
    values[:, :, 0] = 0.1 * np.exp(generator.normal(0, 0.1, (nodes, samples)))
    values[:, :, 1] = generator.poisson(300, (nodes, samples))
    values[:, :, 2] = 100.0
    return values


def shuffled(telemetry: Telemetry, order: Sequence[int]) -> Telemetry:
    """The same mesh under other names and in another order."""
    place = {node: number for number, node in enumerate(order)}
    edges = [(place[caller], place[callee]) for caller, callee in telemetry.topology.edges]
    names = tuple(f"other {node}" for node in order)
    generator = np.random.default_rng(0)
    return Telemetry(
        Topology(names, tuple(edges[index] for index in generator.permutation(len(edges)))),
        telemetry.instants,
        telemetry.features,
        telemetry.values[list(order)],
    )
