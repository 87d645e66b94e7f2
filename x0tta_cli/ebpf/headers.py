"""Tells in a line what a packet is, from its first bytes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from x0tta_cli.ebpf.protocols import protocol_name

_VLAN = (0x8100, 0x88A8)
_WITH_PORTS = frozenset({6, 17, 132, 136})


def summary(header: bytes, link_type: str) -> str:
    """Describe a packet: `198.18.0.1:4000 > 198.18.0.2:80 tcp`; never raises for what is cut off.

    `link_type` is what it begins with, `ethernet` or `ip`.
    """
    if link_type == "ip":
        return _network(header, 0x0800 if header[:1] and header[0] >> 4 == 4 else 0x86DD)
    kind, rest, tags = int.from_bytes(header[12:14], "big"), header[14:], ""
    while kind in _VLAN and len(rest) >= 4:
        tags += f" vlan {int.from_bytes(rest[:2], 'big') & 0xFFF}"
        kind, rest = int.from_bytes(rest[2:4], "big"), rest[4:]
    return _network(rest, kind, header[6:12].hex(":")) + tags


def _network(data: bytes, kind: int, sender: str = "") -> str:
    if kind == 0x0800 and len(data) >= 20:
        behind = (
            data[(data[0] & 15) * 4 :] if not int.from_bytes(data[6:8], "big") & 0x1FFF else b""
        )
        return _transport(IPv4Address(data[12:16]), IPv4Address(data[16:20]), data[9], behind)
    if kind == 0x86DD and len(data) >= 40:
        return _transport(IPv6Address(data[8:24]), IPv6Address(data[24:40]), data[6], data[40:])
    if kind == 0x0806 and len(data) >= 28:
        return f"{IPv4Address(data[14:18])} > {IPv4Address(data[24:28])} arp"
    return f"{sender} ethertype 0x{kind:04x}".strip()


def _transport(
    source: IPv4Address | IPv6Address,
    destination: IPv4Address | IPv6Address,
    protocol: int,
    behind: bytes,
) -> str:
    name = protocol_name(protocol)
    if protocol in _WITH_PORTS and len(behind) >= 4:
        ports = int.from_bytes(behind[:2], "big"), int.from_bytes(behind[2:4], "big")
        return f"{_at(source, ports[0])} > {_at(destination, ports[1])} {name}"
    return f"{source} > {destination} {name}"


def _at(address: IPv4Address | IPv6Address, port: int) -> str:
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"
