"""Addresses as the programs keep them: 16 bytes, IPv4 as ::ffff:a.b.c.d, a MAC in the first six."""

from __future__ import annotations

import re
import struct
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# RFC 4291, 2.5.5.2.
_MAPPED = bytes(10) + b"\xff\xff"
MAPPED_BITS, FAMILY_BITS = 96, 32
_NETWORK = struct.Struct("=II16s")


def packed(address: Address) -> bytes:
    """Give the 16 bytes of an IP address."""
    return _MAPPED + address.packed if address.version == 4 else address.packed


def unpacked(key: bytes) -> Address:
    """Read 16 bytes as an IP address."""
    if key.startswith(_MAPPED):
        return IPv4Address(key[12:16])
    return IPv6Address(key[:16])


def network_key(network: Network) -> bytes:
    """Give the key of a longest-prefix trie: the bits that count, the family, the address."""
    return _NETWORK.pack(prefix_bits(network), network.version, packed(network.network_address))


def network_of(key: bytes) -> Network:
    """Read the key of a longest-prefix trie."""
    bits, version, address = _NETWORK.unpack(key)
    if version == 4:
        return IPv4Network((address[12:], bits - FAMILY_BITS - MAPPED_BITS))
    return IPv6Network((address, bits - FAMILY_BITS))


def prefix_bits(network: Network) -> int:
    """Tell how many bits behind the length a key fixes: the family's, and the network's own."""
    return FAMILY_BITS + network.prefixlen + (MAPPED_BITS if network.version == 4 else 0)


def neighbour_key(text: str) -> bytes:
    """Give the key of a neighbour, named by MAC or IP address. Raises ValueError."""
    written = text.strip().lower()
    if re.fullmatch(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}", written):
        return bytes.fromhex(re.sub("[:-]", "", written)) + bytes(14)
    address = ip_address(written)
    return packed(address) + struct.pack("=I", address.version)


def neighbour_name(key: bytes) -> str:
    """Read the key of a neighbour."""
    if key[16:20] == bytes(4):
        return key[:6].hex(":")
    return str(unpacked(key[:16]))
