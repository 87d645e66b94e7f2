"""One process at a time works on a lane: two would tell the same twice, and out of order."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from x0tta_cli.alert.outbox import lock_files
from x0tta_cli.alert.outbox.lineup import Lane

POLL_S = 0.05


@contextmanager
def working_on(lane: Lane, timeout_s: float) -> Iterator[bool]:
    """Hold a lane for the block; False where another holds it until the time is over.

    Raises what `state.ensure` raises.
    """
    peer = sha256(lane.peer.encode()).hexdigest()[:16]
    descriptor = lock_files.open_file(f"alert-{lane.channel}-{peer}.lock")
    try:
        yield _is_taken(descriptor, time.monotonic() + timeout_s)
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        else:
            return True
