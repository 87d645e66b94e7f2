"""Interfaces as rtnetlink shows them, with the XDP programs on them.

Everything happens in the network namespace that the calling thread is in.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ebpf.model import Interface, LinkType, Mode
from x0tta_cli.ebpf.netlink import (
    Attributes,
    KernelRefusal,
    Netlink,
    attribute,
    attributes,
    number,
    text,
)

RTM_GETLINK = 18
IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER, IFLA_LINKINFO = 3, 4, 5, 10, 18
IFLA_EXT_MASK, IFLA_CARRIER_CHANGES, IFLA_XDP = 29, 35, 43
IFLA_XDP_ATTACHED, IFLA_XDP_PROG_ID = 2, 4
RTEXT_FILTER_SKIP_STATS = 1 << 3
IFF_UP, IFF_LOWER_UP = 1, 1 << 16

# XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE, XDP_FLAGS_HW_MODE: links and netlink share them.
MODE_FLAG = {Mode.GENERIC: 1 << 1, Mode.NATIVE: 1 << 2, Mode.HARDWARE: 1 << 3}
# IFLA_XDP_ATTACHED, and the attributes 5 to 7 that hold one program for each mode.
_MODE_BY_ATTACHED = {1: Mode.NATIVE, 2: Mode.GENERIC, 3: Mode.HARDWARE}
_MODE_BY_ATTRIBUTE = {5: Mode.NATIVE, 6: Mode.GENERIC, 7: Mode.HARDWARE}

# include/uapi/linux/if_arp.h. Loopback frames have an Ethernet header too.
_ETHERNET = frozenset({1, 772})
_IP = frozenset({512, 519, 768, 769, 776, 778, 823, 65534})
_BOND_MODES = (
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
)


def list_interfaces() -> list[Interface]:
    """List the interfaces of this namespace by their index."""
    with Netlink() as netlink:
        body = _header() + attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS))
        answers = netlink.ask(RTM_GETLINK, body, dump=True)
    return sorted((_interface(answer) for answer in answers), key=lambda item: item.index)


def find_interface(name: str) -> Interface:
    """Read one interface; NotFoundError `ebpf.no_such_interface`."""
    with Netlink() as netlink:
        body = _header() + attribute(IFLA_IFNAME, name.encode("utf-8", "surrogateescape") + b"\0")
        try:
            return _interface(netlink.ask(RTM_GETLINK, body)[0])
        except KernelRefusal as error:
            # A name of more than 15 bytes is refused as a value that no interface can have.
            if error.errno not in {errno.ENODEV, errno.EINVAL, errno.ERANGE}:
                raise
    raise no_such_interface(name)


def find_index(index: int) -> Interface | None:
    """Read the interface of an index; None where there is none (any more)."""
    with Netlink() as netlink:
        try:
            return _interface(netlink.ask(RTM_GETLINK, _header(index))[0])
        except KernelRefusal as error:
            if error.errno != errno.ENODEV:
                raise
    return None


def no_such_interface(name: str, known: Sequence[str] | None = None) -> NotFoundError:
    """Word that there is no such interface, and which there are."""
    names = list(known) if known is not None else [item.name for item in list_interfaces()]
    return NotFoundError(
        "ebpf.no_such_interface",
        f"There is no interface '{name}' here.",
        reason=f"This network namespace has {', '.join(names) or 'none'}.",
        fix="Name one of them, or another namespace with --netns.",
        context={"interface": name},
    )


def _header(index: int = 0) -> bytes:
    return struct.pack("=BxHiII", 0, 0, index, 0, 0)


def _interface(answer: bytes) -> Interface:
    _, hardware_type, index, flags, _ = struct.unpack_from("=BxHiII", answer)
    found = attributes(answer, 16)
    information = attributes(found.get(IFLA_LINKINFO, b""))
    kind = text(information.get(1))
    return Interface(
        name=text(found.get(IFLA_IFNAME)),
        index=index,
        link_type=_link_type(hardware_type),
        kind=kind,
        mtu_bytes=number(found.get(IFLA_MTU)),
        is_up=bool(flags & IFF_UP),
        has_carrier=bool(flags & IFF_LOWER_UP),
        carrier_changes=number(found.get(IFLA_CARRIER_CHANGES)),
        programs=_programs(attributes(found.get(IFLA_XDP, b""))),
        parent_index=number(found.get(IFLA_LINK)),
        upper_index=number(found.get(IFLA_MASTER)),
        hardware_type=hardware_type,
        bond_mode=_bond_mode(information) if kind == "bond" else None,
    )


def _programs(found: Attributes) -> tuple[tuple[Mode, int], ...]:
    attached = number(found.get(IFLA_XDP_ATTACHED))
    if not attached:
        return ()
    by_mode = [
        (mode, number(found[kind])) for kind, mode in _MODE_BY_ATTRIBUTE.items() if kind in found
    ]
    if by_mode:
        return tuple(by_mode)
    mode = _MODE_BY_ATTACHED.get(attached)
    return ((mode, number(found.get(IFLA_XDP_PROG_ID))),) if mode else ()


def _bond_mode(information: Attributes) -> str | None:
    mode = number(attributes(information.get(2, b"")).get(1), len(_BOND_MODES))
    return _BOND_MODES[mode] if mode < len(_BOND_MODES) else None


def _link_type(hardware_type: int) -> LinkType | None:
    if hardware_type in _ETHERNET:
        return LinkType.ETHERNET
    return LinkType.IP if hardware_type in _IP else None
