"""Reads packets from capture files: pcap (as libpcap writes it) and pcapng.

Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from x0tta_cli.core import files
from x0tta_cli.core.errors import NotYetKnownError, UsageError

MAX_BYTES = 1 << 30
LARGEST_PACKET = 1 << 18
# LINKTYPE_ETHERNET; LINKTYPE_RAW, what older libpcaps write for it, LINKTYPE_IPV4, LINKTYPE_IPV6.
LINK_TYPES = {1: "ethernet", 101: "ip", 12: "ip", 14: "ip", 228: "ip", 229: "ip"}
_MAGICS = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6


@dataclass(frozen=True, slots=True)
class Capture:
    """The packets of a file, as far as they were kept, and what they begin with."""

    link_type: str
    packets: tuple[bytes, ...]


def read_capture(path: Path) -> Capture:
    """Read a capture.

    Raises UsageError `ebpf.not_a_capture`, NotYetKnownError `ebpf.empty_capture` and what
    `files.reading_errors` raises.
    """
    with files.reading_errors(path), path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _bad(path, "It has more than 1 GiB.")
    try:
        if content[:4] in _MAGICS:
            kind, packets = _read_pcap(content, _MAGICS[content[:4]])
        elif content[:4] == b"\x0a\x0d\x0d\x0a":
            kind, packets = _read_pcapng(content)
        else:
            raise _bad(path, "It begins neither as pcap nor as pcapng.")
    except (struct.error, ValueError) as error:
        raise _bad(path, f"It is damaged or cut off: {error}.") from None
    if not packets:
        raise NotYetKnownError(
            "ebpf.empty_capture",
            f"{path} holds no packets.",
            fix="Capture for a while: tcpdump -i INTERFACE -w FILE -c 1000.",
            context={"file": str(path)},
        )
    if kind not in LINK_TYPES:
        raise _bad(path, f"Its packets begin with neither Ethernet nor IP (link type {kind}).")
    return Capture(LINK_TYPES[kind], tuple(packets))


def _read_pcap(content: bytes, order: str) -> tuple[int, list[bytes]]:
    (kind,) = struct.unpack_from(f"{order}I", content, 20)
    packets, place = [], 24
    while place < len(content):
        _, _, kept, _ = struct.unpack_from(f"{order}4I", content, place)
        packets.append(_piece(content, place + 16, kept))
        place += 16 + kept
    return kind & 0xFFFF, packets


def _read_pcapng(content: bytes) -> tuple[int, list[bytes]]:
    kinds: list[int] = []
    packets = []
    for kind, order, body in _blocks(content):
        if kind == _INTERFACE:
            kinds.append(struct.unpack_from(f"{order}H", body)[0])
        elif kind == _ENHANCED:
            (kept,) = struct.unpack_from(f"{order}I", body, 12)
            packets.append(_piece(body, 20, kept))
        elif kind == _SIMPLE:
            (whole,) = struct.unpack_from(f"{order}I", body)
            packets.append(_piece(body, 4, min(whole, len(body) - 4)))
    if len(set(kinds)) > 1:
        raise ValueError("its interfaces are of several link types")
    return kinds[0] if kinds else -1, packets


def _blocks(content: bytes) -> Iterator[tuple[int, str, bytes]]:
    place, order = 0, "<"
    while place < len(content):
        if content[place : place + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if content[place + 8 : place + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(f"{order}II", content, place)
        if length < 12 or length % 4:
            raise ValueError(f"a block of {length} bytes")
        yield kind, order, _piece(content, place + 8, length - 12)
        place += length


def _piece(content: bytes, place: int, length: int) -> bytes:
    piece = content[place : place + length]
    if len(piece) < length or length > len(content):
        raise ValueError("a packet is not whole")
    return piece


def _bad(path: Path, reason: str) -> UsageError:
    return UsageError(
        "ebpf.not_a_capture",
        f"{path} is no capture that can be read.",
        reason=reason,
        fix="Write it with tcpdump -w, or tshark -w.",
        context={"file": str(path)},
    )
