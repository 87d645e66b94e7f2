"""Runs a loaded program on packets without any interface: BPF_PROG_TEST_RUN."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from dataclasses import dataclass

from x0tta_cli.ebpf import libbpf, syscalls

# The kernel takes no fewer bytes than an Ethernet header for XDP, and of one piece no more than a
# page less its own room (4096 - 256 - 320).
SHORTEST, LONGEST_IN_ONE_PIECE = 14, 3520
TIMED_PACKETS = 64
REPEATS = 2000
VERDICTS = {0: "aborted", 1: "drop", 2: "pass", 3: "tx", 4: "redirect"}


@dataclass(frozen=True, slots=True)
class Run:
    """What a program answered for one packet; `mean_ns` includes the kernel's loop."""

    verdict: str
    mean_ns: int
    packet: bytes


def run(descriptor: int, packet: bytes, repeat: int = 1) -> Run:
    """Run a program on a packet; OSError EINVAL for one that the kernel does not take."""
    given = ctypes.create_string_buffer(packet, len(packet))
    answer = ctypes.create_string_buffer(len(packet) + 256)
    options = _Options(
        size=ctypes.sizeof(_Options),
        data_in=ctypes.addressof(given),
        data_out=ctypes.addressof(answer),
        data_size_in=len(packet),
        data_size_out=len(answer),
        repeat=repeat,
    )
    libbpf.call("bpf_prog_test_run_opts", descriptor, ctypes.byref(options))
    return Run(
        VERDICTS.get(options.retval, str(options.retval)),
        options.duration,
        answer.raw[: options.data_size_out],
    )


def nanoseconds_per_packet(
    descriptor: int, packets: Iterable[bytes], repeat: int = REPEATS
) -> float:
    """Measure the mean of one run over packets, the kernel's own loop subtracted; at least 0."""
    chosen = list(packets)[:TIMED_PACKETS]
    bare = syscalls.load_bare_program()
    try:
        # In turns, so that a change of the machine's speed meets both.
        pairs = [
            (run(descriptor, packet, repeat).mean_ns, run(bare, packet, repeat).mean_ns)
            for packet in chosen
        ]
    finally:
        os.close(bare)
    if not pairs:
        return 0.0
    return max(0.0, sum(ours - loop for ours, loop in pairs) / len(pairs))


class _Options(ctypes.Structure):
    """`struct bpf_test_run_opts` of libbpf."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )
