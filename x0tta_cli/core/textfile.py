"""Metrics as files, for the textfile collector of Prometheus' node_exporter.

What runs and ends has no port that could be scraped; it leaves a file, which is replaced whole.

Sources: node_exporter's README (Textfile Collector); "Exposition formats" of Prometheus.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.files import write_atomically

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SUFFIX = ".prom"
# The collector runs as another user, who has to be able to read it.
MODE = 0o644
PREFIX = "x0tta_heartbeat"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def write_textfile(path: Path, registry: CollectorRegistry) -> None:
    """Replace a file by the metrics of a registry, atomically, readable for everybody.

    Raises UsageError `textfile.bad_suffix`: the collector reads *.prom alone; and as
    `files.write_atomically`.
    """
    from prometheus_client import generate_latest

    if path.suffix != SUFFIX:
        raise UsageError(
            "textfile.bad_suffix",
            f"{path} would never be collected.",
            reason=f"node_exporter reads files that end with {SUFFIX} alone.",
            fix=f"Write to {path.with_suffix(SUFFIX)}.",
            context={"file": str(path)},
        )
    write_atomically(path, generate_latest(registry), mode=MODE)


def heartbeat_file(folder: Path, name: str) -> Path:
    """Tell where the heartbeat of this name stands; UsageError `textfile.bad_name`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            "textfile.bad_name",
            f"'{name}' can't be the name of a heartbeat.",
            reason="It becomes a file's name and a label: at most 100 letters, digits, '.', '_' "
            "and '-', a letter or digit first.",
            fix="Choose another name, such as nightly-backup.",
            context={"name": name},
        )
    return folder / f"{PREFIX}_{name}{SUFFIX}"


def heartbeat(
    folder_or_path: Path,
    name: str,
    values: Mapping[str, float],
    labels: Mapping[str, str] | None = None,
) -> Path:
    """Write the heartbeat `name`: a gauge `x0tta_heartbeat_KEY` for each value; gives the file.

    Every gauge has the label `name` and the further `labels`. A path that ends with .prom is
    written to, in a folder the file bears the heartbeat's name. Instants are Unix times in
    seconds, so that no time zone can be mistaken. Raises as `write_textfile` and `heartbeat_file`.
    """
    from prometheus_client import CollectorRegistry, Gauge

    in_folder = heartbeat_file(folder_or_path, name)
    path = folder_or_path if folder_or_path.suffix == SUFFIX else in_folder
    registry = CollectorRegistry()
    told = {"name": name, **(labels or {})}
    for key, value in sorted(values.items()):
        gauge = Gauge(
            f"{PREFIX}_{key}",
            f"Heartbeat: {key.replace('_', ' ')}.",
            list(told),
            registry=registry,
        )
        gauge.labels(**told).set(value)
    write_textfile(path, registry)
    return path
