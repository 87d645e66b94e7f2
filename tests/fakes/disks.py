"""Disks of a size or kind that no test machine has by itself; mounting them takes root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def mounted(folder: Path, options: str, *, lazily: bool = False) -> Iterator[Path]:
    """A tmpfs with these mount options in a new folder, for as long as the block runs.

    Nothing may be open on it at the end, unless it is let go of `lazily`.
    """
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "x0tta-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", *["--lazy"] * lazily, folder], check=True)
