"""Long-running commands: they tell systemd how they are, drain on SIGTERM, reload on SIGHUP.

    with service.running(on_reload=reload) as this:
        this.ready("renewing 3 alerts")
        while this.wait(30):
            renew()

Sources: sd_notify(3), sd_watchdog_enabled(3), daemon(7), systemd.service(5).
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType

from x0tta_cli.core.errors import OperatorError, Terminated
from x0tta_cli.core.secrets import redact

log = logging.getLogger(__name__)


class Service:
    """The process as its manager sees it. `wait` belongs to the main thread, `wake` to any."""

    def __init__(self, environ: Mapping[str, str], on_reload: Callable[[], None] | None) -> None:
        self._notify_address = environ.get("NOTIFY_SOCKET", "")
        self._ping_interval_s = _ping_interval_s(environ)
        self._on_reload = on_reload
        self._is_stopping = False
        self._has_to_reload = False
        # A pipe and not an Event: a signal handler may come while the main thread holds its lock.
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def stopping(self) -> bool:
        """Whether SIGTERM has come: finish what is begun, and begin nothing."""
        return self._is_stopping

    def ready(self, status: str = "") -> None:
        """Say that the start is over, and what the service does now."""
        self._notify("READY=1", *_status_lines(status))

    def status(self, text: str) -> None:
        """Say in one line what the service does; `systemctl status` shows it."""
        self._notify(*_status_lines(text))

    def wait(self, seconds: float) -> bool:
        """Sleep up to that long; False as soon as the service has to stop.

        Keeps the watchdog quiet meanwhile. A SIGHUP calls `on_reload` here and ends the wait, so
        that what was read anew is used at once; where that raises an OperatorError, the error is
        logged and the service goes on as it was. `wake` ends the wait as well.
        """
        end_s = time.monotonic() + seconds
        is_over = False
        while not (is_over or self._is_stopping or self._has_to_reload):
            remaining_s = max(0.0, end_s - time.monotonic())
            is_over = self._sleep(min(remaining_s, self._ping_interval_s)) or remaining_s == 0
        if self._has_to_reload and not self._is_stopping:
            self._reload()
        return not self._is_stopping

    def wake(self) -> None:
        """End the present wait, or the next one, before its time."""
        # A full pipe wakes as well as a fuller one.
        with suppress(BlockingIOError):
            os.write(self._write_end, b"\0")

    def stop(self) -> None:
        """Do as if SIGTERM had come."""
        self._is_stopping = True
        self._notify("STOPPING=1")
        self.wake()

    def reload_soon(self) -> None:
        """Do as if SIGHUP had come."""
        self._has_to_reload = True
        self.wake()

    @contextmanager
    def waking_by_signals(self) -> Iterator[None]:
        """Let a signal itself end a wait for the block, before Python comes to handle it.

        One that arrives as the wait begins, after Python last looked for signals, would else be
        handled when the wait is over.
        """
        before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)

    def close(self) -> None:
        """Say that the service ends, and let go of the pipe."""
        if not self._is_stopping:
            self._notify("STOPPING=1")
        os.close(self._read_end)
        os.close(self._write_end)

    def _sleep(self, seconds: float) -> bool:
        """Sleep without missing the watchdog; whether somebody woke the service."""
        if self._ping_interval_s != float("inf"):
            self._notify("WATCHDOG=1")
        readable, _, _ = select.select([self._read_end], [], [], seconds)
        if readable:
            os.read(self._read_end, 65_536)
        return bool(readable)

    def _reload(self) -> None:
        self._has_to_reload = False
        if self._on_reload is None:
            return
        self._notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            self._on_reload()
        except OperatorError as error:
            log.error(
                "not reloaded, going on as before: %s",
                error,
                extra={"code": error.code, "reason": error.reason, "fix": error.fix},
            )
        self._notify("READY=1")

    def _notify(self, *lines: str) -> None:
        if not self._notify_address:
            return
        # '@' stands for the zero byte with which an abstract address begins: unix(7).
        address = self._notify_address
        address = "\0" + address[1:] if address.startswith("@") else address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                # The queue of the receiver is short: one that reads nothing must not stop the
                # service, least of all in a signal handler.
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd was not told", extra={"what": lines[0], "error": str(error)})


@contextmanager
def running(on_reload: Callable[[], None] | None = None) -> Iterator[Service]:
    """Make this process a service for the block, which the main thread enters.

    SIGTERM lets the block end by itself, after which Terminated `run.terminated` (143) is raised;
    a second one ends it at once. SIGINT interrupts as elsewhere. SIGHUP reloads, and where there
    is nothing to reload it is as SIGTERM: the terminal has gone.
    """
    service = Service(os.environ, on_reload)
    on_hangup = service.stop if on_reload is None else service.reload_soon
    try:
        with (
            service.waking_by_signals(),
            _calling(signal.SIGTERM, service.stop, lambda: service.stopping),
            _calling(signal.SIGHUP, on_hangup, lambda: service.stopping and on_reload is None),
        ):
            yield service
    finally:
        service.close()
    if service.stopping:
        raise Terminated("run.terminated", "Terminated by a signal, after cleaning up.")


@contextmanager
def _calling(
    number: signal.Signals, function: Callable[[], None], is_repeated: Callable[[], bool]
) -> Iterator[None]:
    """Call a function for a signal; one that is repeated goes to whoever took it before."""
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        # As nohup wants it.
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        if is_repeated():
            signal.signal(number, before)
            signal.raise_signal(number)
        else:
            function()

    signal.signal(number, handle)
    try:
        yield
    finally:
        signal.signal(number, before)


def _status_lines(text: str) -> tuple[str, ...]:
    return (f"STATUS={redact(' '.join(text.split()))}",) if text else ()


def _ping_interval_s(environ: Mapping[str, str]) -> float:
    """Give half the time after which the manager takes the service for hung; else infinity."""
    period, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not period.isdecimal() or int(period) == 0 or (pid and pid != str(os.getpid())):
        return float("inf")
    return int(period) / 2_000_000
