"""What is made of what programs wrote: keys, logs, captures, headers, running totals, jitter."""

from __future__ import annotations

import struct
from contextlib import suppress
from ipaddress import ip_address, ip_network

import pytest
from fakes import frames
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import Dot1Q

from x0tta_cli.core.errors import NotYetKnownError, UsageError
from x0tta_cli.ebpf.addresses import (
    neighbour_key,
    neighbour_name,
    network_key,
    network_of,
    packed,
    unpacked,
)
from x0tta_cli.ebpf.captures import read_capture
from x0tta_cli.ebpf.exporting import RunningTotal
from x0tta_cli.ebpf.headers import summary
from x0tta_cli.ebpf.loading_errors import read_log
from x0tta_cli.ebpf.measurements import jitter_bound_us

LOG = """libbpf: prog 'entry': BPF program load failed: Permission denied
libbpf: prog 'entry': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
; void *data = (void *)(long)context->data; @ own.bpf.c:4
0: (61) r1 = *(u32 *)(r1 +0)          ; R1_w=pkt(r=0)
; return data[20]; @ own.bpf.c:5
1: (71) r0 = *(u8 *)(r1 +20)
invalid access to packet, off=20 size=1, R1(id=0,off=20,r=0)
R1 offset is outside of the packet
processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0
-- END PROG LOAD LOG --
libbpf: failed to load object 'own.bpf.o'
"""


@given(st.ip_addresses())
def test_an_address_is_read_back_from_its_key(address):
    assert unpacked(packed(address)) == (getattr(address, "ipv4_mapped", None) or address)


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_network_is_read_back_from_its_key(address, bits):
    bits = min(bits, address.max_prefixlen)
    network = ip_network((address, bits), strict=False)
    assert network_of(network_key(network)) == network


@pytest.mark.parametrize("name", ["02:00:00:00:00:01", "198.18.0.1", "2001:2::1"])
def test_a_neighbour_is_read_back_from_its_key(name):
    assert neighbour_name(neighbour_key(name)) == name
    assert neighbour_name(neighbour_key(f" {name.upper()} ")) == name


def test_a_verifiers_log_gives_verdict_source_line_and_last_instructions():
    rejection = read_log([LOG])
    assert rejection is not None
    assert rejection.verdict == "R1 offset is outside of the packet"
    assert rejection.source_line == "return data[20]; @ own.bpf.c:5"
    assert rejection.instructions[-1] == "1: (71) r0 = *(u8 *)(r1 +20)"
    assert read_log(["libbpf: map 'm': failed to create: Operation not permitted\n"]) is None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 50))))
def test_a_running_total_never_goes_backwards(readings):
    total, last = RunningTotal(), 0
    for life, value in readings:
        now = total.add(("series",), life, value)
        assert now >= last
        last = now


def test_a_running_total_adds_what_each_life_counted():
    total = RunningTotal()
    answers = [
        total.add(("x",), life, value)
        for life, value in [("1", 5), ("1", 9), ("2", 3), ("2", 3), ("2", 1)]
    ]
    assert answers == [5, 9, 12, 12, 13]


def test_jitter_is_told_by_the_bucket_that_a_share_does_not_pass():
    counts = [1, 2, 0, 6, 1]
    assert jitter_bound_us(counts, 0.1) == 0
    assert jitter_bound_us(counts, 0.3) == 1
    assert jitter_bound_us(counts, 0.5) == 7
    assert jitter_bound_us(counts, 1.0) == 15
    assert jitter_bound_us([0] * 5, 0.5) is None


FOUR = frames.ip4(UDP(sport=4000, dport=53))


@pytest.mark.parametrize(
    ("header", "link_type", "expected"),
    [
        (frames.ethernet(FOUR), "ethernet", "198.18.0.1:4000 > 198.18.0.2:53 udp"),
        (bytes(FOUR), "ip", "198.18.0.1:4000 > 198.18.0.2:53 udp"),
        (
            frames.ethernet(Dot1Q(vlan=7) / FOUR),
            "ethernet",
            "198.18.0.1:4000 > 198.18.0.2:53 udp vlan 7",
        ),
        (
            frames.ethernet(frames.ip6(TCP(sport=1, dport=80))),
            "ethernet",
            "[2001:2::1]:1 > [2001:2::2]:80 tcp",
        ),
        (frames.ethernet(bytes(9), type=0x88CC), "ethernet", "02:00:00:00:00:01 ethertype 0x88cc"),
    ],
)
def test_a_packet_is_told_in_a_line(header, link_type, expected):
    assert summary(header, link_type) == expected


@given(st.binary(max_size=96), st.sampled_from(["ethernet", "ip"]))
def test_no_packet_is_too_strange_to_be_told(header, link_type):
    assert summary(header, link_type)


def pcap(frames, kind=1, order="<"):
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, kind)
    return head + b"".join(
        struct.pack(f"{order}IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames
    )


def block(kind, body, order="<"):
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def pcapng(frames, kind=1, order="<"):
    section = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    interface = block(1, struct.pack(f"{order}HHI", kind, 0, 65535), order)
    enhanced = [
        block(6, struct.pack(f"{order}IIIII", 0, 0, 0, len(frame), len(frame)) + frame, order)
        for frame in frames
    ]
    return section + interface + b"".join(enhanced)


@pytest.mark.parametrize("form", [pcap, pcapng])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "link_type"), [(1, "ethernet"), (101, "ip")])
def test_captures_are_read_in_both_forms_and_orders(tmp_path, form, order, kind, link_type):
    frames = [bytes([number]) * (60 + number) for number in range(5)]
    path = tmp_path / "capture"
    path.write_bytes(form(frames, kind, order))
    capture = read_capture(path)
    assert (capture.link_type, capture.packets) == (link_type, tuple(frames))


@pytest.mark.parametrize("form", [pcap, pcapng])
def test_a_capture_that_is_cut_off_is_refused(tmp_path, form):
    path = tmp_path / "capture"
    path.write_bytes(form([bytes(60)] * 3)[:-7])
    with pytest.raises(UsageError) as caught:
        read_capture(path)
    assert caught.value.code == "ebpf.not_a_capture"


@given(st.binary(max_size=200))
def test_no_file_breaks_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("captures") / "any"
    for begin in (b"", pcap([]), pcapng([])):
        path.write_bytes(begin + content)
        with suppress(UsageError, NotYetKnownError):
            assert all(read_capture(path).packets)


def test_a_capture_without_packets_or_of_another_link_is_told(tmp_path):
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap([]))
    with pytest.raises(NotYetKnownError):
        read_capture(path)
    path.write_bytes(pcap([bytes(60)], kind=127))
    with pytest.raises(UsageError, match="no capture"):
        read_capture(path)


def test_mapped_addresses_are_ipv4():
    assert unpacked(packed(ip_address("198.18.0.1"))) == ip_address("198.18.0.1")
