"""Which packets were dropped and why: the samples that programs leave in their ring buffers."""

from __future__ import annotations

import ctypes
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from x0tta_cli.core import locks
from x0tta_cli.ebpf import libbpf
from x0tta_cli.ebpf.clock import boot_ns
from x0tta_cli.ebpf.headers import summary
from x0tta_cli.ebpf.measurements import DroppedPacket
from x0tta_cli.ebpf.model import Attachment
from x0tta_cli.ebpf.protocols import reason_name
from x0tta_cli.ebpf.readings import opened_maps

POLL_MS = 200
LINK_TYPES = ("ethernet", "ip")
# `struct sample` of dropping.bpf.h, before its header.
_SAMPLE = struct.Struct("=QIIHBBI")
_HEADER_BYTES = 96


def dropped_packets(found: Sequence[Attachment], *, follow: bool) -> Iterator[DroppedPacket]:
    """Give the samples of several programs: those that wait, and with `follow` those that come.

    A sample goes to one reader alone. Raises ConflictError `locks.held` where another reads, and
    as `readings.opened_maps`.
    """
    waiting: deque[DroppedPacket] = deque()
    with ExitStack() as stack:
        rings = []
        for attachment in found:
            opened = stack.enter_context(opened_maps(attachment))["samples"]
            stack.enter_context(locks.hold(f"ebpf-drops-{opened.information.id}"))
            ring = _Ring(opened.fd, attachment.interface, waiting)
            stack.callback(ring.close)
            rings.append(ring)
        while True:
            # The first is waited for, the others looked at: one wait for all of them.
            for number, ring in enumerate(rings):
                ring.poll(POLL_MS if follow and number == 0 and not waiting else 0)
            while waiting:
                yield waiting.popleft()
            if not follow:
                return


class _Ring:
    """One ring buffer, open for reading."""

    def __init__(self, descriptor: int, interface: str, waiting: deque[DroppedPacket]) -> None:
        def take(_context: int, data: int, size: int) -> int:
            waiting.append(_read(ctypes.string_at(data, size), interface))
            return 0

        # libbpf calls it as long as the ring lives.
        self._take = libbpf.RING_CALLBACK(take)
        self._handle = libbpf.pointer("ring_buffer__new", descriptor, self._take, None, None)

    def poll(self, milliseconds: int) -> None:
        libbpf.call("ring_buffer__poll", self._handle, milliseconds)

    def close(self) -> None:
        libbpf.library().ring_buffer__free(self._handle)


def _read(sample: bytes, interface: str) -> DroppedPacket:
    sampled_ns, _, length, captured, reason, link_type, unsampled = _SAMPLE.unpack_from(sample)
    header = sample[_SAMPLE.size : _SAMPLE.size + min(captured, _HEADER_BYTES)]
    age_ns = boot_ns() - sampled_ns
    return DroppedPacket(
        instant=datetime.now(UTC) - timedelta(microseconds=age_ns // 1000),
        interface=interface,
        reason=reason_name(reason),
        summary=summary(header, LINK_TYPES[min(link_type, 1)]),
        length_bytes=length,
        unsampled=unsampled,
        header=header.hex(),
    )
