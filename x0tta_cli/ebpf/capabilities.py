"""The capabilities that attaching needs, and the word for one that is missing."""

from __future__ import annotations

import os
from pathlib import Path

from x0tta_cli.core.errors import NotPermittedError

# Number (include/uapi/linux/capability.h) and what each is needed for. Known here and not from the
# checks of `x0tta doctor`, which attaching would have to import.
_KNOWN = {
    "CAP_BPF": (39, "to load programs and create maps"),
    "CAP_NET_ADMIN": (12, "to attach to a network interface"),
    "CAP_PERFMON": (38, "to load programs that compute with packet pointers"),
    "CAP_SYS_ADMIN": (21, "to see programs and links by their ids"),
    "CAP_NET_RAW": (13, "to ask hosts whether they still answer"),
}
ATTACHING = ("CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON", "CAP_SYS_ADMIN")
# CAP_SYS_ADMIN stands in for what was split off it in Linux 5.8.
_SPLIT_OFF = frozenset({"CAP_BPF", "CAP_PERFMON"})
# For BPF the kernel takes the capabilities of the first user namespace alone, not those that root
# of another has there. Its inode number never differs: PROC_USER_INIT_INO of linux/proc_ns.h.
_FIRST_ALONE = frozenset({"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"})
_FIRST_USER_NAMESPACE = 0xEFFFFFFD


def missing(names: tuple[str, ...] = ATTACHING) -> tuple[str, ...]:
    """Name those of the capabilities that this process lacks."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [held] = [int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")]
    void = _FIRST_ALONE if _is_in_user_namespace() else frozenset()
    has = {
        name: bool(held >> number & 1) and name not in void for name, (number, _) in _KNOWN.items()
    }
    return tuple(
        name
        for name in names
        if not has[name] and not (name in _SPLIT_OFF and has["CAP_SYS_ADMIN"])
    )


def require(*names: str) -> None:
    """Make sure of capabilities; NotPermittedError `ebpf.not_permitted` names those missing."""
    absent = missing(names)
    if absent:
        raise lacking(absent)


def lacking(names: tuple[str, ...]) -> NotPermittedError:
    """Word which capabilities are missing, and what for."""
    *first, last = names
    listed = f"capabilities {', '.join(first)} and {last}" if first else f"capability {last}"
    needed = "; ".join(f"{name} is needed {_KNOWN[name][1]}" for name in names)
    container = " ".join(f"--cap-add={name.removeprefix('CAP_')}" for name in names)
    if _is_in_user_namespace():
        needed += "; for BPF, what a user namespace has of its own does not count"
        fix = "Run x0tta as root outside of the user namespace, as a rootless container is one."
    elif os.geteuid() != 0:
        fix = "Run x0tta as root."
    else:
        fix = f"Root has been left without: start this container with {container}."
    return NotPermittedError(
        "ebpf.not_permitted",
        f"This process lacks the {listed}.",
        reason=f"{needed}.",
        fix=fix,
        context={"capabilities": list(names)},
    )


def _is_in_user_namespace() -> bool:
    try:
        return Path("/proc/self/ns/user").stat().st_ino != _FIRST_USER_NAMESPACE
    except FileNotFoundError:
        # A kernel without user namespaces.
        return False
