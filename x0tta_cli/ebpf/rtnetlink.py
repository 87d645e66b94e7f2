"""What is asked of rtnetlink beyond reading interfaces, by pyroute2: programs, routes, neighbours.

pyroute2 takes longer to import than all of an attachment by a link takes, so it is imported where
one of these is needed: where links are not to be had, where the kernel has words for a refusal,
and where hosts are checked on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from x0tta_cli.core import extras
from x0tta_cli.ebpf.interfaces import MODE_FLAG
from x0tta_cli.ebpf.model import Mode
from x0tta_cli.ebpf.netlink import KernelRefusal

if TYPE_CHECKING:
    from pyroute2 import IPRoute

# include/uapi/linux/if_link.h
XDP_FLAGS_UPDATE_IF_NOEXIST, XDP_FLAGS_REPLACE = 1 << 0, 1 << 4


@contextmanager
def rtnetlink() -> Iterator[IPRoute]:
    """Open rtnetlink in the namespace of the thread, with extended acknowledgements.

    What the kernel refuses inside the block is raised as KernelRefusal. Raises UnsupportedError
    `extras.missing`.
    """
    extras.require("ebpf")
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute(ext_ack=True) as opened:
            yield opened
    except NetlinkError as error:
        # Where the kernel has no words, pyroute2 puts the system's for the number.
        said = str(error.args[1])
        raise KernelRefusal(error.code, "" if said == os.strerror(error.code) else said) from None


def set_program(
    index: int, program_fd: int, mode: Mode, flags: int, expected_fd: int | None = None
) -> None:
    """Set or, with -1, remove the program of an interface; KernelRefusal with the kernel's text."""
    given = [("IFLA_XDP_FD", program_fd), ("IFLA_XDP_FLAGS", flags | MODE_FLAG[mode])]
    if expected_fd is not None:
        given.append(("IFLA_XDP_EXPECTED_FD", expected_fd))
    with rtnetlink() as opened:
        opened.link("set", index=index, IFLA_XDP={"attrs": given})
