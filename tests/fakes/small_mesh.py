"""Writes a small mesh in the layout that `--data` takes: a chain of calls with a slow end."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

NODES = ("entrance", "shop", "stock", "database", "mail")
CALLS = {("entrance", "shop"), ("shop", "stock"), ("stock", "database"), ("shop", "mail")}
OWN_TIME_S = {"entrance": 0.02, "shop": 0.03, "stock": 0.01, "database": 0.04, "mail": 0.05}
CALL_COUNT = {"entrance": 900, "shop": 900, "stock": 700, "database": 700, "mail": 200}
STEP_S = 60
HEALTHY_SAMPLES = 240
START = 1_700_000_000


def write_library(root: Path, *, slow: str = "database", seed: int = 1) -> Path:
    """One recording with two incidents, in which `slow` takes five times its usual time."""
    generator = random.Random(seed)
    root.mkdir(parents=True, exist_ok=True)
    with (root / "graph.csv").open("w", newline="") as stream:
        rows = [[caller, *(int((caller, n) in CALLS) for n in NODES)] for caller in NODES]
        csv.writer(stream).writerows([["", *NODES], *rows])
    write_metrics(root / "noissue" / "metrics.csv", HEALTHY_SAMPLES, generator)
    for number in (1, 2):
        folder = root / "recorded" / f"incident_{number}"
        write_metrics(folder / "metrics.csv", 12, generator, slow=slow, onset=6)
        target = {
            "target": {
                "node": "entrance",
                "metric": "latency",
                "agg": "Average",
                "timestamp": START + 6 * STEP_S,
            },
            "root_cause": {"node": slow},
        }
        (folder / "target.json").write_text(json.dumps(target))
    return root


def write_metrics(
    path: Path, samples: int, generator: random.Random, slow: str = "", onset: int = 0
) -> None:
    """A metrics.csv with latency and requests of every component."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [
        (node, *of) for of in (("latency", "Average"), ("requests", "Sum")) for node in NODES
    ]
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        for level, name in enumerate(("microservice", "metric", "statistic")):
            writer.writerow([name, *(column[level] for column in columns)])
        writer.writerow(["unix_timestamp", *[""] * len(columns)])
        for sample in range(samples):
            latency = latencies(generator, slow if sample >= onset else "")
            requests = [round(CALL_COUNT[n] * generator.gauss(1, 0.03)) for n in NODES]
            writer.writerow([START + sample * STEP_S, *(latency[n] for n in NODES), *requests])


def latencies(generator: random.Random, slow: str) -> dict[str, float]:
    """Seconds per call: own time and that of what is called, in calls per call."""
    found: dict[str, float] = {}
    for node in reversed(NODES):
        own = OWN_TIME_S[node] * (5 if node == slow else 1) * generator.gauss(1, 0.03)
        found[node] = own + sum(
            found[callee] * CALL_COUNT[callee] / CALL_COUNT[caller]
            for caller, callee in CALLS
            if caller == node
        )
    return found
