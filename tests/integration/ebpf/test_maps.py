"""Reading maps: all of them, once each, also while they change and where buckets are crowded."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from contextlib import contextmanager
from ipaddress import ip_network

import numpy as np
import pytest

from x0tta_cli.ebpf import libbpf, maps, syscalls
from x0tta_cli.ebpf.addresses import network_key, network_of
from x0tta_cli.ebpf.arguments import rule_row
from x0tta_cli.ebpf.syscalls import MapInfo, map_info

HASH, ARRAY, PERCPU_HASH, PERCPU_ARRAY, LRU_PERCPU_HASH, TRIE = 1, 2, 5, 6, 10, 11
NO_PREALLOC = 1


@contextmanager
def a_map(kind, key_bytes, value_bytes, entries, flags=0):
    descriptor = syscalls.create_map(kind, key_bytes, value_bytes, entries, flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def put(descriptor, key, value):
    libbpf.call("bpf_map_update_elem", descriptor, struct.pack("<I", key), value, 0)


def cpus():
    return libbpf.call("libbpf_num_possible_cpus")


@pytest.mark.parametrize("kind", [HASH, PERCPU_HASH, LRU_PERCPU_HASH])
def test_every_entry_of_a_hash_comes_once_with_its_own_value(kind):
    width = 1 if kind == HASH else cpus()
    with a_map(kind, 4, 16, 4000) as descriptor:
        for key in range(3000):
            put(descriptor, key, struct.pack("<QQ", key, 2 * key) * width)
        rows = maps.read(descriptor)
    assert rows.values.shape == (len(rows), width, 16)
    keys = rows.keys.view("<u4")[:, 0]
    if kind != LRU_PERCPU_HASH:
        assert sorted(keys.tolist()) == list(range(3000))
    assert len(np.unique(keys)) == len(keys)
    values = rows.values_as(np.dtype([("one", "<u8"), ("two", "<u8")]))
    assert (values["one"] == keys[:, None]).all()
    assert (values["two"] == 2 * keys[:, None].astype(np.uint64)).all()


def test_values_of_all_cpus_come_in_their_order():
    with a_map(PERCPU_ARRAY, 4, 12, 3) as descriptor:
        for key in range(3):
            padded = b"".join(struct.pack("<III4x", key, cpu, 7) for cpu in range(cpus()))
            put(descriptor, key, padded)
        rows = maps.read(descriptor)
    values = rows.values_as(np.dtype([("key", "<u4"), ("cpu", "<u4"), ("seven", "<u4")]))
    assert values["cpu"].tolist() == [list(range(cpus()))] * 3
    assert values["key"].tolist() == [[key] * cpus() for key in range(3)]
    assert (values["seven"] == 7).all()


def test_an_empty_map_has_no_rows():
    with a_map(HASH, 4, 8, 16) as descriptor:
        assert len(maps.read(descriptor)) == 0


@pytest.mark.parametrize("believed_entries", [1, 2, 3, 7, 64])
def test_a_batch_that_is_too_small_for_a_bucket_grows(believed_entries):
    # One bucket may hold more than a batch has room for: ENOSPC, and no way on but to grow.
    with a_map(HASH, 4, 8, 512, NO_PREALLOC) as descriptor:
        for key in range(512):
            put(descriptor, key, struct.pack("<Q", key))
        told = map_info(descriptor)
        small = MapInfo(
            told.id, told.type, told.name, told.key_bytes, told.value_bytes, believed_entries
        )
        rows = maps.read(descriptor, small)
    assert sorted(rows.keys.view("<u4")[:, 0].tolist()) == list(range(512))


def test_no_row_is_lost_or_doubled_while_the_map_changes():
    stays, comes = 20_000, 5_000
    with a_map(HASH, 4, 8, 40_000, NO_PREALLOC) as descriptor:
        for key in range(stays):
            put(descriptor, key, struct.pack("<Q", key))
        is_over = threading.Event()

        def churn():
            value = ctypes.create_string_buffer(8)
            library = libbpf.library()
            while not is_over.is_set():
                for key in range(stays, stays + comes):
                    library.bpf_map_update_elem(descriptor, struct.pack("<I", key), value, 0)
                for key in range(stays, stays + comes):
                    library.bpf_map_delete_elem(descriptor, struct.pack("<I", key))

        changer = threading.Thread(target=churn)
        changer.start()
        try:
            told = map_info(descriptor)
            small = MapInfo(told.id, told.type, "", told.key_bytes, told.value_bytes, 16)
            sizes = set()
            # Whole at once, and in many small batches, between which the map changes.
            for information in [told, small] * 15:
                keys = maps.read(descriptor, information).keys.view("<u4")[:, 0]
                sizes.add(len(keys))
                assert len(np.unique(keys)) == len(keys)
                assert set(range(stays)) <= set(keys.tolist())
        finally:
            is_over.set()
            changer.join()
    assert len(sizes) > 1, "the map never changed while it was read"


def test_a_trie_is_read_whole():
    networks = [ip_network(text) for text in ("0.0.0.0/0", "198.18.0.0/15", "2001:2::/48", "::/0")]
    with a_map(TRIE, 24, 24, 100, NO_PREALLOC) as descriptor:
        for network in networks:
            key, value = rule_row(network)
            maps.update(descriptor, key, value)
        rows = maps.read(descriptor)
        assert {network_of(key.tobytes()) for key in rows.keys} == set(networks)
        assert maps.delete(descriptor, network_key(networks[0]))
        assert not maps.delete(descriptor, network_key(networks[0]))
        assert len(maps.read(descriptor)) == 3


def test_a_map_that_the_kernel_reads_in_no_batches_is_walked():
    with a_map(HASH, 4, 8, 64) as descriptor:
        for key in range(50):
            put(descriptor, key, struct.pack("<Q", key))
        told = map_info(descriptor)
        # The same walk that an older kernel needs, on a map that this one could read at once.
        [(keys, values)] = maps._one_by_one(descriptor, told, 8)
        assert sorted(keys.view("<u4")[:, 0].tolist()) == list(range(50))
        assert (values.view("<u8")[:, 0] == keys.view("<u4")[:, 0]).all()


def test_a_closed_descriptor_is_an_error_and_not_an_empty_map():
    with a_map(ARRAY, 4, 8, 4) as descriptor:
        pass
    with pytest.raises(OSError, match=r"bad state|Bad file descriptor"):
        maps.read(descriptor)
