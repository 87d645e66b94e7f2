"""Container engines, asked over their own sockets: their programs would create folders."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
from collections.abc import Iterator

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.notices import Severity

ANSWER_S = 3.0


def look_at_engine(_surroundings: Surroundings) -> Observed:
    """See whether a container engine answers."""
    silent = []
    for path in sockets():
        try:
            return Observed(version_at(path))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, http.client.HTTPException) as error:
            silent.append(_silent(path, error))
    if shutil.which("podman"):
        return Observed("podman, without a service")
    return Observed(findings=tuple(silent) or (_none(),))


CHECKS = (Check("engine", look_at_engine),)


def sockets() -> Iterator[str]:
    """Name the sockets on which an engine may listen, what the environment names first."""
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        given = os.environ.get(variable, "")
        if given.startswith("unix://"):
            yield given.removeprefix("unix://")
    yield "/var/run/docker.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield f"{runtime}/docker.sock"
        yield f"{runtime}/podman/podman.sock"
    yield "/run/podman/podman.sock"


def version_at(path: str) -> str:
    """Ask the engine at a socket what it is (Docker Engine API, GET /version)."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", "/version")
        answer = connection.getresponse()
        told = json.loads(answer.read(1_000_000))
        if answer.status != 200 or not isinstance(told, dict):
            raise ValueError(f"it answers with status {answer.status}")
    finally:
        connection.close()
    names = [part.get("Name", "") for part in told.get("Components") or []]
    engine = "podman" if any("podman" in name.lower() for name in names) else "docker"
    return f"{engine} {told.get('Version', '')}".strip()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _silent(path: str, error: Exception) -> Finding:
    may_not = isinstance(error, PermissionError)
    return Finding(
        "doctor.container_engine_silent",
        Severity.INFO,
        path,
        f"The container engine at {path} does not answer.",
        "sudo usermod -aG docker $USER, then log in again" if may_not else "See ps and journalctl.",
        f"{error}.",
    )


def _none() -> Finding:
    has_program = shutil.which("docker") is not None
    return Finding(
        "doctor.no_container_engine",
        Severity.INFO,
        "container engine",
        "No container engine runs here.",
        "sudo systemctl start docker" if has_program else "Install docker or podman.",
        "Nothing listens on the sockets of docker and podman.",
    )
