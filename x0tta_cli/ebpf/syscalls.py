"""bpf(2) as it is: links, programs and maps by descriptor and by id, without any library.

So that what is attached can be seen and taken off where libbpf is missing or broken. Layouts:
include/uapi/linux/bpf.h, `union bpf_attr`, `struct bpf_{link,prog,map}_info`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

MAP_CREATE, PROG_LOAD, OBJ_PIN, OBJ_GET = 0, 5, 6, 7
PROG_GET_NEXT_ID, MAP_GET_NEXT_ID, PROG_GET_FD_BY_ID, MAP_GET_FD_BY_ID = 11, 12, 13, 14
OBJ_GET_INFO_BY_FD = 15
LINK_CREATE, LINK_UPDATE, LINK_GET_FD_BY_ID, LINK_GET_NEXT_ID = 28, 29, 30, 31
ENABLE_STATS, LINK_DETACH = 32, 34

PROG_TYPE_XDP, LINK_TYPE_XDP, ATTACH_TYPE_XDP = 6, 6, 37
F_REPLACE = 1 << 2
STATS_RUN_TIME = 0
PER_CPU_MAP_TYPES = frozenset({5, 6, 10, 21})  # hash, array, LRU hash, cgroup storage
ATTR_BYTES, INFO_BYTES = 128, 232

# arch/*/entry/syscalls: the number of bpf(2).
_NUMBERS = {"x86_64": 321, "ppc64le": 361, "s390x": 351, "i686": 357, "armv7l": 386}
_GENERIC_NUMBER = 280


class LinkInfo(NamedTuple):
    """A bpf_link; `interface_index` is 0 once it is detached or the interface is gone."""

    id: int
    type: int
    program_id: int
    interface_index: int


class ProgramInfo(NamedTuple):
    """A loaded program; `tag` are the 16 hexadecimal digits over its instructions.

    `runs` and `run_time_ns` stand still while nobody has the kernel measure (Linux 5.1).
    """

    id: int
    type: int
    name: str
    tag: str
    map_ids: tuple[int, ...]
    runs: int
    run_time_ns: int


class MapInfo(NamedTuple):
    """A map; sizes in bytes."""

    id: int
    type: int
    name: str
    key_bytes: int
    value_bytes: int
    max_entries: int

    @property
    def is_per_cpu(self) -> bool:
        """Whether an entry has a value for each CPU."""
        return self.type in PER_CPU_MAP_TYPES


def create_link(program_fd: int, index: int, flags: int) -> int:
    """Attach a program to an interface by a bpf_link, and give the link's descriptor; OSError."""
    return _bpf(LINK_CREATE, struct.pack("=IIII", program_fd, index, ATTACH_TYPE_XDP, flags))


def update_link(link_fd: int, program_fd: int, expected_fd: int | None = None) -> None:
    """Swap a link's program in place, if it still is the expected one; OSError EPERM if not."""
    flags = F_REPLACE if expected_fd is not None else 0
    _bpf(LINK_UPDATE, struct.pack("=IIII", link_fd, program_fd, flags, expected_fd or 0))


def detach_link(link_fd: int) -> None:
    """Take a link's program off its interface; the link stays, dead. OSError."""
    _bpf(LINK_DETACH, struct.pack("=I", link_fd))


def pin(descriptor: int, path: str) -> None:
    """Give a link, program or map a name in the BPF file system; OSError."""
    _with_path(OBJ_PIN, path, descriptor)


def open_pin(path: str) -> int:
    """Give a descriptor of what is pinned at a path; OSError."""
    return _with_path(OBJ_GET, path, 0)


def open_link(identifier: int) -> int:
    """Give a descriptor of a link by its id.

    OSError EPERM without CAP_SYS_ADMIN, EAGAIN for a link that is not attached yet.
    """
    return _bpf(LINK_GET_FD_BY_ID, struct.pack("=III", identifier, 0, 0))


def open_program(identifier: int) -> int:
    """Give a descriptor of a program by its id; OSError EPERM without CAP_SYS_ADMIN."""
    return _bpf(PROG_GET_FD_BY_ID, struct.pack("=III", identifier, 0, 0))


def open_map(identifier: int) -> int:
    """Give a descriptor of a map by its id; OSError EPERM without CAP_SYS_ADMIN."""
    return _bpf(MAP_GET_FD_BY_ID, struct.pack("=III", identifier, 0, 0))


def link_ids() -> Iterator[int]:
    """Go through the ids of all links of the machine; OSError EPERM without CAP_SYS_ADMIN."""
    return _ids(LINK_GET_NEXT_ID)


def program_ids() -> Iterator[int]:
    """Go through the ids of all programs of the machine; OSError EPERM without CAP_SYS_ADMIN."""
    return _ids(PROG_GET_NEXT_ID)


def link_info(link_fd: int) -> LinkInfo:
    """Tell what a link holds; OSError EINVAL where the descriptor is of no link."""
    info = _info(link_fd)
    kind, identifier, program_id = struct.unpack_from("=III", info)
    index = struct.unpack_from("=I", info, 16)[0] if kind == LINK_TYPE_XDP else 0
    return LinkInfo(identifier, kind, program_id, index)


def program_info(program_fd: int) -> ProgramInfo:
    """Tell what a program is and which maps it uses; OSError EINVAL where it is no program."""
    count = struct.unpack_from("=I", _info(program_fd), 52)[0]
    room = (ctypes.c_uint32 * max(count, 1))()
    asked = bytearray(INFO_BYTES)
    struct.pack_into("=IQ", asked, 52, count, ctypes.addressof(room) if count else 0)
    info = _info(program_fd, bytes(asked))
    kind, identifier = struct.unpack_from("=II", info)
    run_time_ns, runs = struct.unpack_from("=QQ", info, 192)
    maps = tuple(room[:count])
    return ProgramInfo(
        identifier, kind, _name(info[64:80]), info[8:16].hex(), maps, runs, run_time_ns
    )


def map_info(map_fd: int) -> MapInfo:
    """Tell what a map is; OSError EINVAL where the descriptor is of no map."""
    info = _info(map_fd)
    kind, identifier, key_bytes, value_bytes, entries = struct.unpack_from("=5I", info)
    return MapInfo(identifier, kind, _name(info[24:40]), key_bytes, value_bytes, entries)


def enable_run_times() -> int:
    """Have the kernel measure how long every program of the host runs.

    Until the descriptor is closed that this gives. OSError EPERM without CAP_SYS_ADMIN.
    """
    return _bpf(ENABLE_STATS, struct.pack("=I", STATS_RUN_TIME))


def load_bare_program(name: str = "x0tta_probe") -> int:
    """Load the smallest XDP program, `return XDP_PASS`, and give its descriptor; OSError."""
    # r0 = 2; exit. The licence is asked for, whatever it says.
    code = ctypes.create_string_buffer(bytes.fromhex("b700000002000000 9500000000000000"))
    licence = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack(
        "=IIQQIIQII16sII",
        PROG_TYPE_XDP,
        2,
        ctypes.addressof(code),
        ctypes.addressof(licence),
        0,
        0,
        0,
        0,
        0,
        name.encode()[:15],
        0,
        ATTACH_TYPE_XDP,
    )
    return _bpf(PROG_LOAD, attributes)


def create_map(kind: int, key_bytes: int, value_bytes: int, entries: int, flags: int = 0) -> int:
    """Create a map of a type (`enum bpf_map_type`) and give its descriptor; OSError."""
    return _bpf(MAP_CREATE, struct.pack("=IIIII", kind, key_bytes, value_bytes, entries, flags))


def _info(descriptor: int, asked: bytes = b"") -> bytes:
    buffer = ctypes.create_string_buffer(asked, INFO_BYTES)
    # An older kernel fills less; what it doesn't know stays zero.
    _bpf(
        OBJ_GET_INFO_BY_FD,
        struct.pack("=IIQ", descriptor, INFO_BYTES, ctypes.addressof(buffer)),
    )
    return buffer.raw


def _name(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "replace")


def _ids(command: int) -> Iterator[int]:
    identifier = 0
    while True:
        attributes = ctypes.create_string_buffer(struct.pack("=II", identifier, 0), ATTR_BYTES)
        try:
            _call(command, attributes)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return
            raise
        identifier = struct.unpack_from("=I", attributes.raw, 4)[0]
        yield identifier


def _with_path(command: int, path: str, descriptor: int) -> int:
    name = ctypes.create_string_buffer(path.encode())
    return _bpf(command, struct.pack("=QII", ctypes.addressof(name), descriptor, 0))


def _bpf(command: int, attributes: bytes) -> int:
    return _call(command, ctypes.create_string_buffer(attributes, ATTR_BYTES))


def _call(command: int, buffer: ctypes.Array[ctypes.c_char]) -> int:
    result = _libc().syscall(_number(), command, ctypes.byref(buffer), ATTR_BYTES)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


@cache
def _number() -> int:
    return _NUMBERS.get(platform.machine(), _GENERIC_NUMBER)
