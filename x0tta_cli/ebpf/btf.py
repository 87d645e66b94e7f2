"""The global constants of an object (its `.rodata`), found by name in its BTF."""

from __future__ import annotations

import ctypes
import struct
from typing import NamedTuple

from x0tta_cli.ebpf import libbpf

SECTION = ".rodata"
_DATASEC = 15  # BTF_KIND_DATASEC; include/uapi/linux/btf.h
_TYPE = struct.Struct("=III")
_VARIABLE = struct.Struct("=III")
_COUNT_MASK = 0xFFFF


class Constant(NamedTuple):
    """Where a constant stands in its section; both in bytes."""

    name: str
    offset: int
    size: int


def constants(handle: int) -> dict[str, Constant]:
    """List the constants of an opened object; none where it has no BTF."""
    btf = libbpf.library().bpf_object__btf(handle)
    if not btf:
        return {}
    try:
        section = libbpf.call("btf__find_by_name_kind", btf, SECTION.encode(), _DATASEC)
    except OSError:
        return {}
    place = libbpf.pointer("btf__type_by_id", btf, section)
    _, information, _ = _TYPE.unpack(ctypes.string_at(place, _TYPE.size))
    count = information & _COUNT_MASK
    listed = ctypes.string_at(place + _TYPE.size, count * _VARIABLE.size)
    found = {}
    for type_id, offset, size in _VARIABLE.iter_unpack(listed):
        variable = libbpf.pointer("btf__type_by_id", btf, type_id)
        name_offset, _, _ = _TYPE.unpack(ctypes.string_at(variable, _TYPE.size))
        name = libbpf.text("btf__name_by_offset", btf, name_offset)
        found[name] = Constant(name, offset, size)
    return found
