"""What the shipped XDP programs must answer for a packet, written a second time in plain Python.

From the formats themselves: RFC 791, 8200, 826, IEEE 802.1Q; nothing of the C sources is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address

ARP, OTHER, MALFORMED = 256, 257, 258
VLAN_TYPES = (0x8100, 0x88A8)
EXTENSIONS = {0, 43, 44, 51, 60, 135}
MOST_EXTENSIONS = 6
WITH_PORTS = {6, 17, 132, 136}


@dataclass(frozen=True)
class Parsed:
    counted: int = MALFORMED
    family: int = 0
    protocol: int = 0
    source: IPv4Address | IPv6Address | None = None
    destination: IPv4Address | IPv6Address | None = None
    vlan: int = 0
    fragment: int = 0
    hop_limit: int = 0
    transport: bytes | None = None

    @property
    def ports(self) -> tuple[int, int]:
        if self.protocol in WITH_PORTS and self.transport and len(self.transport) >= 4:
            return number(self.transport, 0, 2), number(self.transport, 2, 2)
        return 0, 0

    @property
    def is_neighbour_discovery(self) -> bool:
        return (
            self.family == 6
            and self.protocol == 58
            and not self.fragment
            and self.hop_limit == 255
            and bool(self.transport)
            and 133 <= self.transport[0] <= 137
        )


def number(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "big")


def parse(packet: bytes, link_type: str = "ethernet") -> Parsed:
    if link_type == "ip":
        return parse_network(packet, 0x0800 if packet[0] >> 4 == 4 else 0x86DD, Parsed())
    kind, rest, seen = number(packet, 12, 2), packet[14:], Parsed()
    for _ in range(2):
        if kind not in VLAN_TYPES:
            break
        if len(rest) < 4:
            return seen
        seen = replace(seen, vlan=number(rest, 0, 2) & 0xFFF)
        kind, rest = number(rest, 2, 2), rest[4:]
    return parse_network(rest, kind, seen)


def parse_network(data: bytes, kind: int, seen: Parsed) -> Parsed:
    if kind == 0x0800:
        return parse_ipv4(data, seen)
    if kind == 0x86DD:
        return parse_ipv6(data, seen)
    if kind == 0x0806:
        if len(data) < 28:
            return seen
        return replace(seen, counted=ARP, source=ip_address(data[14:18]))
    return replace(seen, counted=OTHER)


def parse_ipv4(data: bytes, seen: Parsed) -> Parsed:
    if len(data) < 20 or data[0] >> 4 != 4 or data[0] & 15 < 5:
        return seen
    flags = number(data, 6, 2)
    fragment = 2 if flags & 0x1FFF else 1 if flags & 0x2000 else 0
    header = (data[0] & 15) * 4
    return replace(
        seen,
        counted=data[9],
        family=4,
        protocol=data[9],
        hop_limit=data[8],
        source=ip_address(data[12:16]),
        destination=ip_address(data[16:20]),
        fragment=fragment,
        transport=None if fragment == 2 else data[header:],
    )


def parse_ipv6(data: bytes, seen: Parsed) -> Parsed:
    if len(data) < 40 or data[0] >> 4 != 6:
        return seen
    following, rest, fragment, transport = data[6], data[40:], 0, None
    for _ in range(MOST_EXTENSIONS):
        if following not in EXTENSIONS:
            transport = rest
            break
        if len(rest) < 8:
            break
        size = (rest[1] + 1) * 8
        if following == 44:
            size = 8
            fragment = 2 if number(rest, 2, 2) & 0xFFF8 else 1
        elif following == 51:
            size = (rest[1] + 2) * 4
        following = rest[0]
        if fragment == 2:
            break
        rest = rest[size:]
    return replace(
        seen,
        counted=following,
        family=6,
        protocol=following,
        hop_limit=data[7],
        source=IPv6Address(data[8:24]),
        destination=IPv6Address(data[24:40]),
        fragment=fragment,
        transport=transport,
    )
