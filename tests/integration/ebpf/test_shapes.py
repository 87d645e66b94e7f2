"""Packets of every shape that scapy makes: tagged, tunnelled, fragmented, with options, cut off."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address

import pytest
from fakes import veth, xdp_model
from fakes.frames import FOUR, MACS, SIX, ethernet, ip4, ip6
from fakes.kernel_runs import counted as counted_by
from fakes.kernel_runs import loaded
from fakes.traffic import MODES, attached, found, send
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_RR, fragment
from scapy.layers.inet6 import (
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from x0tta_cli.ebpf import maps
from x0tta_cli.ebpf.addresses import unpacked
from x0tta_cli.ebpf.counters import FLOW, statistics
from x0tta_cli.ebpf.protocols import protocol_name
from x0tta_cli.ebpf.trying import run

UDP_9 = UDP(sport=5000, dport=9) / (b"x" * 20)
PORTS = (5000, 9)
NO_PORTS = (0, 0)
ROUTED = IPv6ExtHdrRouting(addresses=["2001:2::7"])
PADDED = IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
FIRST, LATER = fragment(ip4(UDP(sport=5000, dport=9) / bytes(100), id=7), 64)[:2]

# What scapy makes, and as what it has to be counted: protocol, VLAN, ports of the flow.
SHAPES = {
    "plain": (ip4(UDP_9), "udp", 0, PORTS),
    "a tag": (Dot1Q(vlan=42, prio=5) / ip4(UDP_9), "udp", 42, PORTS),
    "QinQ": (Dot1AD(vlan=7) / Dot1Q(vlan=42) / ip4(UDP_9), "udp", 42, PORTS),
    "two 802.1Q tags": (Dot1Q(vlan=7) / Dot1Q(vlan=42) / ip6(UDP_9), "udp", 42, PORTS),
    "options": (ip4(UDP_9, options=[IPOption_NOP()] * 4), "udp", 0, PORTS),
    "most options": (ip4(UDP_9, options=[IPOption_RR(routers=["0.0.0.0"] * 9)]), "udp", 0, PORTS),
    "a first fragment": (FIRST, "udp", 0, PORTS),
    "a later fragment": (LATER, "udp", 0, NO_PORTS),
    "TCP with options": (
        ip4(TCP(sport=5000, dport=9, options=[("MSS", 1460), ("WScale", 7)])),
        "tcp",
        0,
        PORTS,
    ),
    "an echo": (ip4(ICMP() / b"payload"), "icmp", 0, NO_PORTS),
    "IPv6": (ip6(UDP_9), "udp", 0, PORTS),
    "extension headers": (ip6(PADDED / ROUTED / IPv6ExtHdrDestOpt() / UDP_9), "udp", 0, PORTS),
    "an authentication header": (
        ip6(AH(nh=17, payloadlen=4, icv=bytes(12)) / UDP_9),
        "udp",
        0,
        PORTS,
    ),
    "a first IPv6 fragment": (ip6(IPv6ExtHdrFragment(m=1, id=7) / UDP_9), "udp", 0, PORTS),
    "a later IPv6 fragment": (
        ip6(IPv6ExtHdrFragment(offset=8, id=7, nh=17) / Raw(bytes(24))),
        "udp",
        0,
        NO_PORTS,
    ),
    "neighbour discovery": (
        ip6(ICMPv6ND_NS(tgt="2001:2::2"), hlim=255),
        "icmpv6",
        0,
        NO_PORTS,
    ),
    "IP in IP": (ip4(IP(src="10.0.0.1", dst="10.0.0.2") / UDP_9), "ipip", 0, NO_PORTS),
    "IPv6 in IP": (
        ip4(IPv6(src="2001:2:0:1::1", dst="2001:2:0:1::2") / UDP_9),
        "ipv6-in-ip",
        0,
        NO_PORTS,
    ),
    "GRE": (ip4(GRE() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP_9), "gre", 0, NO_PORTS),
    "VXLAN": (
        ip4(
            UDP(sport=5000, dport=4789)
            / VXLAN(vni=1)
            / Ether(src=MACS[1], dst=MACS[0])
            / ip4(UDP_9)
        ),
        "udp",
        0,
        (5000, 4789),
    ),
}
PASSED_BY = {"neighbour discovery"}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_counted_as_what_it_is(shape):
    packet, protocol, vlan, ports = SHAPES[shape]
    frame = ethernet(packet)
    with loaded("flows") as program:
        assert run(program.fd, frame).verdict == "pass"
        assert counted_by(program) == {(protocol, "pass"): (1, len(frame))}
        [flow] = maps.read(program.maps["flows"]).keys_as(FLOW)
    ends = SIX[:2] if packet.haslayer(IPv6) and protocol != "ipv6-in-ip" else FOUR[:2]
    assert [str(unpacked(flow[end].tobytes())) for end in ("source", "destination")] == [*ends]
    assert (int(flow["source_port"]), int(flow["destination_port"])) == ports
    assert int(flow["vlan"]) == vlan


@pytest.mark.parametrize("shape", SHAPES)
def test_a_filter_finds_the_outer_source_of_every_shape(shape):
    frame = ethernet(SHAPES[shape][0])
    with loaded("filter", deny=f"{FOUR[0]},{SIX[0]}") as program:
        wanted = "pass" if shape in PASSED_BY else "drop"
        assert run(program.fd, frame).verdict == wanted
    inner = "10.0.0.0/8,2001:2:0:1::/64,198.18.0.3"
    with loaded("filter", deny=inner) as program:
        assert run(program.fd, frame).verdict == "pass"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_that_is_cut_off_anywhere_is_counted_once(shape):
    frame = ethernet(SHAPES[shape][0])
    pieces = [frame[:end] for end in range(14, len(frame))]
    with loaded("count") as program:
        assert {run(program.fd, piece).verdict for piece in pieces} == {"pass"}
        counts = counted_by(program)
    expected = Counter(protocol_name(xdp_model.parse(piece).counted) for piece in pieces)
    assert {protocol: packets for (protocol, _), (packets, _) in counts.items()} == dict(expected)
    assert sum(octets for _, octets in counts.values()) == sum(map(len, pieces))


@pytest.mark.parametrize("mode", MODES)
def test_on_the_wire_every_shape_is_counted_in_full(veths, mode):
    # What nothing on the machine sends by itself.
    sent = {
        shape: ethernet(packet)
        for shape, (packet, protocol, _, _) in SHAPES.items()
        if protocol not in {"icmp", "icmpv6"}
    }
    wanted: Counter[str] = Counter()
    octets: Counter[str] = Counter()
    for shape, frame in sent.items():
        wanted[SHAPES[shape][1]] += 3
        octets[SHAPES[shape][1]] += 3 * len(frame)
    with attached(veths, "count", mode):
        send(veths, list(sent.values()) * 3)

        def counted():
            rows = [row for row in statistics(found(veths)).counters if row.protocol in wanted]
            return {row.protocol: (row.packets, row.bytes) for row in rows}

        expected = {protocol: (wanted[protocol], octets[protocol]) for protocol in wanted}
        assert veth.until(lambda: counted() == expected), counted()


def test_what_is_no_ip_passes_and_is_counted():
    asking = ethernet(ARP(psrc=FOUR[0], pdst=FOUR[1]))
    with loaded("filter", deny="0.0.0.0/0,::/0") as program:
        assert run(program.fd, asking).verdict == "pass"
        assert run(program.fd, ethernet(bytes(50), type=0x88CC)).verdict == "pass"
        assert set(counted_by(program)) == {("arp", "pass"), ("other", "pass")}
    with loaded("filter", deny=FOUR[0], keep=[ip_address(FOUR[0])]) as program:
        assert run(program.fd, ethernet(ip4(UDP_9))).verdict == "pass"
