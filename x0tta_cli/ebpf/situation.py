"""What an attach request meets: interfaces, the program, and what is attached already."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from x0tta_cli.core.errors import UnsupportedError, UsageError
from x0tta_cli.ebpf import attachments, links, modes, pins
from x0tta_cli.ebpf import occupied as occupied_by
from x0tta_cli.ebpf.addresses import Address
from x0tta_cli.ebpf.attachments import Inventory
from x0tta_cli.ebpf.clock import boot_ns
from x0tta_cli.ebpf.hosts import resolve
from x0tta_cli.ebpf.interfaces import find_interface
from x0tta_cli.ebpf.loading import LoadedProgram, load
from x0tta_cli.ebpf.model import Attachment, Holding, Interface, LinkType, Owner
from x0tta_cli.ebpf.outcomes import Attached, Attaching
from x0tta_cli.ebpf.requests import AttachRequest


class Situation(NamedTuple):
    """What an attach request meets: interfaces, what is on them, and the program, loaded."""

    request: AttachRequest
    interfaces: tuple[Interface, ...]
    link_type: LinkType
    inventory: Inventory
    loaded: LoadedProgram
    keep: tuple[Address, ...]
    until_ns: int | None

    @property
    def is_kept_by_process(self) -> bool:
        """Whether a keeper holds it rather than a pin."""
        return self.loaded.can_drop or self.request.lasts is not None

    def on(self, interface: Interface) -> list[Attachment]:
        """Give what is attached there."""
        return list(self.inventory.on(interface, self.request.netns))


def look(request: AttachRequest, stack: ExitStack, *, frags: bool) -> Situation:
    """Read the interfaces, load the program, and see what is attached; raises as `attach`."""
    interfaces = tuple(find_interface(name) for name in dict.fromkeys(request.interfaces))
    link_type = _link_type(interfaces)
    keep = tuple(address for host in request.keep for address in resolve(host))
    until_ns = None
    if request.lasts is not None:
        until_ns = boot_ns() + int(request.lasts.total_seconds() * 1e9)
    loaded = load(
        request.program,
        parameters=request.parameters,
        link_type=link_type.value,
        frags=frags,
        deadline_ns=until_ns,
        keep=keep,
        strict=request.strict,
        filesystem=request.filesystem,
    )
    stack.callback(loaded.close)
    inventory = attachments.take_inventory(request.filesystem)
    return Situation(request, interfaces, link_type, inventory, loaded, keep, until_ns)


def unchanged(situation: Situation) -> Attaching | None:
    """Tell that all of it is in place already; None where anything is not."""
    found = []
    for interface in situation.interfaces:
        same = [one for one in situation.on(interface) if _is_same(one, situation)]
        if not same:
            return None
        found.append(_attached_already(same[0], situation.request))
    return Attaching(tuple(found))


def refuse_occupied(situation: Situation) -> None:
    """Refuse an interface that has another program than the one that may be replaced."""
    request = situation.request
    for interface in situation.interfaces:
        there = situation.on(interface)
        if request.replace is not None:
            _refuse_replacing(request, interface, there)
            continue
        for found in there:
            raise occupied_by.program_in_use(found, there, request.file, request.filesystem)


def holding_of(request: AttachRequest) -> Holding:
    """Choose what is to hold the program: a link wherever the kernel has them."""
    if request.holding == Holding.NETLINK.value:
        return Holding.NETLINK
    if request.holding == Holding.LINK.value or links.kernel_has_links():
        return Holding.LINK
    return Holding.NETLINK


def check_holding(situation: Situation) -> None:
    """Refuse what could not be held as it has to be."""
    request = situation.request
    if not situation.is_kept_by_process:
        pins.require_filesystem(request.filesystem)
    if (
        holding_of(request) is Holding.NETLINK
        and situation.loaded.can_drop
        and request.lasts is None
    ):
        raise UnsupportedError(
            "ebpf.no_link",
            "A program that can drop would stay here with nobody holding it.",
            reason="Held by netlink, it outlives its keeper when that is killed; links come with "
            "Linux 5.9.",
            fix="Give it an end, which the program itself keeps: --for 10m. Where ebpf.attachment "
            "is set to netlink, set it to auto.",
        )


def choose_modes(situation: Situation, interface: Interface) -> modes.Choice:
    """Choose the modes to try on one interface."""
    request = situation.request
    return modes.choose(
        interface, request.mode, request.at_least, can_drop=situation.loaded.can_drop
    )


def _link_type(interfaces: Sequence[Interface]) -> LinkType:
    found = {interface.link_type for interface in interfaces}
    unknown = [one for one in interfaces if one.link_type is None]
    if unknown:
        raise UnsupportedError(
            "ebpf.link_type",
            f"{unknown[0].name} is neither an Ethernet nor an IP interface.",
            reason=f"Its packets (ARPHRD {unknown[0].hardware_type}) begin with a header that no "
            "XDP program of x0tta reads.",
            fix="Attach to an interface that carries Ethernet frames or IP packets.",
        )
    if len(found) > 1:
        raise UsageError(
            "ebpf.mixed_link_types",
            "Ethernet and IP interfaces were named together.",
            reason="A program is loaded for one or the other: their packets begin differently.",
            fix="Attach to them one kind after the other.",
        )
    link_type = found.pop()
    assert link_type is not None  # noqa: S101 - refused above
    return link_type


def _is_same(found: Attachment, situation: Situation) -> bool:
    request, loaded = situation.request, situation.loaded
    if request.mode not in {modes.AUTO, found.mode.value}:
        return False
    if request.at_least and found.mode.strength < request.at_least.strength:
        return False
    # The digest sums up the code as well; the tag, which is not told to everyone, only tells
    # whether another has swapped the program in our link.
    return found.tag in {"", loaded.tag} and (
        found.owner,
        found.program,
        found.parameters_digest,
    ) == (Owner.X0TTA, loaded.name, loaded.parameters_digest)


def _attached_already(found: Attachment, request: AttachRequest) -> Attached:
    assert found.operation is not None  # noqa: S101 - ours has one
    until = f"stays until {found.expires_at:%Y-%m-%d %H:%M:%S} UTC" if found.expires_at else ""
    notes = [f"attached already; {until or 'stays'}"]
    if not found.tag:
        notes.append(
            "whether another has swapped it in our link since, CAP_SYS_ADMIN alone is told"
        )
    if request.lasts is not None:
        notes.append(f"--for changes no end: detach it first, or swap it: --replace {found.id}")
    return Attached(
        interface=found.interface,
        netns=found.netns,
        mode=found.mode,
        attachment=found.attachment or Holding.LINK,
        program=found.program,
        id=found.id,
        link_id=found.link_id,
        operation=found.operation,
        expires_at=found.expires_at,
        pinned_at=found.pinned_at,
        keeper_pid=found.holder_pid,
        changed=False,
        carrier_lost_ms=None,
        notes=tuple(notes),
    )


def _refuse_replacing(
    request: AttachRequest, interface: Interface, there: Sequence[Attachment]
) -> None:
    for found in there:
        if found.id != request.replace:
            continue
        if found.owner is Owner.LIBXDP:
            raise occupied_by.dispatcher_in_use(found, request.file)
        if request.mode not in {modes.AUTO, found.mode.value}:
            raise UsageError(
                "ebpf.contradicting_modes",
                f"Program {found.id} is replaced in its place, which is {found.mode} mode.",
                fix="Leave --mode out, or detach it first.",
            )
        return
    known = ", ".join(str(one.id) for one in there) or "none"
    raise links.replaced_meanwhile(
        interface.name, request.replace or 0, f"What is there: {known}. Nothing was changed."
    )
