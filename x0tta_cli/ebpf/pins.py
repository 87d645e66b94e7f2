"""What of ours is pinned in the BPF file system, and so outlives every process.

    FILESYSTEM/x0tta/
    ├── link-INTERFACE-INDEX-NETNS-LABEL      a lasting attachment
    ├── program-INTERFACE-INDEX-NETNS-LABEL   the same where netlink holds the program
    └── parts-OPERATION/                      programs that a prog array calls, and in
        └── named_NAME                        the map that is pinned at FILESYSTEM/NAME too

A path says whose it is; whether it is still attached, the kernel says.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from x0tta_cli.core.errors import NotPermittedError, OperatorError, UnsupportedError
from x0tta_cli.ebpf import syscalls
from x0tta_cli.ebpf.labels import Label, parse_label, quoted

DEFAULT_FILESYSTEM = Path("/sys/fs/bpf")
FOLDER = "x0tta"
LINK, PROGRAM = "link", "program"
NAMED = "named_"


class Place(NamedTuple):
    """The interface that a pin is about; `netns` is the inode number of its namespace."""

    interface: str
    interface_index: int
    netns: int


class Pin(NamedTuple):
    """One pinned attachment of ours: a link, or a program that netlink holds."""

    path: Path
    kind: str
    place: Place
    label: Label


def folder(filesystem: Path) -> Path:
    """Tell where our pins are, whether there are any or not."""
    return filesystem / FOLDER


def parts_folder(filesystem: Path, operation: str) -> Path:
    """Tell where the programs of an operation's prog arrays are pinned."""
    return folder(filesystem) / f"parts-{operation}"


def require_filesystem(filesystem: Path) -> None:
    """Make sure that something can be pinned.

    Raises UnsupportedError `ebpf.no_bpf_filesystem` and NotPermittedError `ebpf.pin_refused`.
    """
    if not is_mounted(filesystem):
        raise no_filesystem(filesystem)
    if not os.access(filesystem, os.W_OK | os.X_OK, effective_ids=True):
        raise _refused(folder(filesystem), PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def is_mounted(filesystem: Path) -> bool:
    """Whether a BPF file system is mounted there, in the caller's mount namespace."""
    return _mounts().get(str(filesystem)) == "bpf"


def likely_filesystem() -> Path:
    """Find the BPF file system that has pins of ours; the usual place where none has."""
    mounted = [Path(place) for place, kind in _mounts().items() if kind == "bpf"]
    return next((one for one in mounted if folder(one).is_dir()), DEFAULT_FILESYSTEM)


def pin(filesystem: Path, kind: str, descriptor: int, place: Place, label: Label) -> Path:
    """Pin a link or program under its label, and give the path.

    Raises NotPermittedError `ebpf.pin_refused` and UnsupportedError `ebpf.no_bpf_filesystem`.
    """
    above = folder(filesystem)
    name = f"{kind}-{quoted(place.interface)}-{place.interface_index}-{place.netns}-{label}"
    try:
        above.mkdir(mode=0o700, exist_ok=True)
        syscalls.pin(descriptor, str(above / name))
    except OSError as error:
        if not is_mounted(filesystem):
            raise no_filesystem(filesystem) from error
        raise _refused(above / name, error) from error
    return above / name


def list_pins(filesystem: Path) -> list[Pin]:
    """List our pinned attachments; what is not named by us is passed over.

    Raises NotPermittedError `ebpf.pin_refused` where the folder may not be read.
    """
    above = folder(filesystem)
    try:
        paths = sorted(above.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _refused(above, error) from error
    return [found for path in paths if (found := _parse(path)) is not None]


def operations_with_parts(filesystem: Path) -> Iterator[tuple[str, Path]]:
    """Go through the operations that have pinned parts."""
    for path in sorted(folder(filesystem).glob("parts-*")):
        yield path.name.removeprefix("parts-"), path


def remove(path: Path) -> None:
    """Remove a pin, and our folder with the last one; nothing where it is gone already.

    Raises NotPermittedError `ebpf.pin_refused`.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _refused(path, error) from error
    with suppress(OSError):
        path.parent.rmdir()


def pin_parts(
    filesystem: Path, operation: str, parts: Mapping[str, int], named: Mapping[str, int]
) -> None:
    """Pin what belongs to an operation's program, and the maps that its object pins by name.

    A named map is pinned where the object's other users look for it. It is ours, and goes with the
    last program of ours that has it, unless it was there before. Raises NotPermittedError
    `ebpf.pin_refused`.
    """
    above = parts_folder(filesystem, operation)
    path = above
    try:
        above.parent.mkdir(mode=0o700, exist_ok=True)
        above.mkdir(mode=0o700, exist_ok=True)
        for name, descriptor in parts.items():
            path = above / name
            syscalls.pin(descriptor, str(path))
        for name, descriptor in named.items():
            path, is_new = filesystem / name, not _is_map(filesystem / name, descriptor)
            if is_new or _marks(filesystem, name):
                syscalls.pin(descriptor, str(above / f"{NAMED}{name}"))
            if is_new:
                syscalls.pin(descriptor, str(path))
    except OSError as error:
        raise _refused(path, error) from error


def remove_parts(filesystem: Path, operation: str) -> bool:
    """Remove the pinned parts of an operation; whether there were any.

    Raises NotPermittedError `ebpf.pin_refused`.
    """
    parts = parts_folder(filesystem, operation)
    if not parts.is_dir():
        return False
    try:
        for path in parts.iterdir():
            if path.name.startswith(NAMED):
                _remove_named(filesystem, path)
            path.unlink(missing_ok=True)
        parts.rmdir()
    except OSError as error:
        raise _refused(parts, error) from error
    with suppress(OSError):
        parts.parent.rmdir()
    return True


def _remove_named(filesystem: Path, mark: Path) -> None:
    """Remove a map from where its object wants it, unless another program of ours has it."""
    name = mark.name.removeprefix(NAMED)
    if len(_marks(filesystem, name)) > 1:
        return
    descriptor = syscalls.open_pin(str(mark))
    try:
        if _is_map(filesystem / name, descriptor):
            (filesystem / name).unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _marks(filesystem: Path, name: str) -> list[Path]:
    """Find the operations whose programs have a map that is pinned by name, and is ours."""
    return list(folder(filesystem).glob(f"parts-*/{NAMED}{name}"))


def _is_map(path: Path, descriptor: int) -> bool:
    """Whether this very map is pinned at a path."""
    try:
        there = syscalls.open_pin(str(path))
    except FileNotFoundError:
        return False
    try:
        return syscalls.map_info(there).id == syscalls.map_info(descriptor).id
    finally:
        os.close(there)


def no_filesystem(filesystem: Path) -> UnsupportedError:
    """Word that there is no BPF file system to pin in."""
    return UnsupportedError(
        "ebpf.no_bpf_filesystem",
        f"No BPF file system is mounted at {filesystem}.",
        reason="A program that outlives the command is pinned there. Inside `ip netns exec` the "
        "mounted one is hidden by a new /sys.",
        fix=f"sudo mount -t bpf bpf {filesystem}; for a network namespace use --netns NAME instead "
        "of ip netns exec. With --for, nothing is pinned.",
        context={"file": str(filesystem)},
    )


def _mounts() -> dict[str, str]:
    """Read what is mounted where: of several at one place, the one that covers the others."""
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:  # noqa: PTH123
        lines = [line.split() for line in mounts]
    # The kernel writes a space in a path as \040.
    return {fields[1].replace("\\040", " "): fields[2] for fields in lines}


def _parse(path: Path) -> Pin | None:
    kind, *fields = path.name.split("-", 4)
    if kind not in {LINK, PROGRAM} or len(fields) != 4:
        return None
    interface, index, netns, rest = fields
    label = parse_label(rest)
    if label is None or not (index.isdecimal() and netns.isdecimal()):
        return None
    return Pin(path, kind, Place(unquote(interface), int(index), int(netns)), label)


def _refused(path: Path, error: OSError) -> OperatorError:
    return NotPermittedError(
        "ebpf.pin_refused",
        f"The BPF file system refuses {path}.",
        reason=f"{error.strerror}.",
        fix=f"Run x0tta as root, or see ls -ld {path.parent}.",
        context={"file": str(path)},
    )
