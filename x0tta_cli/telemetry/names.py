"""Names the incidents of a library for completion: as `library.Library.incidents`, in haste.

A shell waits, so this imports os alone, and what can't be read is passed over without a word.
"""

# pathlib takes longer to import than all of this to run.
# ruff: noqa: PTH118, PTH119, PTH120
from __future__ import annotations

import itertools
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGED = os.path.join(os.path.dirname(__file__), "data", "petshop")
HEALTHY_FOLDER = "noissue"
DEEPEST = 4
DIGITS = "0123456789"
METRICS = frozenset({"metrics.csv", "metrics.csv.xz"})
GRAPH = frozenset({"graph.csv", "graph.csv.xz"})


def incidents(root: str) -> list[str]:
    """Name all incidents below a folder by their paths, recording by recording, as people count."""
    folders = [root] if _is_recording(root) else [*filter(_is_recording, _entries(root)[0])]
    return [
        os.path.relpath(folder, root)
        for recording in sorted(folders, key=_natural)
        for folder in sorted(_incident_folders(recording), key=_natural)
    ]


def _incident_folders(recording: str) -> Iterator[str]:
    pending = [(recording, 0)]
    # A link may lead back up: no folder counts twice.
    seen = set()
    while pending:
        folder, depth = pending.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        below, files = _entries(folder)
        if depth > 0 and (files & METRICS or "target.json" in files):
            yield folder
        if depth == 0:
            below = [path for path in below if os.path.basename(path) != HEALTHY_FOLDER]
        if depth < DEEPEST:
            pending += [(path, depth + 1) for path in below]


def _is_recording(folder: str) -> bool:
    healthy = os.path.join(folder, HEALTHY_FOLDER)
    return bool(_entries(folder)[1] & GRAPH or _entries(healthy)[1] & METRICS)


def _entries(folder: str) -> tuple[list[str], set[str]]:
    """Give the paths of the folders in a folder, and the names of everything in it."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
        folders = [entry.path for entry in entries if entry.is_dir() and entry.name[0] != "."]
    except OSError:
        return [], set()
    return folders, {entry.name for entry in entries}


def _natural(path: str) -> list[tuple[bool, int, str]]:
    """Order paths as `library.natural_key` does: issue_2 before issue_10."""
    runs = [
        (is_number, "".join(run))
        for is_number, run in itertools.groupby(path.replace("/", "\0"), DIGITS.__contains__)
    ]
    return [(not is_number, int(text) if is_number else 0, text) for is_number, text in runs]
