"""Shipped programs loaded for a block and run by the kernel on packets, attached to nothing."""

from __future__ import annotations

from contextlib import contextmanager
from ipaddress import ip_address

from fakes import frames, packets
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from x0tta_cli.ebpf.counters import read_counters
from x0tta_cli.ebpf.loading import load

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
many = st.lists(packets.frames(), min_size=1, max_size=10)
one_kept = ip_address("198.18.0.2")


@contextmanager
def loaded(
    name, *, link_type="ethernet", frags=False, keep=(), strict=False, deadline=None, **given
):
    program = load(
        name,
        parameters=given,
        link_type=link_type,
        frags=frags,
        deadline_ns=deadline,
        keep=keep,
        strict=strict,
    )
    try:
        yield program
    finally:
        program.close()


def counted(program):
    found = {}
    for counter in read_counters(program.maps["counters"]):
        found[counter.protocol, counter.verdict] = (counter.packets, counter.bytes)
    return found


def source_frame(number, size=20):
    source = f"198.19.{number >> 8 & 255}.{number & 255}"
    return frames.ethernet(frames.ip4(bytes(size), source=source, proto=17))
