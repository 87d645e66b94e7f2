"""Runs a command as if nothing stood between: output, input, signals and status pass through.

What it writes is kept too, the end of it. Its output is a pipe, whatever ours is.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import FrameType
from typing import IO, cast

KEPT_BYTES = 100_000
# How long a command that has to end gets to do so by itself.
GRACE_S = 10.0
CHUNK = 65_536
# As shells and timeout(1) have them.
TIMED_OUT, NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 124, 126, 127, 128

_PASSED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})


class Ending(StrEnum):
    """How a command ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    KILLED = "killed"
    TIMED_OUT = "timed_out"
    NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended; `status` as a shell has it, `tail` the end of its output."""

    ending: Ending
    status: int
    started_at: datetime
    duration_s: float
    output_bytes: int = 0
    tail: bytes = b""
    reason: str = ""


def run(
    command: Sequence[str],
    at_most_s: float | None = None,
    *,
    stdout: int = 1,
    stderr: int = 2,
    grace_s: float = GRACE_S,
) -> Ended:
    """Run a command to its end, its output written to these descriptors as it comes.

    After `at_most_s` seconds it gets SIGTERM, and SIGKILL `grace_s` later. Signals that come to
    this process go to it. For the main thread.
    """
    started_at, began = datetime.now(UTC), time.monotonic()
    # On a terminal it stays in our group: Ctrl-C reaches it, and it may read. Elsewhere it gets
    # one of its own, so that its children can be ended with it.
    is_shared = _is_in_foreground()
    with _passing_signals(is_shared=is_shared) as target:
        try:
            process = subprocess.Popen(
                list(command),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                process_group=None if is_shared else 0,
            )
        except OSError as error:
            status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            took_s, reason = time.monotonic() - began, f"{command[0]}: {error.strerror}"
            return Ended(Ending.NOT_STARTED, status, started_at, took_s, reason=reason)
        with process, target.aimed(process):
            passing = _Passing(process, stdout, stderr, is_alone=not is_shared)
            try:
                was_ended = passing.until(None if at_most_s is None else began + at_most_s)
            except KeyboardInterrupt:
                # Signals are passed on: what arrives here is the time-out of the whole command.
                was_ended = True
            if was_ended:
                passing.end(grace_s)
    return _ended(process.returncode, was_ended, started_at, time.monotonic() - began, passing)


def _ended(
    code: int, was_ended: bool, started_at: datetime, duration_s: float, passing: _Passing
) -> Ended:
    kept = bytes(passing.tail[-KEPT_BYTES:])
    if was_ended:
        ending, status = Ending.TIMED_OUT, TIMED_OUT
    elif code < 0:
        ending, status = Ending.KILLED, BY_SIGNAL - code
    else:
        ending, status = (Ending.FAILED if code else Ending.SUCCEEDED), code
    reason = signal.Signals(-code).name if ending is Ending.KILLED else ""
    return Ended(ending, status, started_at, duration_s, passing.count, kept, reason)


class _Passing:
    """The output of one process on its way."""

    def __init__(
        self, process: subprocess.Popen[bytes], stdout: int, stderr: int, *, is_alone: bool
    ) -> None:
        self.tail, self.count = bytearray(), 0
        self._process, self._is_alone = process, is_alone
        self._selector = selectors.DefaultSelector()
        self._pidfd = os.pidfd_open(process.pid)
        self._selector.register(self._pidfd, selectors.EVENT_READ)
        for stream, goal in ((process.stdout, stdout), (process.stderr, stderr)):
            assert stream is not None  # noqa: S101 - both are pipes
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, goal)

    def until(self, deadline: float | None) -> bool:
        """Pass on until the process has ended; true where it has not, and the time is over."""
        while True:
            left_s = None if deadline is None else deadline - time.monotonic()
            if left_s is not None and left_s <= 0:
                return True
            ready = [key for key, _ in self._selector.select(left_s)]
            has_ended = any(key.fd == self._pidfd for key in ready)
            # All that it wrote is in the pipes by now. A daemon of its own may keep them open:
            # their end is not waited for.
            for key in list(self._selector.get_map().values()) if has_ended else ready:
                while key.fd != self._pidfd and self._pass(key) and has_ended:
                    pass
            if has_ended:
                self._close()
                return False

    def end(self, grace_s: float) -> None:
        """Let the process end, and then end it."""
        self._signal(signal.SIGTERM)
        if self.until(time.monotonic() + grace_s):
            self._signal(signal.SIGKILL)
            self.until(None)

    def _signal(self, number: signal.Signals) -> None:
        # It is not waited for yet, so that its number is still its own.
        with suppress(ProcessLookupError):
            if self._is_alone:
                os.killpg(self._process.pid, number)
            else:
                os.kill(self._process.pid, number)

    def _pass(self, key: selectors.SelectorKey) -> bool:
        """Pass on what one pipe holds; false where there is nothing, or nothing any more."""
        try:
            data = os.read(key.fd, CHUNK)
        except BlockingIOError:
            return False
        self.tail += data
        self.count += len(data)
        if len(self.tail) > 2 * KEPT_BYTES:
            del self.tail[:-KEPT_BYTES]
        if data and _write(key.data, data):
            return True
        # Where nobody reads us, the command gets to know it as without us.
        self._selector.unregister(key.fileobj)
        cast("IO[bytes]", key.fileobj).close()
        return False

    def _close(self) -> None:
        self._process.wait()
        self._selector.close()
        os.close(self._pidfd)


def _write(goal: int, data: bytes) -> bool:
    """Write all of it; false where nobody reads."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(goal, view) :]
        except BlockingIOError:
            _wait_for(goal)
        except OSError:
            return False
    return True


def _wait_for(goal: int) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(goal, selectors.EVENT_WRITE)
        selector.select()


@dataclass(slots=True)
class _Target:
    """The process that signals go to; those that came before it was there follow."""

    is_shared: bool
    process: subprocess.Popen[bytes] | None = None
    waiting: list[int] = field(default_factory=list)

    @contextmanager
    def aimed(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        self.process = process
        for number in self.waiting:
            process.send_signal(number)
        yield

    def take(self, number: int, _frame: FrameType | None) -> None:
        if self.process is None:
            self.waiting.append(number)
        elif not (self.is_shared and number in _FROM_TERMINAL):
            # It asks first whether the process is still there.
            self.process.send_signal(number)


@contextmanager
def _passing_signals(*, is_shared: bool) -> Iterator[_Target]:
    target = _Target(is_shared)
    before = {number: signal.getsignal(number) for number in _PASSED_ON}
    # What is ignored, as nohup wants it, the command ignores too.
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, target.take)
    try:
        yield target
    finally:
        for number in taken:
            signal.signal(number, before[number])


def _is_in_foreground() -> bool:
    """Whether a terminal sends its Ctrl-C to us, and so to the command as well."""
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False
