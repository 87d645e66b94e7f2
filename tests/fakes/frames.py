"""Frames made by scapy, for the tests that send them or have the kernel run a program on them.

Addresses are of the benchmarking ranges (RFC 2544, RFC 5180), MACs locally administered.
"""

from __future__ import annotations

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
FOUR = ("198.18.0.1", "198.18.0.2", "198.18.0.3")
SIX = ("2001:2::1", "2001:2::2")


def ethernet(inner: Packet | bytes, *, source: str = MACS[0], **fields: int) -> bytes:
    """A frame; its type is that of what is inside, or given as `type`."""
    return bytes(Ether(src=source, dst="02:00:00:00:00:09", **fields) / inner)


def ip4(
    inner: Packet | bytes, *, source: str = FOUR[0], destination: str = FOUR[1], **fields: object
) -> Packet:
    """An IPv4 packet; its protocol is that of what is inside, or given as `proto`."""
    return IP(src=source, dst=destination, **fields) / inner


def ip6(
    inner: Packet | bytes, *, source: str = SIX[0], destination: str = SIX[1], **fields: object
) -> Packet:
    """An IPv6 packet; its next header is that of what is inside, or given as `nh`."""
    return IPv6(src=source, dst=destination, **fields) / inner
