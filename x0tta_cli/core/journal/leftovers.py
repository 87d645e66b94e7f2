"""What killed processes leave behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from x0tta_cli.core import state
from x0tta_cli.core.files import reading_errors

# A file is written and renamed within seconds; one this old has lost its writer.
OLDEST_WRITE_S = 600


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing to remove: what it is ("alert", "temporary file"), its name, and how."""

    what: str
    name: str
    remove: Callable[[], None] = field(repr=False, compare=False)


def temporary_files() -> Iterator[Leftover]:
    """Find files in the state folder that were never finished. Raises `files.not_readable` (6)."""
    folder = state.folder()
    if not folder.is_dir():
        return
    with reading_errors(folder):
        paths = sorted(folder.glob(".x0tta-*.tmp*"))
    for path in paths:
        with suppress(FileNotFoundError), reading_errors(path):
            if time.time() - path.lstat().st_mtime < OLDEST_WRITE_S:
                continue
            yield Leftover("temporary file", str(path), partial(_remove, path))


def _remove(path: Path) -> None:
    with state.writing_errors(path):
        path.unlink(missing_ok=True)
