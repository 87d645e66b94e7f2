"""ICMP echo over a given interface: who answers, and how fast (RFC 792, RFC 4443)."""

from __future__ import annotations

import ipaddress
import os
import select
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from x0tta_cli.ebpf.neighbours import Address

REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}
TRIES = 4
WAIT_S = 0.5

Host = tuple[str, int, Address]


def round_trips_ms(hosts: Iterable[Host], *, tries: int = TRIES) -> dict[Host, float]:
    """Send echo requests to (interface, index, address), until all answer or the tries are over.

    Gives the round trips in milliseconds of those that answered. PermissionError without
    CAP_NET_RAW.
    """
    waiting = dict.fromkeys(hosts)
    answered: dict[Host, float] = {}
    identifier = struct.unpack("=H", os.urandom(2))[0]
    with ExitStack() as stack:
        sockets: dict[tuple[str, int], socket.socket] = {
            (host[0], host[2].version): _socket(stack, host[0], host[2].version) for host in waiting
        }
        for sequence in range(1, tries + 1):
            if not waiting:
                break
            for host in waiting:
                _send(sockets[host[0], host[2].version], host, identifier, sequence)
            sent = time.monotonic()
            while waiting and (left := sent + WAIT_S - time.monotonic()) > 0:
                ready, _, _ = select.select(list(sockets.values()), [], [], left)
                for one in ready:
                    for host in _answers(one, sockets, waiting, (identifier, sequence)):
                        answered[host] = (time.monotonic() - sent) * 1000
                        waiting.pop(host, None)
    return answered


def _socket(stack: ExitStack, interface: str, version: int) -> socket.socket:
    family, protocol = (
        (socket.AF_INET, socket.IPPROTO_ICMP)
        if version == 4
        else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
    )
    made = stack.enter_context(socket.socket(family, socket.SOCK_RAW, protocol))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    made.setblocking(False)
    return made


def _send(one: socket.socket, host: Host, identifier: int, sequence: int) -> None:
    _, index, address = host
    body = b"x0tta self-check"
    head = struct.pack("!BBHHH", REQUEST[address.version], 0, 0, identifier, sequence)
    if address.version == 4:
        head = struct.pack("!BBHHH", REQUEST[4], 0, _checksum(head + body), identifier, sequence)
        target: tuple[str, int] | tuple[str, int, int, int] = (str(address), 0)
    else:
        # The kernel writes the checksum of ICMPv6 itself (RFC 3542).
        target = (str(address), 0, 0, index if address.is_link_local else 0)
    try:
        one.sendto(head + body, target)
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        # No route, a neighbour that failed: that host does not answer.


def _answers(
    one: socket.socket,
    sockets: Mapping[tuple[str, int], socket.socket],
    waiting: Iterable[Host],
    wanted: tuple[int, int],
) -> list[Host]:
    data, sender = one.recvfrom(2048)
    version = 4 if one.family == socket.AF_INET else 6
    # IPv4 gives the IP header too; its length stands in its first byte.
    offset = (data[0] & 15) * 4 if version == 4 and data else 0
    if len(data) < offset + 8 or data[offset] != REPLY[version]:
        return []
    if struct.unpack_from("!HH", data, offset + 4) != wanted:
        return []
    source = ipaddress.ip_address(str(sender[0]).partition("%")[0])
    return [host for host in waiting if host[2] == source and sockets[host[0], version] is one]


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
