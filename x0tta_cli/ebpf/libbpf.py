"""The C library libbpf, by ctypes: what of it is used, its errors as OSError, and what it says.

Objects, map entries, test runs and ring buffers go through it; links, pins and what is known by an
id are asked of bpf(2) itself (`syscalls`). Nothing is compiled for it; Debian's iproute2 depends on
it. Tried with libbpf 1.1 and 1.5.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from x0tta_cli.core.errors import UnsupportedError

SONAME = "libbpf.so.1"
# libbpf lets 16 MiB at most of a verifier's log pass (UINT32_MAX >> 8).
LONGEST_MESSAGE = 1 << 24
WARNING = 0
# Its own errors begin here (enum libbpf_errno).
FIRST_OWN_ERROR = 4000

_INT, _U32, _U64 = ctypes.c_int, ctypes.c_uint32, ctypes.c_uint64
_POINTER, _TEXT, _SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
_PRINT = ctypes.CFUNCTYPE(_INT, _INT, _TEXT, _POINTER)
RING_CALLBACK = ctypes.CFUNCTYPE(_INT, _POINTER, _POINTER, _SIZE)

# Result and parameters of each function: bpf.h, libbpf.h and btf.h of libbpf 1.1.
_PROTOTYPES: dict[str, tuple[type, tuple[type, ...]]] = {
    "bpf_map__fd": (_INT, (_POINTER,)),
    "bpf_map__initial_value": (_POINTER, (_POINTER, _POINTER)),
    "bpf_map__name": (_TEXT, (_POINTER,)),
    "bpf_map__pin_path": (_TEXT, (_POINTER,)),
    "bpf_map__set_max_entries": (_INT, (_POINTER, _U32)),
    "bpf_map__set_pin_path": (_INT, (_POINTER, _TEXT)),
    "bpf_map__type": (_INT, (_POINTER,)),
    "bpf_map_delete_elem": (_INT, (_INT, _POINTER)),
    "bpf_map_get_next_key": (_INT, (_INT, _POINTER, _POINTER)),
    "bpf_map_lookup_batch": (
        _INT,
        (_INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    ),
    "bpf_map_lookup_elem": (_INT, (_INT, _POINTER, _POINTER)),
    "bpf_map_update_elem": (_INT, (_INT, _POINTER, _POINTER, _U64)),
    "bpf_object__btf": (_POINTER, (_POINTER,)),
    "bpf_object__close": (_INT, (_POINTER,)),
    "bpf_object__load": (_INT, (_POINTER,)),
    "bpf_object__next_map": (_POINTER, (_POINTER, _POINTER)),
    "bpf_object__next_program": (_POINTER, (_POINTER, _POINTER)),
    "bpf_object__open_file": (_POINTER, (_TEXT, _POINTER)),
    "bpf_prog_test_run_opts": (_INT, (_INT, _POINTER)),
    "bpf_program__autoload": (ctypes.c_bool, (_POINTER,)),
    "bpf_program__fd": (_INT, (_POINTER,)),
    "bpf_program__name": (_TEXT, (_POINTER,)),
    "bpf_program__section_name": (_TEXT, (_POINTER,)),
    "bpf_program__set_autoload": (_INT, (_POINTER, ctypes.c_bool)),
    "bpf_program__set_type": (_INT, (_POINTER, _INT)),
    "btf__find_by_name_kind": (_INT, (_POINTER, _TEXT, _U32)),
    "btf__name_by_offset": (_TEXT, (_POINTER, _U32)),
    "btf__type_by_id": (_POINTER, (_POINTER, _U32)),
    "libbpf_num_possible_cpus": (_INT, ()),
    "libbpf_set_print": (_POINTER, (_PRINT,)),
    "ring_buffer__free": (_INT, (_POINTER,)),
    "ring_buffer__new": (_POINTER, (_INT, RING_CALLBACK, _POINTER, _POINTER)),
    "ring_buffer__poll": (_INT, (_POINTER, _INT)),
}
_said: list[str] = []


@cache
def library() -> ctypes.CDLL:
    """Open libbpf. Raises UnsupportedError `ebpf.no_libbpf`, which names the package."""
    try:
        opened = ctypes.CDLL(SONAME, use_errno=True)
    except OSError as error:
        raise UnsupportedError(
            "ebpf.no_libbpf",
            "BPF programs are loaded by libbpf, which is not installed.",
            reason=f"{error}.",
            fix="sudo apt-get install libbpf1 (Debian, Ubuntu), dnf install libbpf (Fedora), "
            "apk add libbpf (Alpine).",
        ) from None
    for name, (result, parameters) in _PROTOTYPES.items():
        function = getattr(opened, name)
        function.restype, function.argtypes = result, parameters
    return opened


def call(name: str, *arguments: object) -> int:
    """Call a function that answers a number; OSError where it is negative."""
    ctypes.set_errno(0)
    answer = int(getattr(library(), name)(*arguments))
    if answer < 0:
        # libbpf 1.x answers the negated number; its callers of system calls also set errno.
        raise os_error(-answer if answer != -1 else ctypes.get_errno() or 1, name)
    return answer


def pointer(name: str, *arguments: object) -> int:
    """Call a function that answers a pointer; OSError where it answers none."""
    ctypes.set_errno(0)
    answer = getattr(library(), name)(*arguments)
    if not answer:
        raise os_error(ctypes.get_errno(), name)
    return int(answer)


def text(name: str, *arguments: object) -> str:
    """Call a function that answers a text; empty where it answers none."""
    answer = getattr(library(), name)(*arguments)
    return answer.decode(errors="replace") if answer else ""


def each(name: str, owner: int) -> Iterator[int]:
    """Walk the programs or maps of an object: `bpf_object__next_program`, `…_next_map`."""
    step = getattr(library(), name)
    item = step(owner, None)
    while item:
        yield int(item)
        item = step(owner, item)


@contextmanager
def warnings() -> Iterator[list[str]]:
    """Collect what libbpf warns of inside the block; the verifier's log is among it."""
    _said.clear()
    # Anew each time: BCC, once it has compiled in this process, has them printed in its own way.
    library().libbpf_set_print(_keep_warning)
    yield _said


def os_error(number: int, name: str) -> OSError:
    """Make the error of a failed call; libbpf's own numbers have no text in the system."""
    if number >= FIRST_OWN_ERROR:
        return OSError(number, f"{name}: libbpf's error {number}")
    return OSError(number, os.strerror(number), name)


@cache
def _vsnprintf() -> ctypes._NamedFuncPointer:
    function = ctypes.CDLL(None).vsnprintf
    function.argtypes = (_TEXT, _SIZE, _TEXT, _POINTER)
    return function


def _keep(level: int, form: bytes, arguments: int) -> int:
    if level == WARNING:
        buffer = ctypes.create_string_buffer(LONGEST_MESSAGE)
        _vsnprintf()(buffer, len(buffer), form, arguments)
        _said.append(buffer.value.decode(errors="replace"))
    return 0


# libbpf calls it as long as the process lives.
_keep_warning = _PRINT(_keep)
