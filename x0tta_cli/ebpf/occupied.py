"""The clean refusal where another program is on an interface: whose it is, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from x0tta_cli.core.errors import ConflictError
from x0tta_cli.ebpf import dispatchers, holders, syscalls
from x0tta_cli.ebpf.interfaces import find_index
from x0tta_cli.ebpf.model import Attachment, Interface, Owner

MOST_PINS = 2000


def program_in_use(
    found: Attachment, others: Sequence[Attachment], program: str, filesystem: Path
) -> ConflictError:
    """Word that an interface has a program already: name, owner, pin, and the way on."""
    if found.owner is Owner.LIBXDP:
        return dispatcher_in_use(found, program)
    where = whereabouts(found, filesystem)
    again = f"x0tta ebpf detach {found.place}"
    if found.owner is not Owner.X0TTA:
        again += f" --id {found.id}"
    return ConflictError(
        "ebpf.program_in_use",
        f"{found.interface} already has the program {described(found)}.",
        reason=f"{where} Nothing was changed.",
        fix=f"Take it off ({again}), or swap it in place: --replace {found.id}.",
        context={
            "interface": found.interface,
            "program": found.program,
            "id": found.id,
            "owner": found.owner.value,
            "link_id": found.link_id,
            "mode": found.mode.value,
            "programs": [other.id for other in others],
        },
    )


def something_in_the_way(interface: Interface, words: str) -> ConflictError:
    """Word that the kernel takes no program here though none is on the interface itself."""
    above = find_index(interface.upper_index) if interface.upper_index else None
    fix = "See what is attached: x0tta ebpf list, bpftool net show."
    if above is not None:
        fix = f"It is a part of {above.name}: attach there, or x0tta ebpf detach {above.name}."
    return ConflictError(
        "ebpf.something_in_the_way",
        f"The kernel takes no program on {interface.name} now.",
        reason=f'The kernel says "{words}". Nothing was changed.' if words else "It says not why.",
        fix=fix,
        context={"interface": interface.name, "part_of": above.name if above else None},
    )


def dispatcher_in_use(found: Attachment, program: str) -> ConflictError:
    """Word that a dispatcher can't be replaced: all programs that it calls would go with it."""
    names = ", ".join(part.program for part in found.parts) or "others"
    return ConflictError(
        "ebpf.dispatcher",
        f"{found.interface} has a dispatcher (id {found.id}), which calls {names}.",
        reason="To replace or remove it would drop all of its programs unseen.",
        fix="Add the program to it with the tool whose it is: "
        f"{dispatchers.command_to_join(found.interface, program)}",
        context={
            "interface": found.interface,
            "id": found.id,
            "parts": [part.program for part in found.parts],
        },
    )


def described(found: Attachment) -> str:
    """Name a program with its id, mode and owner."""
    if not found.is_told:
        return f"{found.id} ({found.mode}; whose it is, is not told here)"
    name = f"'{found.program}'" if found.program else "without a name"
    return f"{name} (id {found.id}, {found.mode}, owner {found.owner})"


def whereabouts(found: Attachment, filesystem: Path) -> str:
    """Say what holds an attachment: link or netlink, its pins, the processes that have it open."""
    if found.attachment is None:
        return "What holds it, the kernel tells to CAP_SYS_ADMIN alone."
    held = f"Link {found.link_id} holds it" if found.link_id else "Netlink holds it"
    pinned = [str(path) for path in pins_of(found, filesystem)]
    processes = holders.holders_of(link_id=found.link_id, program_id=found.id)
    return (
        held
        + (f", pinned at {', '.join(pinned)}" if pinned else "")
        + (f", held open by {', '.join(processes)}" if processes else "")
        + "."
    )


def pins_of(found: Attachment, filesystem: Path) -> Iterator[Path]:
    """Find where anybody has pinned an attachment's link or program."""
    seen = 0
    for folder, _, names in os.walk(filesystem):
        for name in sorted(names):
            seen += 1
            if seen > MOST_PINS:
                return
            path = Path(folder) / name
            with suppress(OSError):
                if _is_of(path, found):
                    yield path


def _is_of(path: Path, found: Attachment) -> bool:
    descriptor = syscalls.open_pin(str(path))
    try:
        kind = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if kind.startswith("anon_inode:bpf") and kind.endswith("link"):
            return syscalls.link_info(descriptor).id == found.link_id
        if kind == "anon_inode:bpf-prog":
            return syscalls.program_info(descriptor).id == found.id
        return False
    finally:
        os.close(descriptor)
