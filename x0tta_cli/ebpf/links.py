"""Putting a program on one interface: the strongest mode that is to be had, and who holds it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from x0tta_cli.core.errors import ConflictError, OperatorError
from x0tta_cli.ebpf import capabilities, features, refusals, syscalls
from x0tta_cli.ebpf.interfaces import MODE_FLAG, find_index
from x0tta_cli.ebpf.model import Attachment, Holding, Interface, Mode, Refusal
from x0tta_cli.ebpf.netlink import KernelRefusal
from x0tta_cli.ebpf.rtnetlink import (
    XDP_FLAGS_REPLACE,
    XDP_FLAGS_UPDATE_IF_NOEXIST,
    set_program,
)

OLDEST_WITH_LINKS = (5, 9)
GONE_WITHIN_S = 3.0
# What the kernel defers, it does within a few milliseconds.
POLL_S = 0.001


class Held(NamedTuple):
    """A program on an interface, held by this process's descriptor of its link.

    `link_fd` is None where netlink put it there: then nothing but a request takes it off.
    `previous_fd` is the program that it replaced in place, and that comes back if it goes.
    """

    interface: Interface
    mode: Mode
    program_fd: int
    link_fd: int | None
    refusals: tuple[Refusal, ...] = ()
    previous_fd: int | None = None

    @property
    def holding(self) -> Holding:
        """What holds it."""
        return Holding.NETLINK if self.link_fd is None else Holding.LINK

    def let_go(self) -> None:
        """Take it off again; what someone else has put in its place meanwhile stays."""
        if self.link_fd is None:
            with suppress(KernelRefusal):
                set_program(
                    self.interface.index,
                    -1 if self.previous_fd is None else self.previous_fd,
                    self.mode,
                    XDP_FLAGS_REPLACE,
                    expected_fd=self.program_fd,
                )
        else:
            with suppress(OSError):
                if self.previous_fd is None:
                    syscalls.detach_link(self.link_fd)
                else:
                    syscalls.update_link(self.link_fd, self.previous_fd, self.program_fd)
        self.close()

    def close(self) -> None:
        """Let go of the descriptors; who else holds the link keeps the program there."""
        for descriptor in (self.link_fd, self.previous_fd):
            if descriptor is not None:
                os.close(descriptor)


class AllRefused(Exception):  # noqa: N818 - an answer, turned into words by who asked
    """No mode that was asked for is to be had."""

    def __init__(self, refused: Sequence[Refusal]) -> None:
        super().__init__("; ".join(map(refusals.in_words, refused)))
        self.refused = tuple(refused)


class Occupied(Exception):  # noqa: N818 - an answer, turned into words by who asked
    """Another program is on the interface, or in the way; in the kernel's words if it has any."""


def kernel_has_links() -> bool:
    """Whether this kernel holds XDP programs by links (5.9)."""
    release = os.uname().release.split(".")
    return (int(release[0]), int(release[1].split("-")[0])) >= OLDEST_WITH_LINKS


def attach(program_fd: int, interface: Interface, modes: Sequence[Mode], holding: Holding) -> Held:
    """Attach in the first mode that the driver takes; never where another program is.

    Raises AllRefused, Occupied, ConflictError `ebpf.interface_changed` where the interface has
    vanished meanwhile, and NotPermittedError `ebpf.not_permitted`.
    """
    refused: list[Refusal] = []
    for mode in modes:
        try:
            link_fd = _attach(program_fd, interface, mode, holding)
        except OSError as error:
            refused.append(_judged(error, program_fd, interface, mode))
        else:
            return Held(interface, mode, program_fd, link_fd, tuple(refused))
    raise AllRefused(refused)


def replace(program_fd: int, interface: Interface, attachment: Attachment) -> Held:
    """Swap the program of an attachment in place, if it still is the one that is expected.

    Raises ConflictError `ebpf.replaced_meanwhile` and NotPermittedError `ebpf.not_permitted`.
    """
    try:
        previous_fd = syscalls.open_program(attachment.id)
        if attachment.link_id is not None:
            link_fd = syscalls.open_link(attachment.link_id)
            syscalls.update_link(link_fd, program_fd, previous_fd)
            return Held(interface, attachment.mode, program_fd, link_fd, (), previous_fd)
        set_program(
            interface.index, program_fd, attachment.mode, XDP_FLAGS_REPLACE, expected_fd=previous_fd
        )
    except OSError as error:
        # A link answers EPERM where its program is another, which a missing capability is too.
        if error.errno == errno.EPERM and capabilities.missing(("CAP_SYS_ADMIN", "CAP_NET_ADMIN")):
            raise capabilities.lacking(("CAP_SYS_ADMIN", "CAP_NET_ADMIN")) from error
        raise replaced_meanwhile(interface.name, attachment.id, str(error)) from error
    return Held(interface, attachment.mode, program_fd, None, (), previous_fd)


def replaced_meanwhile(interface: str, identifier: int, reason: str) -> ConflictError:
    """Word that a program that was to be replaced is not there (any more)."""
    return ConflictError(
        "ebpf.replaced_meanwhile",
        f"Program {identifier} is not on {interface}, or not any more.",
        reason=reason,
        fix="See what is there: x0tta ebpf list; then name that one with --replace.",
        context={"interface": interface, "id": identifier},
    )


def wait_until_gone(index: int, program_id: int) -> bool:
    """Read back until the kernel agrees that a program is off an interface; False if it stays."""
    deadline = time.monotonic() + GONE_WITHIN_S
    while True:
        interface = find_index(index)
        if interface is None or all(found != program_id for _, found in interface.programs):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)


def _attach(program_fd: int, interface: Interface, mode: Mode, holding: Holding) -> int | None:
    if holding is Holding.LINK:
        return syscalls.create_link(program_fd, interface.index, MODE_FLAG[mode])
    set_program(interface.index, program_fd, mode, XDP_FLAGS_UPDATE_IF_NOEXIST)
    return None


def _judged(error: OSError, program_fd: int, interface: Interface, mode: Mode) -> Refusal:
    number = error.errno or errno.EIO
    if number in {errno.EPERM, errno.EACCES}:
        raise capabilities.lacking(("CAP_NET_ADMIN",)) from error
    if number in refusals.OCCUPIED:
        raise Occupied(_words(error, program_fd, interface, mode)) from error
    if find_index(interface.index) is None:
        raise vanished(interface) from error
    if number not in refusals.CANNOT:
        raise error
    # That a card's driver has no offload, as it tells itself, needs no words.
    lacks_offload = mode is Mode.HARDWARE and features.lacks_offload(interface.index)
    words = "" if lacks_offload else _words(error, program_fd, interface, mode)
    return refusals.explain(interface, mode, number, words)


def _words(error: OSError, program_fd: int, interface: Interface, mode: Mode) -> str:
    if isinstance(error, KernelRefusal):
        return error.kernel_text
    return refusals.kernel_text(program_fd, interface, mode)


def vanished(interface: Interface) -> OperatorError:
    """Word that an interface went away, or became another, while x0tta worked on it."""
    return ConflictError(
        "ebpf.interface_changed",
        f"The interface {interface.name} vanished, was renamed or moved meanwhile.",
        reason=f"It had the index {interface.index} when the command began. Nothing is attached.",
        fix="See ip link, and run the command again; --follow attaches whenever it comes back.",
        retryable=True,
        context={"interface": interface.name, "index": interface.index},
    )
