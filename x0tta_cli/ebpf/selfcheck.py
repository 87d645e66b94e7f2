"""The self-check: nobody who matters was cut off by a program that can drop.

A neighbour table that is still warm hides that ARP or NDP no longer pass, for minutes. So the
entries of gateway, SSH peer and kept hosts are forgotten first; then each has to answer anew.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x0tta_cli.ebpf import echo, neighbours
from x0tta_cli.ebpf.model import HostCheck, Interface
from x0tta_cli.ebpf.neighbours import Address


@dataclass(frozen=True, slots=True)
class Target:
    """A host that was reached over one of the interfaces, and what it answered before."""

    host: str
    role: str
    interface: str
    index: int
    next_hop: str
    needs_neighbour: bool
    needs_round_trip: bool

    @property
    def is_required(self) -> bool:
        """Whether it answered anything before, so that its silence would mean something."""
        return self.needs_neighbour or self.needs_round_trip

    @property
    def address(self) -> echo.Host:
        """How the host is sent to."""
        return self.interface, self.index, ipaddress.ip_address(self.host)


def find_targets(
    interfaces: Sequence[Interface], keep: Sequence[Address], *, ssh_peer: Address | None
) -> list[Target]:
    """Find who is reached over the interfaces and what each answers before anything is attached.

    PermissionError without CAP_NET_RAW.
    """
    by_index = {interface.index: interface for interface in interfaces if interface.is_up}
    places: dict[tuple[int, Address], tuple[str, Address]] = {}
    for host, role, given_index in _wanted(by_index, keep, ssh_peer):
        route = neighbours.route_to(host, given_index)
        if route is not None and route.index in by_index:
            places.setdefault((route.index, host), (role, route.next_hop))
    hosts = [(by_index[index].name, index, host) for index, host in places]
    answered = echo.round_trips_ms(hosts)
    return [
        Target(
            str(host),
            role,
            by_index[index].name,
            index,
            str(next_hop),
            needs_neighbour=neighbours.is_resolved(index, next_hop),
            needs_round_trip=(by_index[index].name, index, host) in answered,
        )
        for (index, host), (role, next_hop) in places.items()
    ]


def check(targets: Sequence[Target]) -> list[HostCheck]:
    """Forget the neighbours behind the targets, and see who answers anew.

    PermissionError without CAP_NET_ADMIN or CAP_NET_RAW.
    """
    for target in targets:
        neighbours.forget(target.index, ipaddress.ip_address(target.next_hop))
    # One that never answered an echo would be waited for in vain; its neighbour is asked for all
    # the same.
    asked = [target.address for target in targets if target.is_required]
    answered = echo.round_trips_ms(asked)
    return [
        HostCheck(
            host=target.host,
            interface=target.interface,
            role=target.role,
            neighbour_fresh=neighbours.is_resolved(
                target.index, ipaddress.ip_address(target.next_hop)
            ),
            round_trip_ms=answered.get(target.address),
            is_required=target.is_required,
        )
        for target in targets
    ]


def cut_off(targets: Sequence[Target], checks: Sequence[HostCheck]) -> list[HostCheck]:
    """Choose the hosts that answered before and no longer do."""
    return [
        found
        for target, found in zip(targets, checks, strict=True)
        if (target.needs_neighbour and not found.neighbour_fresh)
        or (target.needs_round_trip and found.round_trip_ms is None)
    ]


def target_from(record: Mapping[str, Any]) -> Target:
    """Read a target that `dataclasses.asdict` wrote."""
    return Target(**record)


def ssh_peer() -> Address | None:
    """Find who is logged in here by SSH: of this process or, as sudo drops it, of those above."""
    for environment in _environments():
        with suppress(IndexError, ValueError):
            return ipaddress.ip_address(environment["SSH_CONNECTION"].split()[0].partition("%")[0])
    return None


def _wanted(
    by_index: Mapping[int, Interface], keep: Sequence[Address], peer: Address | None
) -> Iterator[tuple[Address, str, int | None]]:
    for host in keep:
        yield host, "keep", None
    if peer is not None:
        yield peer, "ssh", None
    for index in by_index:
        for gateway in neighbours.gateways(index):
            yield gateway, "gateway", index


def _environments() -> Iterator[Mapping[str, str]]:
    if "SSH_CONNECTION" in os.environ:
        yield os.environ
    pid = os.getppid()
    while pid > 1:
        folder = Path("/proc") / str(pid)
        try:
            entries = (folder / "environ").read_bytes().split(b"\0")
            status = (folder / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return
        pairs = (entry.decode("utf-8", "replace").partition("=") for entry in entries)
        environment = {name: value for name, _, value in pairs}
        if "SSH_CONNECTION" in environment:
            yield environment
        pid = int(status.rpartition(")")[2].split()[1])
