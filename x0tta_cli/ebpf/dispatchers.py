"""Dispatchers: one program that calls several others, as libxdp and bpfman attach them.

libxdp pins the parts in FILESYSTEM/xdp/dispatch-INDEX-PROGRAM/progN-prog (protocol.org of
xdp-tools; LIBXDP_BPFFS overrides the file system), bpfman in
/run/bpfman/fs/xdp/dispatcher_INDEX_REVISION.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from x0tta_cli.ebpf import syscalls
from x0tta_cli.ebpf.model import Interface, Part

NAME = "xdp_dispatcher"
BPFMAN_FOLDER = Path("/run/bpfman/fs/xdp")


def parts(filesystem: Path, interface: Interface, program_id: int, name: str) -> tuple[Part, ...]:
    """List the programs that a dispatcher calls; none where the program is no dispatcher."""
    if name != NAME:
        return ()
    found = []
    for path in _pins(filesystem, interface, program_id):
        with suppress(OSError):
            descriptor = syscalls.open_pin(str(path))
            try:
                information = syscalls.program_info(descriptor)
            finally:
                os.close(descriptor)
            found.append(Part(information.name, information.id, str(path)))
    return tuple(found)


def command_to_join(interface: str, program: str) -> str:
    """Name the command that adds a program to the dispatcher on an interface."""
    if BPFMAN_FOLDER.is_dir():
        return f"bpfman load file --path {program} --programs xdp:NAME attach xdp -i {interface}"
    return f"xdp-loader load {interface} {program}"


def _pins(filesystem: Path, interface: Interface, program_id: int) -> list[Path]:
    root = Path(os.environ.get("LIBXDP_BPFFS", str(filesystem)))
    libxdp = root / "xdp" / f"dispatch-{interface.index}-{program_id}"
    found = sorted(libxdp.glob("prog*-prog"))
    if not found:
        found = sorted(BPFMAN_FOLDER.glob(f"dispatcher_{interface.index}_*/link_*"))
    return found
