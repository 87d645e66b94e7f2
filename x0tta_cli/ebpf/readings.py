"""The maps of what is attached: found by the interface, opened by id, told apart by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ebpf import attachments, capabilities, namespaces, syscalls
from x0tta_cli.ebpf.identifiers import opened
from x0tta_cli.ebpf.interfaces import list_interfaces
from x0tta_cli.ebpf.model import Attachment, Owner
from x0tta_cli.ebpf.programs import SHIPPED
from x0tta_cli.ebpf.syscalls import MapInfo

KERNEL_PREFIX = "x0tta_"
BETWEEN = "+"
ANY = "INTERFACE"
_MAPS_OF = {program.name: program.maps for program in SHIPPED}


@dataclass(frozen=True, slots=True)
class OpenMap:
    """A map by its open descriptor."""

    fd: int
    information: MapInfo


def shipped_name(attachment: Attachment) -> str | None:
    """Name the shipped program that is attached; None where it is another's.

    Also one that another tool attached from our object file is ours to read.
    """
    name = attachment.program.removeprefix(KERNEL_PREFIX)
    is_ours = attachment.owner is Owner.X0TTA or attachment.program.startswith(KERNEL_PREFIX)
    return name if is_ours and name in _MAPS_OF else None


def attached(
    interface: str, netns: str | None, needed_map: str, filesystem: Path
) -> tuple[Attachment, ...]:
    """Find the shipped programs on an interface that have the map.

    Raises NotFoundError `ebpf.no_such_interface`, `ebpf.nothing_to_read`, NotPermittedError
    `ebpf.not_permitted`.
    """
    found = attachments.find(interface, netns, filesystem=filesystem)
    able = tuple(item for item in found if needed_map in _MAPS_OF.get(shipped_name(item) or "", ()))
    if not able:
        _require_sight(found)
        place = f"{interface} --netns {netns}" if netns else interface
        raise nothing_to_read(place, found, needed_map)
    return able


def attached_anywhere(
    netns: str | None, needed_map: str, filesystem: Path
) -> tuple[Attachment, ...]:
    """Find the shipped programs of a namespace that have the map, `joined`.

    Raises NotPermittedError `ebpf.not_permitted` where there are some of which nothing is told.
    """
    found = attachments.list_all(netns, filesystem=filesystem)
    _require_sight(found)
    return joined(
        item for item in found if needed_map in _MAPS_OF.get(shipped_name(item) or "", ())
    )


def chosen(
    interfaces: Sequence[str], netns: str | None, needed_map: str, filesystem: Path
) -> tuple[Attachment, ...]:
    """Find the shipped programs with the map on these interfaces, or on all where none is named.

    Gives them `joined`. Raises as `attached`, and NotFoundError `ebpf.nothing_to_read` where there
    is none at all.
    """
    if interfaces:
        return joined(
            item for name in interfaces for item in attached(name, netns, needed_map, filesystem)
        )
    found = attached_anywhere(netns, needed_map, filesystem)
    if not found:
        raise nothing_to_read(ANY, (), needed_map)
    return found


def joined(found: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """Make one of attachments that are one program: its maps count all its interfaces together.

    The interface of such a one is their names with a plus between.
    """
    by_program: dict[int, list[Attachment]] = {}
    for item in found:
        by_program.setdefault(item.id, []).append(item)
    return tuple(
        replace(items[0], interface=BETWEEN.join(item.interface for item in items))
        for items in by_program.values()
    )


def counted_with(attachment: Attachment) -> tuple[str, ...]:
    """Name the other interfaces of the namespace that have the very same program."""
    with namespaces.entered(attachment.netns):
        interfaces = list_interfaces()
    return tuple(
        interface.name
        for interface in interfaces
        if attachment.id in dict(interface.programs).values()
        and interface.name not in attachment.interface.split(BETWEEN)
    )


@contextmanager
def opened_maps(attachment: Attachment) -> Iterator[Mapping[str, OpenMap]]:
    """Open the maps of an attached program for the block.

    Raises NotPermittedError `ebpf.not_permitted`, NotFoundError `ebpf.detached_meanwhile`.
    """
    if not attachment.map_ids:
        capabilities.require("CAP_SYS_ADMIN")
    with ExitStack() as stack:
        maps = {}
        try:
            for identifier in attachment.map_ids:
                descriptor = stack.enter_context(opened(syscalls.open_map, identifier))
                information = syscalls.map_info(descriptor)
                maps[information.name] = OpenMap(descriptor, information)
        except FileNotFoundError:
            raise detached_meanwhile(attachment) from None
        yield maps


def _require_sight(found: Iterable[Attachment]) -> None:
    """Not to take for absent what may not be seen."""
    if not all(item.is_told for item in found):
        capabilities.require("CAP_SYS_ADMIN")


def detached_meanwhile(attachment: Attachment) -> NotFoundError:
    """Say that a program went away while it was read."""
    return NotFoundError(
        "ebpf.detached_meanwhile",
        f"The program {attachment.program} is no longer on {attachment.interface}.",
        reason="It was detached, or its interface went, while it was being read.",
        fix="x0tta ebpf list shows what is attached.",
        context={"interface": attachment.interface, "id": attachment.id},
    )


def nothing_to_read(place: str, found: tuple[Attachment, ...], needed_map: str) -> NotFoundError:
    """Say that no program keeps what was asked for, and which would.

    `place` is an interface as the words of a command line name it, or ANY.
    """
    able = [name for name, maps in _MAPS_OF.items() if needed_map in maps]
    there = ", ".join(item.program or f"program {item.id}" for item in found)
    interface = place.partition(" ")[0]
    return NotFoundError(
        "ebpf.nothing_to_read",
        f"No attached program keeps {needed_map}."
        if place == ANY
        else f"No program on {interface} keeps {needed_map}.",
        reason=f"Attached there: {there}." if found else "No such XDP program is attached.",
        fix=f"x0tta ebpf attach {place} --program {able[0]}",
        context={"interface": interface, "programs": [item.id for item in found]},
    )
