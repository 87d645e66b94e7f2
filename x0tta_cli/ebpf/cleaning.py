"""Removes what vanished interfaces and killed processes left pinned; never another owner's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from x0tta_cli.ebpf import attachments, holders, namespaces, pins, syscalls
from x0tta_cli.ebpf.interfaces import find_index
from x0tta_cli.ebpf.pins import Pin
from x0tta_cli.ebpf.removals import Cleanup, Removal

Removing = tuple[Removal, Callable[[], object]]


def plan(filesystem: Path) -> Cleanup:
    """Tell what would be removed; raises as `clean`."""
    found = tuple(removal for removal, _ in _found(filesystem))
    return Cleanup(found, would_change=bool(found))


def clean(filesystem: Path) -> Cleanup:
    """Remove dead links, pins of vanished interfaces, and parts and keepers without a purpose.

    Raises NotPermittedError `ebpf.pin_refused`.
    """
    removed = []
    for removal, remove in list(_found(filesystem)):
        remove()
        removed.append(removal)
    return Cleanup(tuple(removed))


def _found(filesystem: Path) -> Iterator[Removing]:
    inventory = attachments.take_inventory(filesystem)
    for pin in inventory.dead_pins:
        removal = Removal("dead link", str(pin.path), f"detached, or {_place(pin)} is gone")
        yield removal, partial(pins.remove, pin.path)
    for pin in inventory.program_pins.values():
        if _is_purposeless(pin):
            removal = Removal("program", str(pin.path), f"attached nowhere: {_place(pin)}")
            yield removal, partial(pins.remove, pin.path)
    keepers = holders.keepers()
    for keeper in keepers:
        alive = {link.id for link in inventory.links or () if link.interface_index}
        if inventory.links is not None and keeper.link_ids and not keeper.link_ids & alive:
            removal = Removal("keeper", str(keeper.pid), "what it holds is attached nowhere")
            yield removal, partial(holders.end_keeper, keeper.pid)
    dead = {pin.path for pin in inventory.dead_pins}
    living = {pin.label.operation for pin in pins.list_pins(filesystem) if pin.path not in dead}
    living |= {keeper.label.operation for keeper in keepers}
    for operation, path in pins.operations_with_parts(filesystem):
        if operation not in living:
            removal = Removal(
                "pinned parts", str(path), f"operation {operation} is attached no more"
            )
            yield removal, partial(pins.remove_parts, filesystem, operation)


def _place(pin: Pin) -> str:
    return f"{pin.place.interface} (index {pin.place.interface_index})"


def _is_purposeless(pin: Pin) -> bool:
    """Whether a program that netlink held is on its interface no more, as far as can be seen."""
    for name in [None, *namespaces.names()]:
        with suppress(OSError):
            if namespaces.identity(name) != pin.place.netns:
                continue
            with namespaces.entered(name):
                interface = find_index(pin.place.interface_index)
            return interface is None or _program_of(pin) not in dict(interface.programs).values()
    # A namespace without a name may still be somebody's.
    return False


def _program_of(pin: Pin) -> int:
    descriptor = syscalls.open_pin(str(pin.path))
    try:
        return syscalls.program_info(descriptor).id
    finally:
        os.close(descriptor)
