"""Headers made by hypothesis in every combination, whole, cut off, and with bytes changed.

Written out byte by byte, also as no library makes them; what tests send by itself is in `frames`.
"""

from __future__ import annotations

import struct

from hypothesis import strategies as st

ADDRESSES_4 = [bytes([198, 18, 0, last]) for last in (1, 2, 3)]
ADDRESSES_6 = [bytes.fromhex("20010002") + bytes(11) + bytes([last]) for last in (1, 2, 3)]
MACS = [bytes([2, 0, 0, 0, 0, last]) for last in (1, 2)]


def _ipv4(source, destination, protocol, payload, *, options=b"", flags=0, ttl=64):
    header = struct.pack(
        "!BBHHHBBH4s4s",
        0x40 | 5 + len(options) // 4,
        0,
        min(65535, 20 + len(options) + len(payload)),
        7,
        flags,
        ttl,
        protocol,
        0,
        source,
        destination,
    )
    return header + options + payload


def _ipv6(source, destination, protocol, payload, *, hop_limit=64):
    header = struct.pack("!IHBB", 6 << 28, min(65535, len(payload)), protocol, hop_limit)
    return header + source + destination + payload


def _ethernet(kind, payload, *, source=MACS[0], vlans=()):
    tags = b"".join(struct.pack("!HH", ethertype, tag) for ethertype, tag in vlans)
    return bytes([2, 0, 0, 0, 0, 9]) + source + tags + struct.pack("!H", kind) + payload


def _udp(source_port, destination_port, payload=b""):
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


payloads = st.one_of(
    st.binary(max_size=64),
    st.builds(_udp, st.integers(0, 65535), st.sampled_from([53, 4784]), st.binary(max_size=16)),
    st.sampled_from([bytes([kind]) + bytes(23) for kind in (128, 133, 135, 136, 137, 143)]),
)


@st.composite
def ipv4_packets(draw):
    return _ipv4(
        draw(st.sampled_from(ADDRESSES_4)),
        draw(st.sampled_from(ADDRESSES_4)),
        draw(st.sampled_from([1, 4, 6, 17, 41, 47, 50, 58, 132, 136, 200])),
        draw(payloads),
        options=draw(st.sampled_from([b"", bytes(4), b"\x07\x07\x04" + bytes(5), bytes(40)])),
        flags=draw(st.sampled_from([0, 0x4000, 0x2000, 0x2001, 0x00FF, 0x1FFF])),
    )


@st.composite
def ipv6_packets(draw):
    following = draw(st.sampled_from([6, 17, 41, 47, 58, 59, 132, 200]))
    payload = draw(payloads)
    for kind in draw(st.lists(st.sampled_from([0, 43, 44, 51, 60, 135]), max_size=8)):
        size = draw(st.sampled_from([0, 0, 1, 2, 8]))
        content = draw(st.sampled_from([bytes(6), b"\0\1" + bytes(4), b"\x05\x08" + bytes(4)]))
        length = 8 if kind == 44 else (size + 2) * 4 if kind == 51 else (size + 1) * 8
        body = bytes([following, size]) + content
        payload = body + bytes(max(0, length - 8)) + payload
        following = kind
    return _ipv6(
        draw(st.sampled_from(ADDRESSES_6)),
        draw(st.sampled_from(ADDRESSES_6)),
        following,
        payload,
        hop_limit=draw(st.sampled_from([1, 64, 255])),
    )


@st.composite
def frames(draw):
    """A frame of any kind: well-formed mostly, then cut off anywhere or with bytes changed."""
    vlans = draw(
        st.lists(
            st.tuples(st.sampled_from([0x8100, 0x88A8]), st.sampled_from([1, 100, 0xFFFF])),
            max_size=3,
        )
    )
    kind, inner = draw(
        st.one_of(
            st.tuples(st.just(0x0800), ipv4_packets()),
            st.tuples(st.just(0x86DD), ipv6_packets()),
            st.tuples(
                st.just(0x0806),
                st.just(
                    struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
                    + MACS[0]
                    + ADDRESSES_4[0]
                    + bytes(6)
                    + ADDRESSES_4[1]
                ),
            ),
            st.tuples(st.sampled_from([0x88CC, 0x8847, 0x0800, 0x86DD]), st.binary(max_size=80)),
        )
    )
    frame = bytearray(_ethernet(kind, inner, source=draw(st.sampled_from(MACS)), vlans=vlans))
    for place in draw(st.lists(st.integers(12, len(frame) - 1), max_size=2)):
        frame[place] = draw(st.integers(0, 255))
    end = draw(st.one_of(st.just(len(frame)), st.integers(14, len(frame))))
    return bytes(frame[:end])


raw_ip_packets = st.one_of(ipv4_packets(), ipv6_packets(), st.binary(min_size=14, max_size=100))
