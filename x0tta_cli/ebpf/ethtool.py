"""What a driver says of itself, by ethtool's ioctl; include/uapi/linux/ethtool.h.

Each answer is None where the driver has none: many virtual ones don't.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
from typing import NamedTuple

SIOCETHTOOL = 0x8946
GDRVINFO, GTSO, GFLAGS, GCHANNELS = 0x03, 0x1E, 0x25, 0x3C
FLAG_RXVLAN, FLAG_LRO = 1 << 8, 1 << 15
DRIVER_INFORMATION_BYTES = 196


class Driver(NamedTuple):
    """A driver's name, and those of its settings on which native XDP stands or falls."""

    name: str
    lro: bool | None
    vlan_stripping: bool | None
    tso: bool | None
    rx_queues: int | None
    tx_queues: int | None
    most_queues: int | None


def read_driver(interface: str) -> Driver:
    """Ask the driver of an interface in the namespace that the thread is in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        information = _ask(asked, interface, struct.pack("=I", GDRVINFO), DRIVER_INFORMATION_BYTES)
        flags = _number(_ask(asked, interface, struct.pack("=II", GFLAGS, 0), 8))
        tso = _number(_ask(asked, interface, struct.pack("=II", GTSO, 0), 8))
        channels = _ask(asked, interface, struct.pack("=I", GCHANNELS), 36)
    rx = tx = most = None
    if channels is not None:
        # Command, then at most rx, tx, other, combined, then as many of each now.
        _, _, most_tx, _, most_combined, now_rx, now_tx, _, combined = struct.unpack(
            "=9I", channels
        )
        rx, tx, most = now_rx + combined, now_tx + combined, most_combined or most_tx
    return Driver(
        name=information[4:36].split(b"\0")[0].decode("ascii", "replace") if information else "",
        lro=None if flags is None else bool(flags & FLAG_LRO),
        vlan_stripping=None if flags is None else bool(flags & FLAG_RXVLAN),
        tso=None if tso is None else bool(tso),
        rx_queues=rx,
        tx_queues=tx,
        most_queues=most,
    )


def _ask(asked: socket.socket, interface: str, command: bytes, room_bytes: int) -> bytes | None:
    buffer = array.array("B", command.ljust(room_bytes, b"\0"))
    address, _ = buffer.buffer_info()
    request = struct.pack("16sP16x", interface.encode("utf-8", "surrogateescape")[:15], address)
    try:
        fcntl.ioctl(asked, SIOCETHTOOL, request)
    except OSError:
        return None
    return buffer.tobytes()


def _number(answer: bytes | None) -> int | None:
    return None if answer is None else int(struct.unpack_from("=I", answer, 4)[0])
