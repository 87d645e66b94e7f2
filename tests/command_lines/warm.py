"""Runs x0tta without the time that its imports take: what `warm_start.py` is for.

For lines of which the start is not what is tested: each has at least one run of its own that
starts as the installed command does.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from command_lines.terminals import Descriptors

SCRIPT = str(Path(__file__).with_name("warm_start.py"))
# What Python and the C library read once, when they start.
AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_")
BOUND_S = 90


class WarmProcess:
    """A process as far as tests use `subprocess.Popen`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(BOUND_S)
        self.pid = int(connection.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._received(0)

    def wait(self, timeout: float) -> int:
        """Wait for its end."""
        status = self._received(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _received(self, timeout: float) -> int | None:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = int(self._connection.recv(64))
            except (BlockingIOError, TimeoutError):
                return None
            self._connection.close()
        return self.returncode


def warm(
    line: Sequence[str],
    environment: Mapping[str, str],
    streams: Descriptors,
    *,
    new_session: bool = False,
) -> WarmProcess:
    """Start a line of the installed x0tta, whose first word is the command itself."""
    program = Path(line[0])
    assert program.name == "x0tta"
    at_start = {n: v for n, v in environment.items() if n.startswith(AT_THE_START)}
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_server(program.with_name("python"), tuple(sorted(at_start.items()))))
    message = {
        "line": list(line),
        "environment": dict(environment),
        "folder": str(Path.cwd()),
        "new_session": new_session,
    }
    socket.send_fds(connection, [json.dumps(message).encode()], streams)
    return WarmProcess(connection)


@cache
def _server(python: Path, at_start: tuple[tuple[str, str], ...]) -> str:
    """Start what forks, once for each interpreter and what it reads at its start."""
    # Abstract, as unix(7) has it: no file is left behind.
    address = f"\0x0tta-warm-{os.getpid()}-{os.urandom(8).hex()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(64)
        # It ends when this process does, which holds the other end of its input.
        _servers.append(
            subprocess.Popen(
                [python, "-P", SCRIPT, str(listener.fileno())],
                env={"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **dict(at_start)},
                pass_fds=[listener.fileno()],
                stdin=subprocess.PIPE,
            )
        )
    return address


_servers: list[subprocess.Popen[bytes]] = []
