"""Files whose lock tells that a process is at work: the kernel ends it with the process.

A flock(2) is seen by whoever sees the file, in another container too, and other than the number of
a process it is never given to somebody else. The same as `core.locks` takes, without filelock,
whose import (it brings asyncio along) takes longer than an alert.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from x0tta_cli.core import state


def path_of(name: str) -> Path:
    """Tell where the file of this name stands."""
    return state.folder() / "locks" / name


def open_file(name: str) -> int:
    """Open the file, making it where it is missing, as a descriptor that no child inherits.

    Raises what `state.ensure` raises.
    """
    folder = state.ensure() / "locks"
    with state.writing_errors(folder / name):
        folder.mkdir(mode=0o700, exist_ok=True)
        return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def is_held(name: str) -> bool:
    """Whether a process holds the file's lock; raises as `open_file`."""
    path = path_of(name)
    with state.writing_errors(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
    try:
        # Shared, so that two who ask at once do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
