"""Reads BPF maps whole into numpy arrays, in batches, and one entry at a time.

A map changes while it is read. In a hash table a batch is a run of whole buckets, each read under
its lock, and a key's bucket never changes: an entry that stays in the map comes exactly once,
whatever else comes and goes. Where a bucket has more entries than the batch has room for, the
kernel answers ENOSPC: the room grows, and the same bucket is asked for again.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.ebpf import libbpf
from x0tta_cli.ebpf.syscalls import MapInfo, map_info

FIRST_BATCH = 4096
LARGEST_BATCH = 1 << 24
NO_BATCH = frozenset({errno.EINVAL, errno.ENOTSUP, 524})  # 524: the kernel's own ENOTSUPP
ANY, NEW_ONLY, EXISTING_ONLY = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All entries of a map: `keys` uint8[N, key bytes], `values` uint8[N, CPUs, value bytes].

    CPUs is 1 where the map has one value for all of them.
    """

    keys: NDArray[np.uint8]
    values: NDArray[np.uint8]

    def keys_as(self, form: np.dtype[np.void]) -> NDArray[np.void]:
        """See the keys as records, N of them."""
        return np.ascontiguousarray(self.keys).view(form)[:, 0]

    def values_as(self, form: np.dtype[np.void]) -> NDArray[np.void]:
        """See the values as records: N by CPUs."""
        size = form.itemsize
        return np.ascontiguousarray(self.values[:, :, :size]).view(form)[:, :, 0]

    def __len__(self) -> int:
        return len(self.keys)


def read(descriptor: int, information: MapInfo | None = None) -> Rows:
    """Read all entries of a map; OSError."""
    told = information or map_info(descriptor)
    room = _value_room(told)
    parts = list(_batches(descriptor, told, room))
    cpus = libbpf.call("libbpf_num_possible_cpus") if told.is_per_cpu else 1
    if len(parts) == 1:
        keys, values = parts[0]
    else:
        keys = np.concatenate([keys for keys, _ in parts])
        values = np.concatenate([values for _, values in parts])
    return Rows(keys, values.reshape(len(keys), cpus, room // cpus))


def lookup(descriptor: int, key: bytes, value_bytes: int) -> bytes | None:
    """Read one entry; None where there is none. OSError."""
    value = ctypes.create_string_buffer(value_bytes)
    try:
        libbpf.call("bpf_map_lookup_elem", descriptor, key, value)
    except FileNotFoundError:
        return None
    return value.raw


def update(descriptor: int, key: bytes, value: bytes, flags: int = ANY) -> None:
    """Write one entry; OSError, EEXIST with NEW_ONLY where there is one."""
    libbpf.call("bpf_map_update_elem", descriptor, key, value, flags)


def delete(descriptor: int, key: bytes) -> bool:
    """Remove one entry; whether there was one. OSError."""
    try:
        libbpf.call("bpf_map_delete_elem", descriptor, key)
    except FileNotFoundError:
        return False
    return True


def _value_room(told: MapInfo) -> int:
    if not told.is_per_cpu:
        return told.value_bytes
    # The kernel rounds each CPU's value up to 8 bytes.
    return (told.value_bytes + 7) // 8 * 8 * libbpf.call("libbpf_num_possible_cpus")


def _batches(
    descriptor: int, told: MapInfo, room: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    size = min(max(told.max_entries, 1), LARGEST_BATCH)
    # A hash table's batch position is a bucket's number (4 bytes), that of the others a key.
    place = ctypes.create_string_buffer(max(4, told.key_bytes))
    following = ctypes.create_string_buffer(max(4, told.key_bytes))
    started = False
    while True:
        keys = np.empty((size, told.key_bytes), np.uint8)
        values = np.empty((size, room), np.uint8)
        count = ctypes.c_uint32(size)
        try:
            libbpf.call(
                "bpf_map_lookup_batch",
                descriptor,
                place if started else None,
                following,
                keys.ctypes.data,
                values.ctypes.data,
                ctypes.byref(count),
                None,
            )
        except OSError as error:
            if error.errno == errno.ENOSPC and size < LARGEST_BATCH:
                size *= 2
                continue
            if error.errno == errno.ENOENT:
                yield keys[: count.value], values[: count.value]
                return
            if error.errno in NO_BATCH and not started:
                yield from _one_by_one(descriptor, told, room)
                return
            raise
        yield keys[: count.value], values[: count.value]
        place, following, started = following, place, True


def _one_by_one(
    descriptor: int, told: MapInfo, room: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Walk a map that the kernel doesn't read in batches (before 5.6; tries before 5.13)."""
    found: dict[bytes, bytes] = {}
    key: ctypes.Array[ctypes.c_char] | None = None
    following = ctypes.create_string_buffer(told.key_bytes)
    # A walk starts over where its last key was removed: it ends by itself nevertheless.
    for _ in range(2 * told.max_entries + 1):
        try:
            libbpf.call("bpf_map_get_next_key", descriptor, key, following)
        except FileNotFoundError:
            break
        value = lookup(descriptor, following.raw, room)
        if value is not None:
            found[following.raw] = value
        key = ctypes.create_string_buffer(following.raw, told.key_bytes)
    keys = np.frombuffer(b"".join(found), np.uint8).reshape(-1, told.key_bytes)
    yield keys, np.frombuffer(b"".join(found.values()), np.uint8).reshape(-1, room)
