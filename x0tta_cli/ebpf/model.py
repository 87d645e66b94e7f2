"""The nouns of XDP attachment, shared by everything under `x0tta ebpf`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from x0tta_cli.core.errors import ExitStatus


class Mode(StrEnum):
    """Where a program runs: in the card, in the driver, or in the kernel's common code."""

    HARDWARE = "hw"
    NATIVE = "native"
    GENERIC = "generic"

    @property
    def strength(self) -> int:
        """How early a packet meets the program: 3 in the card, 1 in the common code."""
        return {Mode.HARDWARE: 3, Mode.NATIVE: 2, Mode.GENERIC: 1}[self]


class Holding(StrEnum):
    """What keeps a program on its interface."""

    LINK = "link"
    NETLINK = "netlink"


class Owner(StrEnum):
    """Whose program it is, as far as the kernel and the BPF file system tell."""

    X0TTA = "x0tta"
    LIBXDP = "libxdp"
    OTHER = "other"


class LinkType(StrEnum):
    """What the first byte of a packet belongs to: an Ethernet or an IP header."""

    ETHERNET = "ethernet"
    IP = "ip"


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface as netlink shows it; `index` is the kernel's name for it.

    `kind` is the driver's word in rtnetlink ("veth", "bond", "vlan", "tun", empty for hardware),
    `programs` are the ids of the XDP programs on it, by mode. `parent_index` is the interface that
    a VLAN stands on or a veth's other end, `upper_index` the bond or bridge that it is part of.
    """

    name: str
    index: int
    link_type: LinkType | None
    kind: str
    mtu_bytes: int
    is_up: bool
    has_carrier: bool
    carrier_changes: int
    programs: tuple[tuple[Mode, int], ...]
    parent_index: int = 0
    upper_index: int = 0
    hardware_type: int = 1
    bond_mode: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One program that a dispatcher calls, in its order."""

    program: str
    id: int
    pinned_at: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One XDP program on one interface.

    `netns` names the network namespace where it is not the caller's own. `id` is the program's;
    `link_id`, `map_ids` and `attachment` are None or empty where CAP_SYS_ADMIN is missing to ask.
    `operation`, `expires_at` and `pinned_at` are known of our own alone; `holder_pid` is the
    process that holds an unpinned link, and with which the attachment ends.
    """

    interface: str
    index: int
    netns: str | None
    mode: Mode
    attachment: Holding | None
    program: str
    id: int
    owner: Owner
    operation: str | None = None
    expires_at: datetime | None = None
    pinned_at: str | None = None
    link_id: int | None = None
    map_ids: tuple[int, ...] = ()
    tag: str = ""
    parameters_digest: str | None = None
    attached_at: datetime | None = None
    holder_pid: int | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a mode was not to be had: the kernel's words where it has any, and what mends it."""

    interface: str
    mode: Mode
    errno: int
    kernel_text: str
    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class HostCheck:
    """How one host answered: its link-layer address anew, and a round trip (milliseconds).

    `round_trip_ms` is None where it never answered an echo, also before the attachment.
    """

    host: str
    interface: str
    role: str
    neighbour_fresh: bool
    round_trip_ms: float | None
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Attached:
    """What became of one interface of an attach command."""

    interface: str
    netns: str | None
    mode: Mode
    attachment: Holding
    program: str
    id: int
    link_id: int | None
    operation: str
    expires_at: datetime | None
    pinned_at: str | None
    keeper_pid: int | None
    changed: bool
    carrier_lost_ms: float | None
    refusals: tuple[Refusal, ...] = ()
    checked: tuple[HostCheck, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attaching:
    """What an attach command did, an interface a row."""

    attached: tuple[Attached, ...]

    @property
    def rows(self) -> tuple[Attached, ...]:
        """One row for each interface."""
        return self.attached


@dataclass(frozen=True, slots=True)
class FollowEvent:
    """Something that happened to a followed interface.

    `event` is attached, unchanged, missing, or failed; `code` that of the error of a failure.
    """

    at: datetime
    interface: str
    event: str
    index: int | None = None
    mode: Mode | None = None
    id: int | None = None
    operation: str | None = None
    code: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PlannedAttachment:
    """What attaching would do to one interface; `effects` is what native mode changes there."""

    interface: str
    netns: str | None
    program: str
    modes: tuple[Mode, ...]
    attachment: Holding
    held_by: str
    would_change: bool
    effects: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachPlan:
    """The plan of an attach command."""

    planned: tuple[PlannedAttachment, ...]

    @property
    def rows(self) -> tuple[PlannedAttachment, ...]:
        """One row for each interface."""
        return self.planned

    @property
    def would_change(self) -> bool:
        """Whether anything would be attached or replaced."""
        return any(item.would_change for item in self.planned)


@dataclass(frozen=True, slots=True)
class Detached:
    """What became of one interface of a detach command.

    `changed` is false where nothing of ours was there, and then nothing was sent to the kernel.
    """

    interface: str
    netns: str | None
    program: str | None
    id: int | None
    operation: str | None
    changed: bool
    carrier_lost_ms: float | None = None
    still_loaded: bool = False
    would_change: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detaching:
    """What a detach command did, or would do, an attachment a row."""

    detached: tuple[Detached, ...]

    @property
    def rows(self) -> tuple[Detached, ...]:
        """One row for each attachment, or for each interface that had none."""
        return self.detached

    @property
    def would_change(self) -> bool:
        """Whether anything would be removed."""
        return any(item.would_change for item in self.detached)


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was really tried in the kernel."""

    name: str
    works: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProbedHost:
    """What the kernel and this process can do, whatever the interface."""

    kernel: str
    libbpf: str | None
    bpf_filesystem: str | None
    btf: bool
    jit: bool
    missing_capabilities: tuple[str, ...]
    trials: tuple[Trial, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbedInterface:
    """What one interface can do, found out without attaching anything.

    `features` are netdev's xdp-features, None where the kernel is older than 6.3.
    """

    interface: str
    index: int
    driver: str
    link_type: LinkType | None
    features: tuple[str, ...] | None
    likely_mode: Mode | None
    mtu_bytes: int
    native_mtu_bytes: int | None
    lro: bool | None
    rx_queues: int | None
    tx_queues: int | None
    bond_mode: str | None
    vlan_stripping: bool | None
    programs: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """What can be attached here, and what stands in the way."""

    exit_status: ClassVar[ExitStatus] = ExitStatus.DONE

    host: ProbedHost
    interfaces: tuple[ProbedInterface, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """One thing that was left behind."""

    what: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What a clean command removed, or would remove."""

    removed: tuple[Removal, ...]
    would_change: bool = False
    kept: tuple[Removal, ...] = field(default=())

    @property
    def rows(self) -> tuple[Removal, ...]:
        """One row for each thing."""
        return self.removed
