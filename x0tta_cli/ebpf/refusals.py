"""Why the kernel refused a mode, and the command that mends it.

A link attach answers with a number alone. The words come from repeating the very request over
netlink, which is refused the same way and says why; XDP_FLAGS_UPDATE_IF_NOEXIST keeps the
repetition from replacing anything.
"""

from __future__ import annotations

import errno
import os

from x0tta_cli.core import extras
from x0tta_cli.ebpf.model import Interface, Mode, Refusal
from x0tta_cli.ebpf.netlink import KernelRefusal
from x0tta_cli.ebpf.rtnetlink import (
    XDP_FLAGS_REPLACE,
    XDP_FLAGS_UPDATE_IF_NOEXIST,
    set_program,
)

# The kernel's own number for 'not supported', which has no name in errno.
ENOTSUPP = 524
# 'This driver cannot'; anything else is no reason to fall back to a weaker mode.
CANNOT = frozenset({errno.EOPNOTSUPP, ENOTSUPP, errno.EINVAL, errno.ERANGE, errno.ENOMEM})
OCCUPIED = frozenset({errno.EBUSY, errno.EEXIST})
# What a veth takes without fragments: a page less headroom, shared info and header.
VETH_MTU_BYTES = 3506


def kernel_text(program_fd: int, interface: Interface, mode: Mode) -> str:
    """Ask the kernel for the words of a refusal by repeating the request; empty where it has none.

    Should the repetition succeed, its program is taken off again at once. Not asked is what can't
    be asked without pyroute2: an attachment does not fail for want of words.
    """
    if extras.missing("ebpf"):
        return ""
    try:
        set_program(interface.index, program_fd, mode, XDP_FLAGS_UPDATE_IF_NOEXIST)
    except KernelRefusal as refusal:
        return refusal.kernel_text
    set_program(interface.index, -1, mode, XDP_FLAGS_REPLACE, expected_fd=program_fd)
    return ""


def explain(interface: Interface, mode: Mode, number: int, words: str) -> Refusal:
    """Name the cause of a refusal, and what mends it."""
    if mode is Mode.HARDWARE:
        cause, fix = (
            "no offload to the card",
            "Ask for another mode than hw: no other needs the card.",
        )
    else:
        cause, fix = _cause(interface, number, words.lower())
    return Refusal(interface.name, mode, number, words, cause, fix)


def in_words(refusal: Refusal) -> str:
    """Write a refusal in one line."""
    said = f'the kernel says "{refusal.kernel_text}"' if refusal.kernel_text else ""
    number = errno.errorcode.get(refusal.errno, "ENOTSUPP")
    said = said or f"the kernel gives no reason ({number}, {os.strerror(refusal.errno)})"
    return f"{refusal.interface} {refusal.mode}: {refusal.cause}; {said}"


def _cause(interface: Interface, number: int, words: str) -> tuple[str, str]:
    name = interface.name
    generic = "or take --mode generic."
    if "bond" in words:
        mend = f"ip link set dev {name} type bond mode active-backup (while it is down)"
        return f"bond mode {interface.bond_mode or 'in use'}", f"{mend}, {generic}"
    if "upper device" in words or "slave" in words:
        return "the bond above it has a program", "Attach to the bond, or detach there first."
    if "mtu" in words or number == errno.ERANGE:
        return _mtu(interface, generic)
    if interface.kind == "vlan":
        return "a VLAN has no native mode", "Attach to the interface below it, or --mode generic."
    if interface.hardware_type != 1:
        return "not an Ethernet driver", "Take --mode generic, in which packets begin with IP."
    return _driver_cause(interface, number, words, generic)


def _mtu(interface: Interface, generic: str) -> tuple[str, str]:
    if interface.kind == "veth":
        return (
            f"the MTU of its other end is above {VETH_MTU_BYTES}",
            f"On the other end: ip link set dev PEER mtu {VETH_MTU_BYTES}; build the program with "
            f"fragments (section xdp.frags), {generic}",
        )
    return (
        f"its MTU of {interface.mtu_bytes} is too large for this driver",
        f"ip link set dev {interface.name} mtu 1500; build the program with fragments "
        f"(section xdp.frags), {generic}",
    )


def _driver_cause(interface: Interface, number: int, words: str, generic: str) -> tuple[str, str]:
    from x0tta_cli.ebpf import ethtool

    name, driver = interface.name, ethtool.read_driver(interface.name)
    if driver.lro or "lro" in words:
        return "large receive offload is on", f"ethtool -K {name} lro off, {generic}"
    if "queue" in words or "channel" in words or number == errno.ENOMEM:
        fewer = max((driver.most_queues or 2) // 2, 1)
        return (
            "too few queues are free for XDP",
            f"ethtool -L {name} combined {fewer} (dmesg may say more), {generic}",
        )
    if interface.mtu_bytes > VETH_MTU_BYTES and number == errno.EINVAL:
        return _mtu(interface, generic)
    described = f"the driver {driver.name}" if driver.name else "this driver"
    return f"{described} has no native XDP for it", "Take --mode generic; dmesg may say more."
