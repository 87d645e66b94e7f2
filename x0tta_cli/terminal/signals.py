"""Signals and deadlines as exceptions in the main thread, so that `with` and `finally` clean up.

They derive from KeyboardInterrupt: libraries let that one pass where they catch Exception.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

TERMINATING = (signal.SIGTERM, signal.SIGHUP)
REDELIVERY_S = 0.02


class TerminationRequested(KeyboardInterrupt):
    """SIGTERM arrived, or SIGHUP: the terminal has gone."""


class DeadlinePassed(KeyboardInterrupt):
    """The time that --timeout gave is over."""


_taken: list[signal.Signals] = []
_arrived: list[type[KeyboardInterrupt]] = []


def install() -> None:
    """Turn the signals that end a process into exceptions; those ignored by `nohup` stay so."""
    for number in (signal.SIGINT, *TERMINATING):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
            _taken.append(number)
    sys.unraisablehook = _deliver_again


def disarm() -> None:
    """Let nothing interrupt the report of how a command ended."""
    for number in (*_taken, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def release() -> None:
    """Let the next signal simply end the process: there is nothing left to clean up."""
    for number in _taken:
        signal.signal(number, signal.SIG_DFL)


def arrived() -> type[KeyboardInterrupt] | None:
    """Tell what arrived first, also where a library caught it and went on."""
    return _arrived[0] if _arrived else None


def raise_arrived() -> None:
    """Raise what a library has swallowed: a command that was told to end must not end well."""
    if _arrived:
        raise _arrived[0]


@contextmanager
def deadline(timeout_s: float | None) -> Iterator[None]:
    """Raise DeadlinePassed in the main thread when the time is over; None is no limit."""
    if timeout_s is None:
        yield
        return
    signal.signal(signal.SIGALRM, _on_signal)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _on_signal(number: int, _frame: FrameType | None) -> None:
    if number in TERMINATING:
        _arrived.append(TerminationRequested)
    elif number == signal.SIGINT:
        _arrived.append(KeyboardInterrupt)
    elif not _arrived:
        _arrived.append(DeadlinePassed)
    raise _arrived[-1]


def _deliver_again(unraisable: Any) -> None:
    """Raise once more what arrived in a destructor or weakref callback, where Python drops it.

    Importing a large package runs many of those. The alarm lets the callback return first.
    """
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        signal.signal(signal.SIGALRM, _on_signal)
        signal.setitimer(signal.ITIMER_REAL, REDELIVERY_S)
    else:
        sys.__unraisablehook__(unraisable)
