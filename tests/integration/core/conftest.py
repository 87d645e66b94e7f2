"""Small disks of a test's own; mounting them takes root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "x0tta-test", str(folder)]
    subprocess.run(command, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "disk"
    with mounted(folder, "64k"):
        yield folder


@pytest.fixture
def larger_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB: room for a journal with a few operations."""
    folder = tmp_path / "disk"
    with mounted(folder, "1m"):
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
