"""Real Alertmanagers, alone and in a cluster of two."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "testbed" / "alertmanager"
X0TTA = str(Path(sys.executable).with_name("x0tta"))


class Server:
    """One Alertmanager that can be killed and brought up again on its port."""

    script = SCRIPT

    def __init__(self, folder: Path, port: str = "", **environment: str) -> None:
        self.folder, self.environment, self.url = folder, environment, ""
        self.port = ["--port", port] if port else []

    def up(self) -> str:
        self.url = self._run("up")
        return self.url

    def down(self) -> None:
        self._run("down")

    def stop(self) -> None:
        """End it as a restart does: it writes down what it keeps, and its folder stays."""
        self.kill(signal.SIGTERM)

    def kill(self, number: int = signal.SIGKILL) -> None:
        pid = int(json.loads((self.folder / "process.json").read_text())["pid"])
        os.kill(pid, number)
        while self._answers():
            time.sleep(0.02)

    def alerts(self) -> list[dict]:
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts") as answer:
            return json.load(answer)

    def names(self) -> list[str]:
        return sorted(alert["labels"]["alertname"] for alert in self.alerts())

    def silences(self, state: str) -> list[dict]:
        with urllib.request.urlopen(f"{self.url}/api/v2/silences") as answer:
            return [each for each in json.load(answer) if each["status"]["state"] == state]

    def _answers(self) -> bool:
        try:
            return bool(self.alerts() or True)
        except OSError:
            return False

    def _run(self, action: str) -> str:
        done = subprocess.run(
            [str(self.script), action, "--dir", str(self.folder), *self.port],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | self.environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("alertmanager"))
    server.up()
    try:
        yield server
    finally:
        server.down()


@pytest.fixture
def fresh_alertmanager(tmp_path) -> Iterator[Server]:
    server = Server(tmp_path / "fresh")
    server.up()
    try:
        yield server
    finally:
        server.down()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[tuple[Server, Server]]:
    one, two = free_port(), free_port()
    servers = (
        Server(tmp_path_factory.mktemp("one"), ALERTMANAGER_CLUSTER=f"{one} {two}"),
        Server(tmp_path_factory.mktemp("two"), ALERTMANAGER_CLUSTER=f"{two} {one}"),
    )
    for server in servers:
        server.up()
    try:
        yield servers
    finally:
        for server in servers:
            server.down()


@pytest.fixture
def x0tta(tmp_path, state):
    """Run the installed x0tta with channels at these URLs."""

    def run(*arguments: str, urls: list[str], **variables: str):
        configuration = tmp_path / "x0tta.toml"
        listed = ", ".join(f'"{url}"' for url in urls)
        configuration.write_text(f'[alert.channels.am]\nkind = "alertmanager"\nurls = [{listed}]\n')
        return subprocess.run(
            [X0TTA, *arguments, "--config", str(configuration)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"X0TTA_STATE_DIR": str(state), "TZ": "UTC"} | variables,
        )

    return run
