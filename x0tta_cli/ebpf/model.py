"""The nouns of XDP attachment, shared by everything under `x0tta ebpf`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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

    @property
    def is_told(self) -> bool:
        """Whether it is known whose it is: by our pin, or as the kernel tells CAP_SYS_ADMIN."""
        return bool(self.tag) or self.owner is Owner.X0TTA

    @property
    def place(self) -> str:
        """The interface, as the words of a command line name it."""
        return f"{self.interface} --netns {self.netns}" if self.netns else self.interface


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
