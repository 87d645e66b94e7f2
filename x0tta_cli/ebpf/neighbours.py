"""Routes to hosts, and the neighbour entries (ARP, NDP) behind them."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass
from typing import Any

from x0tta_cli.ebpf.netlink import KernelRefusal
from x0tta_cli.ebpf.rtnetlink import rtnetlink

# include/uapi/linux/neighbour.h
NUD_INCOMPLETE, NUD_FAILED, NUD_NOARP, NUD_PERMANENT = 0x01, 0x20, 0x40, 0x80
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EAFNOSUPPORT, errno.ENODEV}

# Addresses that no route is made for (RFC 5737, RFC 3849): what leads to them is the default route.
_FAR_AWAY = (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Route:
    """How a host is reached: over which interface, and by which neighbour."""

    index: int
    next_hop: Address
    has_gateway: bool


def route_to(host: Address, index: int | None = None) -> Route | None:
    """Ask the kernel for its route to a host, over a given interface; None where it has none."""
    asked: dict[str, Any] = {"dst": str(host), "family": _family(host)}
    if index is not None:
        asked["oif"] = index
    try:
        with rtnetlink() as opened:
            [found] = opened.route("get", **asked)
    except KernelRefusal as error:
        if error.errno in _NO_ROUTE:
            return None
        raise
    # An IPv4 route by an IPv6 neighbour (RFC 5549) has its next hop in another attribute.
    via = found.get_attr("RTA_VIA")
    gateway = found.get_attr("RTA_GATEWAY") or (via and via["addr"])
    next_hop = ipaddress.ip_address(gateway) if gateway else host
    return Route(found.get_attr("RTA_OIF"), next_hop, bool(gateway))


def gateways(index: int) -> list[Address]:
    """Find the next hops of the default routes over an interface."""
    routes = (route_to(host, index) for host in _FAR_AWAY)
    return [route.next_hop for route in routes if route and route.has_gateway]


def is_resolved(index: int, host: Address) -> bool:
    """Whether the kernel knows the link-layer address of a neighbour, or needs none."""
    state = _state(index, host)
    return state is not None and not state & (NUD_INCOMPLETE | NUD_FAILED)


def forget(index: int, host: Address) -> None:
    """Delete a neighbour's entry, so that it has to answer anew; what an operator fixed stays."""
    state = _state(index, host)
    if state is None or state & (NUD_PERMANENT | NUD_NOARP):
        return
    try:
        with rtnetlink() as opened:
            opened.neigh("del", **_entry(index, host))
    except KernelRefusal as error:
        if error.errno != errno.ENOENT:
            raise


def _state(index: int, host: Address) -> int | None:
    try:
        with rtnetlink() as opened:
            [found] = opened.neigh("get", **_entry(index, host))
    except KernelRefusal as error:
        if error.errno in {errno.ENOENT, errno.ENODEV}:
            return None
        raise
    return int(found["state"])


def _entry(index: int, host: Address) -> dict[str, Any]:
    return {"dst": str(host), "ifindex": index, "family": _family(host)}


def _family(host: Address) -> int:
    return socket.AF_INET if host.version == 4 else socket.AF_INET6
