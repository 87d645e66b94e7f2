"""Detaching: what is ours, or what was named by its id; nothing is sent where nothing of it is."""

from __future__ import annotations

import errno
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from x0tta_cli.core import journal
from x0tta_cli.core.errors import (
    ConflictError,
    NotFoundError,
    OperatorError,
    UnavailableError,
)
from x0tta_cli.ebpf import (
    attachments,
    capabilities,
    holders,
    links,
    namespaces,
    occupied,
    pins,
    syscalls,
)
from x0tta_cli.ebpf.attachments import Inventory
from x0tta_cli.ebpf.carrier import lost_ms
from x0tta_cli.ebpf.interfaces import find_index, find_interface
from x0tta_cli.ebpf.model import Attachment, Holding, Interface, Owner
from x0tta_cli.ebpf.removals import Detached, Detaching
from x0tta_cli.ebpf.rtnetlink import XDP_FLAGS_REPLACE, set_program

log = logging.getLogger(__name__)

UNLOADED_WITHIN_S = 1.0


class DetachRequest(NamedTuple):
    """What to take off which interfaces; without `id` and `program`, all that is ours."""

    interfaces: tuple[str, ...]
    id: int | None = None
    program: str | None = None
    netns: str | None = None
    filesystem: Path = pins.DEFAULT_FILESYSTEM

    def as_plan(self) -> dict[str, object]:
        """Write it for the journal."""
        return {
            "interfaces": list(self.interfaces),
            "id": self.id,
            "program": self.program,
            "netns": self.netns,
            "filesystem": str(self.filesystem),
        }


def request_from(plan: Mapping[str, Any]) -> DetachRequest:
    """Read a request from the journal."""
    return DetachRequest(
        tuple(plan["interfaces"]),
        plan["id"],
        plan["program"],
        plan["netns"],
        Path(plan["filesystem"]),
    )


def plan(request: DetachRequest) -> Detaching:
    """Say what detaching would take off; raises as `detach`."""
    with namespaces.entered(request.netns):
        return Detaching(
            tuple(
                replace(_nothing(interface, request), would_change=False)
                if found is None
                else _detached(found, request, would_change=True)
                for interface, found in _chosen(request)
            )
        )


def detach(request: DetachRequest, operation: journal.Operation | None = None) -> Detaching:
    """Take programs off, read back until the kernel agrees, and remove what held them.

    Goes on with a warning where the journal can't be used: this is the safe direction. Raises
    ConflictError `ebpf.not_ours` and `ebpf.dispatcher`, NotFoundError `ebpf.not_attached`,
    `ebpf.no_such_interface` and `ebpf.no_such_netns`, NotPermittedError `ebpf.not_permitted`, and
    UnavailableError `ebpf.still_attached`.
    """
    with namespaces.entered(request.netns):
        chosen = _chosen(request)
        if not any(found for _, found in chosen):
            return Detaching(tuple(_nothing(interface, request) for interface, _ in chosen))
        capabilities.require("CAP_NET_ADMIN")
        with nullcontext() if operation else _journaled(request):
            return Detaching(
                tuple(
                    _nothing(interface, request)
                    if found is None
                    else _take_off(interface, found, request)
                    for interface, found in chosen
                )
            )


def release(found: Attachment, filesystem: Path) -> None:
    """Take one attachment off, and remove its pin, parts and keeper; OSError, as `detach`."""
    if found.link_id is not None:
        _detach_link(found)
    elif found.attachment is not Holding.LINK:
        _detach_by_netlink(found)
    if found.pinned_at:
        pins.remove(Path(found.pinned_at))
    if found.holder_pid is not None and found.owner is Owner.X0TTA:
        # It looks whether anything is left to hold; if not, it removes the parts and ends.
        with suppress(ProcessLookupError):
            os.kill(found.holder_pid, signal.SIGHUP)
    elif found.operation is not None and not _is_elsewhere(found, filesystem):
        pins.remove_parts(filesystem, found.operation)


def _chosen(request: DetachRequest) -> list[tuple[Interface, Attachment | None]]:
    inventory = attachments.take_inventory(request.filesystem)
    chosen: list[tuple[Interface, Attachment | None]] = []
    for name in dict.fromkeys(request.interfaces):
        interface = find_interface(name)
        found = _choose(interface, list(inventory.on(interface, request.netns)), request)
        chosen += [(interface, one) for one in found] or [(interface, None)]
    if request.id is not None and not any(found for _, found in chosen):
        raise _not_attached(request, inventory)
    return chosen


def _choose(
    interface: Interface, there: Sequence[Attachment], request: DetachRequest
) -> list[Attachment]:
    if request.id is not None:
        named = [found for found in there if found.id == request.id]
        for found in named:
            if found.owner is Owner.LIBXDP:
                raise _dispatcher(found)
        return named
    ours = [
        found
        for found in attachments.ours(there)
        if request.program is None or found.program == request.program
    ]
    foreign = [found for found in there if found.owner is not Owner.X0TTA]
    if not ours and foreign:
        if not foreign[0].is_told:
            # It may be ours all the same, held by a keeper.
            capabilities.require("CAP_SYS_ADMIN")
        raise _not_ours(interface, foreign[0], request)
    return ours


def _take_off(interface: Interface, found: Attachment, request: DetachRequest) -> Detached:
    started = time.monotonic()
    try:
        release(found, request.filesystem)
    except OSError as error:
        if error.errno in {errno.EPERM, errno.EACCES}:
            raise capabilities.lacking(("CAP_NET_ADMIN", "CAP_SYS_ADMIN")) from error
        if find_index(interface.index) is not None:
            raise
        # The interface went away meanwhile, and its programs with it.
    if not links.wait_until_gone(interface.index, found.id):
        raise _still_attached(found)
    lost = lost_ms(interface, started)
    still_loaded = _is_loaded(found.id)
    notes = []
    if still_loaded:
        open_in = ", ".join(holders.holders_of(program_id=found.id)) or "another link or pin"
        notes.append(f"loaded, attached nowhere here: {open_in} still has it")
    return replace(
        _detached(found, request, would_change=False),
        changed=True,
        carrier_lost_ms=lost,
        still_loaded=still_loaded,
        notes=tuple(notes),
    )


def _detach_link(found: Attachment) -> None:
    assert found.link_id is not None  # noqa: S101 - asked for by the caller
    try:
        descriptor = syscalls.open_link(found.link_id)
    except PermissionError:
        # Without CAP_SYS_ADMIN our own is reached by its pin.
        if not found.pinned_at:
            raise
        descriptor = syscalls.open_pin(found.pinned_at)
    except FileNotFoundError:
        return
    try:
        syscalls.detach_link(descriptor)
    finally:
        os.close(descriptor)


def _detach_by_netlink(found: Attachment) -> None:
    descriptor = syscalls.open_program(found.id)
    try:
        set_program(found.index, -1, found.mode, XDP_FLAGS_REPLACE, expected_fd=descriptor)
    finally:
        os.close(descriptor)


def _is_elsewhere(found: Attachment, filesystem: Path) -> bool:
    """Whether the same operation still has the program on another interface."""
    return any(pin.label.operation == found.operation for pin in pins.list_pins(filesystem))


def _is_loaded(program_id: int) -> bool:
    """Whether a program stays loaded; the kernel unloads one that nobody has a moment later."""
    deadline = time.monotonic() + UNLOADED_WITHIN_S
    while True:
        try:
            os.close(syscalls.open_program(program_id))
        except OSError as error:
            # Without CAP_SYS_ADMIN nobody can say, and so nobody claims it.
            return error.errno not in {errno.ENOENT, errno.EPERM}
        if time.monotonic() > deadline:
            return True
        time.sleep(links.POLL_S)


@contextmanager
def _journaled(request: DetachRequest) -> Iterator[None]:
    try:
        operation = journal.begin("ebpf.detach", request.as_plan())
    except OperatorError as error:
        log.warning("goes on without the journal", extra={"reason": str(error)})
        yield
        return
    try:
        with operation.step("detach"):
            yield
        operation.finish()
    except BaseException as error:
        operation.fail(error)
        raise
    finally:
        operation.close()


def _nothing(interface: Interface, request: DetachRequest) -> Detached:
    return Detached(
        interface.name,
        request.netns,
        program=None,
        id=None,
        operation=None,
        changed=False,
        notes=("nothing of x0tta's is there; nothing was sent to the kernel",),
    )


def _detached(found: Attachment, request: DetachRequest, *, would_change: bool) -> Detached:
    return Detached(
        found.interface,
        request.netns,
        found.program,
        found.id,
        found.operation,
        changed=False,
        would_change=would_change,
    )


def _not_ours(interface: Interface, found: Attachment, request: DetachRequest) -> ConflictError:
    return ConflictError(
        "ebpf.not_ours",
        f"The program on {interface.name} is not x0tta's: {occupied.described(found)}.",
        reason=f"{occupied.whereabouts(found, request.filesystem)} Nothing was changed.",
        fix=f"Ask whose it is; x0tta ebpf detach {found.place} --id {found.id} takes it off "
        "all the same.",
        context={"interface": interface.name, "id": found.id, "owner": found.owner.value},
    )


def _dispatcher(found: Attachment) -> ConflictError:
    error = occupied.dispatcher_in_use(found, "FILE")
    error.fix = f"Take its parts off with the tool whose it is: xdp-loader unload {found.interface}"
    return error


def _not_attached(request: DetachRequest, inventory: Inventory) -> NotFoundError:
    there = [
        str(found.id)
        for name in request.interfaces
        for found in inventory.on(find_interface(name), request.netns)
    ]
    return NotFoundError(
        "ebpf.not_attached",
        f"Program {request.id} is on none of {', '.join(request.interfaces)}.",
        reason=f"What is there: {', '.join(there) or 'nothing'}.",
        fix="x0tta ebpf list",
        context={"id": request.id},
    )


def _still_attached(found: Attachment) -> UnavailableError:
    return UnavailableError(
        "ebpf.still_attached",
        f"The kernel still shows program {found.id} on {found.interface}.",
        reason=f"It was told to take it off, and had {links.GONE_WITHIN_S:g} s for it.",
        fix=f"sudo bpftool link detach id {found.link_id}"
        if found.link_id
        else f"sudo ip link set dev {found.interface} xdp off",
        context={"interface": found.interface, "id": found.id},
    )
