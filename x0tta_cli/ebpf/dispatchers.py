"""Dispatchers: one program that calls several others, as libxdp and bpfman attach them.

libxdp pins the parts in FILESYSTEM/xdp/dispatch-INDEX-PROGRAM/progN-prog (protocol.org of
xdp-tools; LIBXDP_BPFFS overrides the file system). bpfman pins their links, in
/run/bpfman/fs/xdp/dispatcher_NETNS_INDEX_REVISION/link_ID, where NETNS is an inode number (utils.rs
of bpfman; before version 0.6 without it).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from x0tta_cli.ebpf import namespaces, syscalls
from x0tta_cli.ebpf.model import Interface, Part

NAME = "xdp_dispatcher"
BPFMAN_FOLDER = Path("/run/bpfman/fs/xdp")


def parts(filesystem: Path, interface: Interface, program_id: int, name: str) -> tuple[Part, ...]:
    """List the programs that a dispatcher calls; none where the program is no dispatcher."""
    if name != NAME:
        return ()
    found = []
    for path in _pins_of_libxdp(filesystem, interface, program_id):
        with suppress(OSError):
            found.append(_part(syscalls.open_pin(str(path)), path))
    for path in [] if found else _links_of_bpfman(interface):
        with suppress(OSError):
            found.append(_part(_program_of_link(path), path))
    return tuple(found)


def command_to_join(interface: str, program: str) -> str:
    """Name the command that adds a program to the dispatcher on an interface."""
    if BPFMAN_FOLDER.is_dir():
        load = f"bpfman load file --path {program} --programs xdp:NAME"
        return f"{load}, then bpfman attach ID xdp --iface {interface} --priority 50"
    return f"xdp-loader load {interface} {program}"


def _pins_of_libxdp(filesystem: Path, interface: Interface, program_id: int) -> list[Path]:
    root = Path(os.environ.get("LIBXDP_BPFFS", str(filesystem)))
    return sorted((root / "xdp" / f"dispatch-{interface.index}-{program_id}").glob("prog*-prog"))


def _links_of_bpfman(interface: Interface) -> Iterator[Path]:
    for place in (f"{namespaces.identity()}_{interface.index}", f"{interface.index}"):
        yield from sorted(BPFMAN_FOLDER.glob(f"dispatcher_{place}_[0-9]*/link_*"))


def _program_of_link(path: Path) -> int:
    descriptor = syscalls.open_pin(str(path))
    try:
        return syscalls.open_program(syscalls.link_info(descriptor).program_id)
    finally:
        os.close(descriptor)


def _part(descriptor: int, path: Path) -> Part:
    try:
        information = syscalls.program_info(descriptor)
    finally:
        os.close(descriptor)
    return Part(information.name, information.id, str(path))
