"""Small disks of a test's own; the journal that it opens there may outlive it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.disks import mounted

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    with mounted(tmp_path / "disk", "size=64k,mode=700", lazily=True) as folder:
        yield folder


@pytest.fixture
def larger_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB: room for a journal with a few operations."""
    with mounted(tmp_path / "disk", "size=1m,mode=700", lazily=True) as folder:
        yield folder


@pytest.fixture
def fill() -> Callable[[Path, int], Path]:
    """Fills a disk until `left` bytes are free."""

    def fill(folder: Path, left: int = 0) -> Path:
        ballast = folder / "ballast"
        disk = os.statvfs(folder)
        ballast.write_bytes(b"x" * max(0, disk.f_bavail * disk.f_frsize - left))
        return ballast

    return fill


@pytest.fixture
def read_only() -> Callable[[Path], None]:
    """Makes the disk that is mounted at a folder read-only."""

    def remount(folder: Path) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

    return remount
