"""Network namespaces by setns(2), which leaves the mounts, and so the BPF file system, as they are.

`ip netns exec` does not: it mounts a new /sys, under which every pin vanishes.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from x0tta_cli.core.errors import NotFoundError, NotPermittedError, OperatorError

CLONE_NEWNET = 0x40000000
FOLDER = Path("/run/netns")
OWN = Path("/proc/thread-self/ns/net")


@contextmanager
def entered(name: str | None) -> Iterator[None]:
    """Run the block in the namespace `name`, or in the own one where None.

    A name of `ip netns`, or a path such as /proc/PID/ns/net. Raises NotFoundError
    `ebpf.no_such_netns` and NotPermittedError `ebpf.not_permitted`.
    """
    if name is None:
        yield
        return
    own = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(name)
        try:
            yield
        finally:
            _setns(own)
    finally:
        os.close(own)


def names() -> list[str]:
    """List the namespaces that `ip netns` knows."""
    try:
        return sorted(path.name for path in FOLDER.iterdir())
    except OSError:
        return []


def identity(name: str | None = None) -> int:
    """Give the inode number by which the kernel tells namespaces apart."""
    return path_of(name).stat().st_ino


def path_of(name: str | None) -> Path:
    """Tell where the file of a namespace is."""
    if name is None:
        return OWN
    return Path(name) if "/" in name else FOLDER / name


def _enter(name: str) -> None:
    path = path_of(name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(name, path, error) from error
    try:
        _setns(descriptor)
    except OSError as error:
        raise _refused(name, path, error) from error
    finally:
        os.close(descriptor)


def _setns(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _refused(name: str, path: Path, error: OSError) -> OperatorError:
    context = {"netns": name, "file": str(path)}
    if error.errno in {errno.EPERM, errno.EACCES}:
        return NotPermittedError(
            "ebpf.not_permitted",
            f"The network namespace '{name}' may not be entered.",
            reason="Entering one needs CAP_SYS_ADMIN.",
            fix="Run x0tta as root.",
            context=context,
        )
    known = ", ".join(names()) or "none"
    return NotFoundError(
        "ebpf.no_such_netns",
        f"There is no network namespace '{name}'.",
        reason=f"{path}: {error.strerror}. ip netns list knows {known}.",
        fix="Name one of them, or give a path such as /proc/PID/ns/net.",
        context=context,
    )
