"""Putting a program on every interface of a request, or on none; in which way the drivers allow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict

from x0tta_cli.core.errors import UnsupportedError
from x0tta_cli.ebpf import attachments, links, refusals
from x0tta_cli.ebpf import occupied as occupied_by
from x0tta_cli.ebpf.interfaces import find_index
from x0tta_cli.ebpf.links import AllRefused, Held, Occupied
from x0tta_cli.ebpf.model import Interface, Mode, Refusal
from x0tta_cli.ebpf.situation import Situation, choose_modes, holding_of, look


def attach_all(situation: Situation, stack: ExitStack) -> tuple[Situation, list[Held]]:
    """Attach to every interface, with fragments first, without them where a driver has none."""
    try:
        held = _try_all(situation)
    except AllRefused as refused:
        if not _may_help_without_fragments(situation, refused.refused):
            raise _mode_refused(situation, refused) from refused
        held = []
    if held and not _may_help_without_fragments(
        situation, [refusal for one in held for refusal in one.refusals]
    ):
        return situation, held
    _let_go(held)
    plain = look(situation.request, stack, frags=False)
    try:
        return plain, _try_all(plain)
    except AllRefused as refused:
        raise _mode_refused(situation, refused) from refused


def _may_help_without_fragments(situation: Situation, refused: Sequence[Refusal]) -> bool:
    is_shipped = isinstance(situation.request.program, str)
    return (
        is_shipped
        and situation.loaded.frags
        and any(refusal.mode is Mode.NATIVE for refusal in refused)
    )


def _try_all(situation: Situation) -> list[Held]:
    request, held = situation.request, []
    try:
        for interface in situation.interfaces:
            held.append(_try_one(situation, interface))
    except Occupied as answer:
        _let_go(held)
        inventory = attachments.take_inventory(request.filesystem)
        now = find_index(interface.index) or interface
        there = list(inventory.on(now, request.netns))
        if not there:
            raise occupied_by.something_in_the_way(now, str(answer)) from None
        raise occupied_by.program_in_use(
            there[0], there, request.file, request.filesystem
        ) from None
    except BaseException:
        _let_go(held)
        raise
    return held


def _try_one(situation: Situation, interface: Interface) -> Held:
    request, program_fd = situation.request, situation.loaded.fd
    if request.replace is not None:
        [found] = [one for one in situation.on(interface) if one.id == request.replace]
        return links.replace(program_fd, interface, found)
    choice = choose_modes(situation, interface)
    return links.attach(program_fd, interface, choice.modes, holding_of(request))


def _let_go(held: Sequence[Held]) -> None:
    for one in held:
        one.let_go()


def _mode_refused(situation: Situation, answer: AllRefused) -> UnsupportedError:
    refused = [one for one in answer.refused if one.mode is not Mode.HARDWARE] or answer.refused
    wanted = situation.request.at_least or situation.request.mode
    return UnsupportedError(
        "ebpf.mode_refused",
        f"{refused[0].interface} takes {situation.loaded.name} in no mode that was asked for "
        f"({wanted}).",
        reason=". ".join(refusals.in_words(one) for one in answer.refused)
        + ". Nothing is attached.",
        fix=refused[0].fix,
        context={
            "interface": refused[0].interface,
            "refusals": [asdict(one) for one in answer.refused],
        },
    )
