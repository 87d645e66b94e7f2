"""Servers of the testbed, each in a folder of its own that is taken down in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TESTBED = Path(__file__).parents[3] / "scripts" / "testbed"


@dataclass
class Testbed:
    __test__ = False

    name: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, action: str, *options: str) -> list[str]:
        return [str(TESTBED / self.name), action, "--dir", str(self.folder), *options]

    def run(self, action: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(action, *options),
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **self.environment},
        )

    def up(self, *options: str) -> str:
        done = self.run("up", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def record(self) -> Path:
        return self.folder / "process.json"

    @property
    def pid(self) -> int:
        return int(json.loads(self.record.read_text())["pid"])

    def kill(self) -> None:
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    fields = text.rpartition(")")[2].split()
    # A zombie whose other threads still end holds its port.
    return fields[0] not in "ZX" or int(fields[17]) > 1


@pytest.fixture(params=["prometheus", "alertmanager"])
def server(request, tmp_path) -> Iterator[Testbed]:
    testbed = Testbed(request.param, tmp_path / "server")
    try:
        yield testbed
    finally:
        assert testbed.run("down").returncode == 0


@pytest.fixture
def alertmanager(tmp_path) -> Iterator[Testbed]:
    testbed = Testbed("alertmanager", tmp_path / "server")
    try:
        yield testbed
    finally:
        assert testbed.run("down").returncode == 0


@pytest.fixture
def alive():
    """Whether a process runs."""
    return is_alive
