"""Small recordings on disk, in the layout that `--data` takes."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Rows = list[list[object]]
COLUMNS = [
    (node, metric, statistic)
    for node in ("front", "cart", "store")
    for metric, statistic in (("latency", "p95"), ("requests", "Sum"), ("availability", "Average"))
]


def write_csv(path: Path, rows: Rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)
    return path


def metrics_rows(
    columns: list[tuple[str, str, str]] = COLUMNS,
    *,
    start: float = 1_700_000_000,
    step: float = 60,
    samples: int = 20,
    scale: float = 1.0,
) -> Rows:
    header: Rows = [
        [title, *(column[place] for column in columns)]
        for place, title in enumerate(("microservice", "metric", "statistic"))
    ]
    usual = {"latency": 0.25 * scale, "requests": 40.0, "availability": 100.0}
    return header + [
        [start + step * sample, *(usual.get(metric, 1.0) for _, metric, _ in columns)]
        for sample in range(samples)
    ]


@pytest.fixture
def metrics(tmp_path: Path) -> Callable[[Rows], Path]:
    """Write a metrics.csv of these rows."""
    return lambda rows: write_csv(tmp_path / "metrics.csv", rows)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of three components with twenty healthy samples and three incidents."""
    folder = tmp_path / "shop"
    names = ["front", "cart", "store"]
    write_csv(folder / "graph.csv", [["", *names], [names[0], 0, 1, 0], [names[1], 0, 0, 1],
                                     [names[2], 0, 0, 0]])  # fmt: skip
    write_csv(folder / "noissue" / "metrics.csv", metrics_rows())
    for name in ("issue_2", "issue_10", "issue_1"):
        add_incident(folder / "test" / name)
    return folder


def add_incident(folder: Path, rows: Rows | None = None, **members: object) -> Path:
    write_csv(folder / "metrics.csv", rows or metrics_rows(start=1_700_090_000, samples=5))
    document = {
        "target": {
            "node": "front",
            "metric": "latency",
            "agg": "p95",
            "timestamp": 1_700_090_150,
        },
        "root_cause": {"node": "store", "metric": None},
        **members,
    }
    (folder / "target.json").write_text(json.dumps(document))
    return folder


@contextmanager
def without_read_permission(path: Path) -> Iterator[None]:
    """Take away the right to read; root has it always, so it steps down meanwhile."""
    mode = path.stat().st_mode
    parents = [parent for parent in path.parents if _is_closed(parent)]
    modes = [parent.stat().st_mode for parent in parents]
    for parent in parents:
        parent.chmod(0o755)
    path.chmod(0)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if as_root:
            os.seteuid(0)
        path.chmod(mode)
        for parent, parent_mode in zip(parents, modes, strict=True):
            parent.chmod(parent_mode)


def _is_closed(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.geteuid() and status.st_mode & 0o005 != 0o005


@pytest.fixture
def unreadable() -> Callable[[Path], object]:
    return without_read_permission


@pytest.fixture
def new_incident() -> Callable[..., Path]:
    return add_incident


@pytest.fixture
def rows_of() -> Callable[..., Rows]:
    return metrics_rows


@pytest.fixture
def write() -> Callable[[Path, Rows], Path]:
    return write_csv
