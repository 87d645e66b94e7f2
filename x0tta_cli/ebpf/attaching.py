"""Attaching: on all interfaces or on none, and never so that somebody who matters is cut off.

Until the last step every link is held by this process alone, so that the kernel takes all of it
off again should the process be killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from x0tta_cli.core import journal
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.ebpf import (
    capabilities,
    carrier,
    links,
    modes,
    namespaces,
    pins,
    syscalls,
)
from x0tta_cli.ebpf.interfaces import find_index
from x0tta_cli.ebpf.labels import Label
from x0tta_cli.ebpf.links import Held
from x0tta_cli.ebpf.model import Attachment, HostCheck, Interface, Mode, Owner
from x0tta_cli.ebpf.outcomes import Attached, Attaching, AttachPlan, PlannedAttachment
from x0tta_cli.ebpf.placing import attach_all
from x0tta_cli.ebpf.requests import AttachRequest
from x0tta_cli.ebpf.situation import (
    Situation,
    check_holding,
    choose_modes,
    holding_of,
    look,
    refuse_occupied,
    unchanged,
)

if TYPE_CHECKING:
    from x0tta_cli.ebpf.keeping import KeeperProcess
    from x0tta_cli.ebpf.selfcheck import Target

KEPT_BY_KEEPER, KEPT_BY_PIN = "a keeper process", "a pin"


def attach(request: AttachRequest, operation: journal.Operation | None = None) -> Attaching:
    """Attach a program as requested; journaled, unless nothing has to be changed.

    `operation` is one that is gone on with. Raises ConflictError `ebpf.program_in_use`,
    `ebpf.dispatcher`, `ebpf.replaced_meanwhile` and `ebpf.interface_changed`, UnsupportedError
    `ebpf.mode_refused`, `ebpf.no_link`, `ebpf.link_type` and `ebpf.no_bpf_filesystem`,
    UnavailableError `ebpf.self_check_failed` and `ebpf.keeper_failed`, NotFoundError
    `ebpf.no_such_interface` and `ebpf.no_such_netns`, NotPermittedError `ebpf.not_permitted` and
    `ebpf.pin_refused`, and what `loading.load` raises.
    """
    capabilities.require("CAP_BPF", "CAP_NET_ADMIN")
    with ExitStack() as stack:
        stack.enter_context(namespaces.entered(request.netns))
        situation = look(request, stack, frags=True)
        if in_place := unchanged(situation):
            return in_place
        refuse_occupied(situation)
        check_holding(situation)
        if operation is not None:
            return _carry_out(situation, operation, stack)
        with journal.operation("ebpf.attach", request.as_plan()) as begun:
            return _carry_out(situation, begun, stack)


def plan(request: AttachRequest) -> AttachPlan:
    """Say what attaching would do; loads the program to see that the kernel takes it."""
    with ExitStack() as stack:
        stack.enter_context(namespaces.entered(request.netns))
        situation = look(request, stack, frags=True)
        same = unchanged(situation)
        if not same:
            refuse_occupied(situation)
            check_holding(situation)
        holding = holding_of(request)
        kept = KEPT_BY_KEEPER if situation.is_kept_by_process else KEPT_BY_PIN
        choices = [(each, choose_modes(situation, each)) for each in situation.interfaces]
        planned = tuple(
            PlannedAttachment(
                interface.name,
                request.netns,
                situation.loaded.name,
                choice.modes,
                holding,
                kept,
                would_change=not same,
                effects=modes.effects_of_native(interface) if Mode.NATIVE in choice.modes else (),
                notes=(*choice.notes, *_notes_of_object(situation)),
            )
            for interface, choice in choices
        )
    return AttachPlan(planned)


def _carry_out(situation: Situation, operation: journal.Operation, stack: ExitStack) -> Attaching:
    targets = _find_targets(situation)
    started = time.monotonic()
    with ExitStack() as undoing:
        with operation.step("attach") as step:
            situation, held = attach_all(situation, stack)
            for one in held:
                undoing.callback(one.let_go)
            step.result = {one.interface.name: one.mode.value for one in held}
        lost_ms = [carrier.lost_ms(one.interface, started) for one in held]
        _check_still_there(situation.interfaces)
        kept = _Kept(_label(situation, operation))
        if situation.is_kept_by_process:
            kept.keeper = _start_keeper(situation, held, targets, kept.label)
            undoing.callback(kept.keeper.abandon)
            kept.keeper.take_over()
        if situation.loaded.can_drop:
            with operation.step("check"):
                kept.checked = _check_hosts(targets, situation)
        with operation.step("keep") as step:
            _keep(situation, held, kept, undoing)
            step.result = {"pinned_at": [str(path) for path in kept.paths.values()]}
        undoing.pop_all()
    result = [
        _attached(situation, one, kept, lost) for one, lost in zip(held, lost_ms, strict=True)
    ]
    for one in held:
        one.close()
    return Attaching(tuple(result))


@dataclass(slots=True)
class _Kept:
    """By what an attachment is kept, and who answered while it was there."""

    label: Label
    keeper: KeeperProcess | None = None
    paths: dict[int, Path] = field(default_factory=dict)
    checked: list[HostCheck] = field(default_factory=list)


def _label(situation: Situation, operation: journal.Operation) -> Label:
    now = datetime.now(UTC).replace(microsecond=0)
    lasts = situation.request.lasts
    return Label(
        situation.loaded.name,
        operation.id,
        now,
        situation.loaded.parameters_digest,
        None if lasts is None else now + lasts,
    )


def _check_hosts(targets: Sequence[Target], situation: Situation) -> list[HostCheck]:
    from x0tta_cli.ebpf import selfcheck

    checked = selfcheck.check(targets)
    lost = selfcheck.cut_off(targets, checked)
    if lost:
        names = ", ".join(f"{found.host} ({found.role})" for found in lost)
        raise UnavailableError(
            "ebpf.self_check_failed",
            f"With {situation.loaded.name} attached, {names} no longer answered; it was taken "
            "off again.",
            reason="They answered before. Their neighbour entries were forgotten first, so that a "
            "warm table could not hide it.",
            fix="Let them pass: --keep HOST, or other parameters; --strict takes that away.",
            context={"hosts": [found.host for found in lost]},
        )
    return checked


def _find_targets(situation: Situation) -> list[Target]:
    if not situation.loaded.can_drop:
        return []
    from x0tta_cli.ebpf import selfcheck

    # Whoever is logged in came through the own namespace, not through another.
    peer = selfcheck.ssh_peer() if situation.request.netns is None else None
    try:
        return selfcheck.find_targets(situation.interfaces, situation.keep, ssh_peer=peer)
    except PermissionError as error:
        raise capabilities.lacking(("CAP_NET_RAW",)) from error


def _check_still_there(interfaces: Sequence[Interface]) -> None:
    for interface in interfaces:
        now = find_index(interface.index)
        if now is None or now.name != interface.name:
            raise links.vanished(interface)


def _start_keeper(
    situation: Situation,
    held: Sequence[Held],
    targets: Sequence[Target],
    label: Label,
) -> KeeperProcess:
    from x0tta_cli.ebpf.keeper import Kept, Request
    from x0tta_cli.ebpf.keeping import KeeperProcess

    loaded = situation.loaded
    kept = tuple(
        Kept(one.interface.name, one.interface.index, one.mode.value, loaded.fd, one.link_fd)
        for one in held
    )
    request = Request(
        kept,
        situation.until_ns,
        tuple(asdict(target) for target in targets),
        situation.request.check_again.total_seconds(),
        label.operation,
        str(situation.request.filesystem) if loaded.has_pins else None,
    )
    tail_calls = [loaded.maps[name] for name in loaded.tail_calls]
    link_fds = [one.link_fd for one in held if one.link_fd is not None]
    return KeeperProcess(
        request, label, [loaded.fd, *link_fds, *tail_calls, *loaded.parts.values()]
    )


def _keep(situation: Situation, held: Sequence[Held], kept: _Kept, undoing: ExitStack) -> None:
    """Let it outlive this process: by the keeper, or by a pin for each interface."""
    filesystem, operation = situation.request.filesystem, kept.label.operation
    if situation.loaded.has_pins and pins.is_mounted(filesystem):
        undoing.callback(pins.remove_parts, filesystem, operation)
        situation.loaded.pin_parts(filesystem, operation)
    if kept.keeper is not None:
        kept.keeper.confirm()
    else:
        _pin(situation, held, kept, undoing)
    for interface in situation.interfaces:
        for found in situation.on(interface):
            if found.id == situation.request.replace:
                _forget_replaced(found)


def _pin(situation: Situation, held: Sequence[Held], kept: _Kept, undoing: ExitStack) -> None:
    filesystem = situation.request.filesystem
    for one in held:
        place = pins.Place(one.interface.name, one.interface.index, namespaces.identity())
        descriptor, kind = one.link_fd, pins.LINK
        if descriptor is None:
            descriptor, kind = situation.loaded.fd, pins.PROGRAM
        path = pins.pin(filesystem, kind, descriptor, place, kept.label)
        undoing.callback(pins.remove, path)
        kept.paths[one.interface.index] = path


def _notes_of_object(situation: Situation) -> Iterator[str]:
    """Say what an object by other hands has that is not to be seen on the interface."""
    loaded, filesystem = situation.loaded, situation.request.filesystem
    if loaded.parts and not loaded.tail_calls:
        yield f"the first XDP program of the object; not attached: {', '.join(loaded.parts)}"
    if loaded.named_maps:
        names = ", ".join(loaded.named_maps)
        if pins.is_mounted(filesystem):
            yield f"maps pinned in {filesystem}, as the object asks: {names}"
        else:
            yield f"no BPF file system at {filesystem}: maps not pinned as the object asks: {names}"


def _forget_replaced(found: Attachment) -> None:
    """Remove what held the program before: its pin, or its keeper's interest in the link."""
    if found.owner is not Owner.X0TTA:
        return
    if found.pinned_at:
        pins.remove(Path(found.pinned_at))
    if found.holder_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(found.holder_pid, signal.SIGHUP)


def _attached(situation: Situation, held: Held, kept: _Kept, lost_ms: float | None) -> Attached:
    notes = list(choose_modes(situation, held.interface).notes)
    if held.previous_fd is not None:
        notes = [f"replaced program {situation.request.replace} in place"]
    if held.mode is Mode.GENERIC:
        notes.append("generic mode: packets may have been merged; compare bytes, not packets")
    notes += _notes_of_object(situation)
    path = kept.paths.get(held.interface.index)
    return Attached(
        interface=held.interface.name,
        netns=situation.request.netns,
        mode=held.mode,
        attachment=held.holding,
        program=situation.loaded.name,
        id=situation.loaded.id,
        link_id=None if held.link_fd is None else syscalls.link_info(held.link_fd).id,
        operation=kept.label.operation,
        expires_at=kept.label.expires_at,
        pinned_at=str(path) if path else None,
        keeper_pid=kept.keeper.pid if kept.keeper else None,
        changed=True,
        carrier_lost_ms=lost_ms,
        refusals=held.refusals,
        checked=tuple(one for one in kept.checked if one.interface == held.interface.name),
        notes=tuple(notes),
    )
