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
from typing import Protocol

LINES_SHOWN = 40
BOUND_S = 90

# Whether a process may be stopped now, by what it wrote so far.
Stop = Callable[[bytes], bool]
# Standard input, output and error.
Descriptors = tuple[int, int, int]


class Process(Protocol):
    """What is needed of a process that was started."""

    returncode: int | None

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> int: ...

    def send_signal(self, number: int) -> None: ...

    def kill(self) -> None: ...


class Start(Protocol):
    """Starts a process on some descriptors."""

    def __call__(
        self,
        line: Sequence[str],
        environment: Mapping[str, str],
        streams: Descriptors,
        *,
        new_session: bool = False,
    ) -> Process: ...


def cold(
    line: Sequence[str],
    environment: Mapping[str, str],
    streams: Descriptors,
    *,
    new_session: bool = False,
) -> Process:
    """Start a program as a shell does."""
    stdin, stdout, stderr = streams
    return subprocess.Popen(
        line,
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=new_session,
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run_piped(
    line: Sequence[str],
    environment: Mapping[str, str],
    stop: Stop | None = None,
    start: Start = cold,
) -> Ended:
    """Run a command between pipes, without input; SIGTERM when `stop` says so."""
    mine, its = zip(*(os.pipe() for _ in range(2)), strict=True)
    nothing = os.open(os.devnull, os.O_RDONLY)
    return _run(start, line, environment, (nothing, *its), mine, stop)


def run_on_terminal(
    line: Sequence[str],
    environment: Mapping[str, str],
    stop: Stop | None = None,
    start: Start = cold,
    columns: int = 80,
) -> Ended:
    """Run a command whose three streams are terminals, stdout apart from stderr."""
    mine, its = zip(*(pty.openpty() for _ in range(2)), strict=True)
    for descriptor in its:
        # Raw: the line ends that it writes arrive as they were written.
        tty.setraw(descriptor)
        size = struct.pack("HHHH", LINES_SHOWN, columns, 0, 0)
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)
    return _run(start, line, environment, (its[0], *its), mine, stop, new_session=True)


def _run(
    start: Start,
    line: Sequence[str],
    environment: Mapping[str, str],
    its: Descriptors,
    mine: tuple[int, int],
    stop: Stop | None,
    *,
    new_session: bool = False,
) -> Ended:
    try:
        try:
            process = start(line, environment, its, new_session=new_session)
        finally:
            for descriptor in {*its}:
                os.close(descriptor)
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


def _ended(process: Process, stdout: int, stderr: int, stop: Stop | None) -> Ended:
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
    assert process.returncode is not None
    return Ended(process.returncode, *written)


def _wait_for(stop: Stop, readers: Sequence[Reader], process: Process) -> None:
    end = time.monotonic() + BOUND_S
    while process.poll() is None and time.monotonic() < end:
        if stop(b"".join(bytes(reader.content) for reader in readers)):
            return
        time.sleep(0.05)
