"""What is attached where, read from the kernel alone; pins and keepers only explain it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from x0tta_cli.ebpf import dispatchers, holders, namespaces, pins, syscalls
from x0tta_cli.ebpf.holders import Keeper
from x0tta_cli.ebpf.interfaces import find_interface, list_interfaces
from x0tta_cli.ebpf.labels import Label
from x0tta_cli.ebpf.model import Attachment, Holding, Interface, Mode, Owner
from x0tta_cli.ebpf.pins import Pin
from x0tta_cli.ebpf.syscalls import LinkInfo, ProgramInfo


class Inventory(NamedTuple):
    """All that the kernel and the BPF file system know of links, and who holds them, at one time.

    `links` is None where CAP_SYS_ADMIN is missing to go through them: then only what is pinned by
    us is known to be held by a link. `keepers` are looked for when something may be held by one:
    that goes through all processes of the machine.
    """

    filesystem: Path
    links: tuple[LinkInfo, ...] | None
    pins: Mapping[int, Pin]
    program_pins: Mapping[int, Pin]
    keepers: Callable[[], list[Keeper]]
    dead_pins: tuple[Pin, ...] = ()

    def on(self, interface: Interface, netns: str | None) -> Iterator[Attachment]:
        """Give what is attached to one interface of the namespace that the thread is in."""
        identity = namespaces.identity()
        for mode, program_id in interface.programs:
            yield self._attachment(interface, netns, identity, mode, program_id)

    def _attachment(
        self, interface: Interface, netns: str | None, identity: int, mode: Mode, program_id: int
    ) -> Attachment:
        link = self._link(interface, identity, program_id)
        pin = self.pins.get(link.id) if link else self._program_pin(interface, identity, program_id)
        keeper = None if pin else self._keeper(link, program_id)
        label = pin.label if pin else keeper.label if keeper else None
        information = _program(program_id, pin)
        name = label.program if label else information.name if information else ""
        parts = () if label else dispatchers.parts(self.filesystem, interface, program_id, name)
        return Attachment(
            interface=interface.name,
            index=interface.index,
            netns=netns,
            mode=mode,
            attachment=self._holding(link),
            program=name,
            id=program_id,
            owner=_owner(label, name),
            operation=label.operation if label else None,
            expires_at=label.expires_at if label else None,
            pinned_at=str(pin.path) if pin else None,
            link_id=link.id if link else None,
            map_ids=information.map_ids if information else (),
            tag=information.tag if information else "",
            parameters_digest=label.parameters_digest if label else None,
            attached_at=label.attached_at if label else None,
            holder_pid=keeper.pid if keeper else None,
            parts=parts,
        )

    def _holding(self, link: LinkInfo | None) -> Holding | None:
        if link is not None:
            return Holding.LINK
        return None if self.links is None else Holding.NETLINK

    def _link(self, interface: Interface, identity: int, program_id: int) -> LinkInfo | None:
        """Find the link by interface and program; a pin tells equal indexes of namespaces apart."""
        found = [
            link
            for link in self.links or self._pinned_links()
            if (link.interface_index, link.program_id) == (interface.index, program_id)
        ]
        here = [
            link
            for link in found
            if link.id in self.pins and self.pins[link.id].place.netns == identity
        ]
        # An interface that was moved to another namespace took its link along.
        return next(iter(here or found), None)

    def _pinned_links(self) -> Iterator[LinkInfo]:
        for pin in self.pins.values():
            with suppress(OSError):
                yield _information_of_pin(pin)

    def _program_pin(self, interface: Interface, identity: int, program_id: int) -> Pin | None:
        pin = self.program_pins.get(program_id)
        if pin and (pin.place.interface_index, pin.place.netns) == (interface.index, identity):
            return pin
        return None

    def _keeper(self, link: LinkInfo | None, program_id: int) -> Keeper | None:
        for keeper in self.keepers():
            if program_id not in keeper.program_ids:
                continue
            if (link.id in keeper.link_ids) if link else not keeper.link_ids:
                return keeper
        return None


def find(
    interface: str, netns: str | None = None, *, filesystem: Path = pins.DEFAULT_FILESYSTEM
) -> tuple[Attachment, ...]:
    """Find the programs on one interface.

    Raises NotFoundError `ebpf.no_such_interface` and `ebpf.no_such_netns`.
    """
    inventory = take_inventory(filesystem)
    with namespaces.entered(netns):
        return tuple(inventory.on(find_interface(interface), netns))


def list_all(
    netns: str | None = None,
    *,
    all_netns: bool = False,
    filesystem: Path = pins.DEFAULT_FILESYSTEM,
) -> list[Attachment]:
    """List what is attached in a namespace, or in the own one and all that `ip netns` knows.

    Raises NotFoundError `ebpf.no_such_netns` and NotPermittedError `ebpf.not_permitted`.
    """
    inventory = take_inventory(filesystem)
    found: list[Attachment] = []
    own = namespaces.identity()
    for name in [netns, *(namespaces.names() if all_netns else ())]:
        if name is not None and name != netns and _is(name, own):
            continue
        with namespaces.entered(name):
            for interface in list_interfaces():
                found += inventory.on(interface, name)
    return found


def take_inventory(filesystem: Path = pins.DEFAULT_FILESYSTEM) -> Inventory:
    """Read all links, our pins and our keepers; NotPermittedError `ebpf.pin_refused`."""
    by_link: dict[int, Pin] = {}
    by_program: dict[int, Pin] = {}
    dead = []
    for pin in pins.list_pins(filesystem):
        try:
            descriptor = syscalls.open_pin(str(pin.path))
        except FileNotFoundError:
            continue
        try:
            if pin.kind == pins.LINK:
                information = syscalls.link_info(descriptor)
                by_link[information.id] = pin
                if not information.interface_index:
                    dead.append(pin)
            else:
                by_program[syscalls.program_info(descriptor).id] = pin
        finally:
            os.close(descriptor)
    keepers = cache(holders.keepers)
    return Inventory(filesystem, _links(), by_link, by_program, keepers, tuple(dead))


def ours(found: Iterable[Attachment]) -> list[Attachment]:
    """Choose those of x0tta."""
    return [attachment for attachment in found if attachment.owner is Owner.X0TTA]


def _links() -> tuple[LinkInfo, ...] | None:
    links = []
    try:
        for identifier in syscalls.link_ids():
            # EAGAIN: one that is being attached this moment, and not yet there for anybody.
            with suppress(FileNotFoundError, BlockingIOError):
                descriptor = syscalls.open_link(identifier)
                try:
                    links.append(syscalls.link_info(descriptor))
                finally:
                    os.close(descriptor)
    except OSError as error:
        # EINVAL: a kernel before 5.8 knows no links at all.
        if error.errno == errno.EINVAL:
            return ()
        if error.errno != errno.EPERM:
            raise
        return None
    return tuple(link for link in links if link.type == syscalls.LINK_TYPE_XDP)


def _information_of_pin(pin: Pin) -> LinkInfo:
    descriptor = syscalls.open_pin(str(pin.path))
    try:
        return syscalls.link_info(descriptor)
    finally:
        os.close(descriptor)


def _program(identifier: int, pin: Pin | None) -> ProgramInfo | None:
    try:
        descriptor = (
            syscalls.open_pin(str(pin.path))
            if pin is not None and pin.kind == pins.PROGRAM
            else syscalls.open_program(identifier)
        )
    except (PermissionError, FileNotFoundError):
        # Not allowed to look, or taken off since the interface was read.
        return None
    try:
        return syscalls.program_info(descriptor)
    finally:
        os.close(descriptor)


def _owner(label: Label | None, name: str) -> Owner:
    if label is not None:
        return Owner.X0TTA
    return Owner.LIBXDP if name == dispatchers.NAME else Owner.OTHER


def _is(name: str, identity: int) -> bool:
    try:
        return namespaces.identity(name) == identity
    except OSError:
        return True
