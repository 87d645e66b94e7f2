"""Locks between the x0tta processes of one machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from x0tta_cli.core import state
from x0tta_cli.core.errors import ConflictError


@contextmanager
def hold(name: str, timeout_s: float = 0) -> Iterator[None]:
    """Hold the lock `name` for the block; the kernel frees it when the process dies.

    Waits up to `timeout_s` for another to let go. Raises ConflictError `locks.held`, and what
    `state.ensure` raises.
    """
    from filelock import FileLock, Timeout

    folder = state.ensure() / "locks"
    path = folder / f"{quote(name, safe='')}.lock"
    with state.writing_errors(path):
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(path, mode=0o600)
        try:
            lock.acquire(timeout=timeout_s)
        except Timeout:
            raise _held(name, path) from None
    try:
        yield
    finally:
        lock.release()


def holder(path: Path) -> int | None:
    """Name the process that holds a lock file, from the kernel's own list (proc_locks(5))."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        # 1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF; one that waits has `->` after `1:`.
        fields = line.split()
        if fields[1] != "->" and fields[5].rpartition(":")[2] == str(inode):
            return int(fields[4]) if int(fields[4]) > 0 else None
    return None


def _held(name: str, path: Path) -> ConflictError:
    pid = holder(path)
    return ConflictError(
        "locks.held",
        f"Another x0tta works on {name}.",
        reason=f"Process {pid} holds the lock {path}." if pid else f"The lock {path} is held.",
        fix=f"Wait for it to end; ps {pid} shows what it is." if pid else "Wait for it to end.",
        retryable=True,
        context={"lock": name, "pid": pid},
    )
