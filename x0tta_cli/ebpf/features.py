"""XDP features as netdev's generic netlink tells them, without attaching anything (Linux 6.3+).

Documentation/netlink/specs/netdev.yaml; pyroute2 knows no such family. It foresees no refusal by
MTU, LRO, queues or bond mode.
"""

from __future__ import annotations

import errno
import struct

from x0tta_cli.ebpf.netlink import KernelRefusal, Netlink, attribute, attributes, number

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NETDEV_CMD_DEV_GET, NETDEV_A_DEV_IFINDEX, NETDEV_A_DEV_XDP_FEATURES = 1, 1, 3
# The words of the specification; bit 0 is all that XDP_DROP, PASS, TX and ABORTED need.
WORDS = ("basic", "redirect", "ndo-xmit", "xsk-zerocopy", "hw-offload", "rx-sg", "ndo-xmit-sg")
BASIC, HARDWARE, FRAGMENTS = "basic", "hw-offload", "rx-sg"


def read_features(index: int) -> tuple[str, ...] | None:
    """Name the XDP features of an interface; None where the kernel can't tell."""
    try:
        with Netlink(NETLINK_GENERIC) as netlink:
            family = _family(netlink)
            body = struct.pack("=BBH", NETDEV_CMD_DEV_GET, 1, 0)
            body += attribute(NETDEV_A_DEV_IFINDEX, struct.pack("=I", index))
            [answer] = netlink.ask(family, body)
    except KernelRefusal as error:
        if error.errno in {errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV, errno.EINVAL}:
            return None
        raise
    bits = number(attributes(answer, 4).get(NETDEV_A_DEV_XDP_FEATURES))
    return tuple(word for bit, word in enumerate(WORDS) if bits >> bit & 1)


def lacks_offload(index: int) -> bool:
    """Whether the kernel tells that a card takes no programs; False where it can't tell."""
    found = read_features(index)
    return found is not None and HARDWARE not in found


def _family(netlink: Netlink) -> int:
    body = struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0)
    [answer] = netlink.ask(GENL_ID_CTRL, body + attribute(CTRL_ATTR_FAMILY_NAME, b"netdev\0"))
    return number(attributes(answer, 4).get(CTRL_ATTR_FAMILY_ID))
