"""Attachments and detachments that were interrupted: gone on with, or taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from x0tta_cli.core import journal
from x0tta_cli.ebpf import attachments, holders, namespaces, pins, syscalls
from x0tta_cli.ebpf.detaching import release
from x0tta_cli.ebpf.detaching import request_from as detach_request_from
from x0tta_cli.ebpf.pins import Pin
from x0tta_cli.ebpf.requests import request_from


def resume_attach(operation: journal.Operation) -> None:
    """Attach as it was asked for, unless it is in place or its time is over; as `attach`."""
    from x0tta_cli.ebpf.attaching import attach

    request = request_from(operation.plan, datetime.now(UTC))
    if request is not None:
        attach(request, operation)


def resume_detach(operation: journal.Operation) -> None:
    """Detach what is still there; raises as `detach`."""
    from x0tta_cli.ebpf.detaching import detach

    detach(detach_request_from(operation.plan), operation)


def attach_leftovers(record: journal.OperationRecord) -> Iterator[journal.Leftover]:
    """Find what an attach left in the world: its pins, its keeper, and the parts it pinned."""
    filesystem = Path(str(record.plan["filesystem"]))
    for keeper in holders.keepers():
        if keeper.label.operation == record.id:
            yield journal.Leftover(
                "keeper", str(keeper.pid), partial(holders.end_keeper, keeper.pid)
            )
    for pin in pins.list_pins(filesystem):
        if pin.label.operation == record.id:
            yield journal.Leftover("attachment", str(pin.path), partial(take_off, pin, filesystem))
    if pins.parts_folder(filesystem, record.id).is_dir():
        yield journal.Leftover(
            "pinned parts",
            str(pins.parts_folder(filesystem, record.id)),
            partial(pins.remove_parts, filesystem, record.id),  # type: ignore[arg-type]
        )


def detach_leftovers(record: journal.OperationRecord) -> Iterator[journal.Leftover]:
    """Find pins of links that are detached and were not removed any more."""
    filesystem = Path(str(record.plan["filesystem"]))
    for pin in attachments.take_inventory(filesystem).dead_pins:
        yield journal.Leftover("dead link", str(pin.path), partial(pins.remove, pin.path))


def take_off(pin: Pin, filesystem: Path) -> None:
    """Detach what is pinned, and remove the pin."""
    if pin.kind == pins.LINK:
        with suppress(FileNotFoundError):
            descriptor = syscalls.open_pin(str(pin.path))
            try:
                with suppress(OSError):
                    syscalls.detach_link(descriptor)
            finally:
                os.close(descriptor)
        pins.remove(pin.path)
        return
    name = _namespace_of(pin.place.netns)
    with suppress(LookupError), namespaces.entered(name):
        for found in attachments.find(pin.place.interface, filesystem=filesystem):
            if found.pinned_at == str(pin.path):
                release(found, filesystem)
    pins.remove(pin.path)


def _namespace_of(identity: int) -> str | None:
    """Name the namespace of an inode number; LookupError where `ip netns` knows none."""
    if namespaces.identity() == identity:
        return None
    for name in namespaces.names():
        with suppress(OSError):
            if namespaces.identity(name) == identity:
                return name
    raise LookupError(identity)
