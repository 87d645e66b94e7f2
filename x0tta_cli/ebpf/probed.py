"""What can be attached, as found out without attaching anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from x0tta_cli.core.errors import ExitStatus
from x0tta_cli.ebpf.model import LinkType, Mode


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was really tried in the kernel."""

    name: str
    works: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProbedHost:
    """What the kernel and this process can do, whatever the interface.

    `jit` is None where it is not told: to ordinary users, and in another network namespace.
    """

    kernel: str
    libbpf: str | None
    bpf_filesystem: str | None
    btf: bool
    jit: bool | None
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
