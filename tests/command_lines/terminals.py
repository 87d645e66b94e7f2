"""A process on pseudo-terminals: one for its input and result, one for all else that it says."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
import tty
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

LINES_SHOWN = 40
BOUND_S = 90

# Whether a process may be stopped now, by what it wrote so far.
Stop = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run_piped(
    line: Sequence[str], environment: Mapping[str, str], stop: Stop | None = None
) -> Ended:
    """Run a command between pipes, without input; SIGTERM when `stop` says so."""
    process = subprocess.Popen(
        line,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    with process.stdout, process.stderr:
        return _ended(process, process.stdout.fileno(), process.stderr.fileno(), stop)


def run_on_terminal(
    line: Sequence[str],
    environment: Mapping[str, str],
    stop: Stop | None = None,
    columns: int = 80,
) -> Ended:
    """Run a command whose three streams are terminals, stdout apart from stderr."""
    mine, its = zip(*(pty.openpty() for _ in range(2)), strict=True)
    for descriptor in its:
        # Raw: the line ends that it writes arrive as they were written.
        tty.setraw(descriptor)
        size = struct.pack("HHHH", LINES_SHOWN, columns, 0, 0)
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)
    process = subprocess.Popen(
        line, env=environment, stdin=its[0], stdout=its[0], stderr=its[1], start_new_session=True
    )
    for descriptor in its:
        os.close(descriptor)
    try:
        return _ended(process, *mine, stop)
    finally:
        for descriptor in mine:
            os.close(descriptor)


@dataclass(slots=True)
class Reader:
    """Reads a descriptor to its end, beside whatever else happens."""

    descriptor: int
    content: bytearray = field(default_factory=bytearray)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        # A terminal whose other end is closed gives EIO in place of an end.
        with contextlib.suppress(OSError):
            while chunk := os.read(self.descriptor, 65536):
                self.content += chunk


def _ended(process: subprocess.Popen[bytes], stdout: int, stderr: int, stop: Stop | None) -> Ended:
    readers = Reader(stdout), Reader(stderr)
    try:
        if stop is not None:
            _wait_for(stop, readers, process)
            process.send_signal(signal.SIGTERM)
        process.wait(BOUND_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for reader in readers:
            reader.thread.join(BOUND_S)
    written = (bytes(reader.content).decode() for reader in readers)
    return Ended(process.returncode, *written)


def _wait_for(stop: Stop, readers: Sequence[Reader], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + BOUND_S
    while process.poll() is None and time.monotonic() < end:
        if stop(b"".join(bytes(reader.content) for reader in readers)):
            return
        time.sleep(0.05)
