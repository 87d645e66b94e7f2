"""Networks that attached filters deny or allow: listed, added and removed while they run."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x0tta_cli.core import journal
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.ebpf import maps
from x0tta_cli.ebpf.addresses import Address, Network, network_key, network_of, packed
from x0tta_cli.ebpf.arguments import RULE, network, rule_row
from x0tta_cli.ebpf.measurements import Rule, RuleChange, RuleChanges
from x0tta_cli.ebpf.model import Attachment
from x0tta_cli.ebpf.readings import chosen, opened_maps

DENY, ALLOW = "deny", "allow"


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """Networks to put into the filters of some interfaces (all where none is named), or out."""

    networks: tuple[str, ...]
    interfaces: tuple[str, ...]
    netns: str | None
    filesystem: Path
    list: str = DENY
    removes: bool = False

    def as_plan(self) -> dict[str, object]:
        """Write it for the journal."""
        return {
            "networks": [*self.networks],
            "interfaces": [*self.interfaces],
            "netns": self.netns,
            "filesystem": str(self.filesystem),
            "list": self.list,
            "removes": self.removes,
        }


def list_rules(interfaces: Sequence[str], netns: str | None, filesystem: Path) -> tuple[Rule, ...]:
    """Read the networks of attached filters; errors as `readings.chosen`."""
    rules: list[Rule] = []
    for attachment in chosen(interfaces, netns, DENY, filesystem):
        with opened_maps(attachment) as opened:
            for name in (DENY, ALLOW):
                rows = maps.read(opened[name].fd)
                rules += [
                    Rule(attachment.interface, name, str(network_of(key.tobytes())), *counts[:2])
                    for key, counts in zip(
                        rows.keys, map(RULE.unpack, map(bytes, rows.values[:, 0])), strict=True
                    )
                ]
    return tuple(rules)


def plan(request: RuleRequest) -> RuleChanges:
    """Say what changing would change; errors as `change`."""
    return _each(request, _would_change)


def change(request: RuleRequest) -> RuleChanges:
    """Put networks in or out, in all filters; journaled unless nothing has to be changed.

    Raises UsageError `ebpf.bad_network`, UnavailableError `ebpf.map_full`, and as
    `readings.chosen`.
    """
    planned = plan(request)
    if not planned.would_change:
        return planned
    with journal.operation("ebpf.block", request.as_plan()) as operation, operation.step("change"):
        return _each(request, _change)


def resume(operation: journal.Operation) -> None:
    """Do again what was interrupted; what is done already stays as it is."""
    written: Mapping[str, Any] = operation.plan
    request = RuleRequest(
        tuple(written["networks"]),
        tuple(written["interfaces"]),
        written["netns"],
        Path(written["filesystem"]),
        written["list"],
        written["removes"],
    )
    with operation.step("change"):
        _each(request, _change)


def denies(request: RuleRequest, address: Address) -> bool:
    """Whether carrying out the request could deny this host, which no filter keeps."""
    if request.removes is (request.list == DENY):
        return False
    concerned = [network(text) for text in request.networks]
    if not any(address.version == one.version and address in one for one in concerned):
        return False
    for attachment in chosen(request.interfaces, request.netns, DENY, request.filesystem):
        with opened_maps(attachment) as opened:
            if maps.lookup(opened["keep"].fd, packed(address), 1) is None:
                return True
    return False


def _each(
    request: RuleRequest, act: Callable[[int, Network, RuleRequest, Attachment], bool]
) -> RuleChanges:
    networks = [network(text) for text in request.networks]
    changes = []
    for attachment in chosen(request.interfaces, request.netns, DENY, request.filesystem):
        with opened_maps(attachment) as opened:
            descriptor = opened[request.list].fd
            for one in networks:
                changed = act(descriptor, one, request, attachment)
                changes.append(RuleChange(attachment.interface, request.list, str(one), changed))
    return RuleChanges(tuple(changes), request.removes)


def _would_change(
    descriptor: int, one: Network, request: RuleRequest, _attachment: Attachment
) -> bool:
    return _holds(descriptor, one) is request.removes


def _change(descriptor: int, one: Network, request: RuleRequest, attachment: Attachment) -> bool:
    # A trie finds the longest match: only one that holds this very network has anything to lose.
    if _holds(descriptor, one) is not request.removes:
        return False
    key, value = rule_row(one)
    if request.removes:
        return maps.delete(descriptor, key)
    try:
        maps.update(descriptor, key, value)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise UnavailableError(
            "ebpf.map_full",
            f"The filter on {attachment.interface} has no room for {one}.",
            reason="It holds 65,536 networks already.",
            fix="Sum up networks, or remove some: x0tta ebpf block remove NETWORK.",
            context={"interface": attachment.interface, "network": str(one)},
        ) from None
    return True


def _holds(descriptor: int, one: Network) -> bool:
    """Whether a trie has an entry for exactly this network: its value says how long it is."""
    key = network_key(one)
    value = maps.lookup(descriptor, key, RULE.size)
    return value is not None and RULE.unpack(value)[2] == int.from_bytes(key[:4], "little")
