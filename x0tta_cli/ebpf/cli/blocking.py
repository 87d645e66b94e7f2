"""`x0tta ebpf block`: the networks that attached filters deny and allow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import Netns
from x0tta_cli.ebpf.cli.sections import safe_settings
from x0tta_cli.ebpf.measurements import Rule, RuleChanges
from x0tta_cli.terminal.command import App, Block, Kind, Text, confirm, session

if TYPE_CHECKING:
    from x0tta_cli.ebpf.blocking import RuleRequest

block = App("Change what attached filters deny and allow, while they run.")
app.add_typer(block, name="block")

Networks = Annotated[
    list[str],
    typer.Argument(metavar="NETWORK", help="Networks such as 198.51.100.0/24, or addresses."),
]
On = Annotated[
    list[str] | None,
    typer.Option("--interface", metavar="NAME", help="On this one; without it, on all filters."),
    Kind("interface"),
]
Allow = Annotated[
    bool, typer.Option("--allow", help="In the list of networks that may pass nevertheless.")
]


def blocks_of_changes(result: RuleChanges) -> Iterator[Block]:
    """Say of each network what became of it."""
    if session().dry_run:
        changed = "would no longer be" if result.removes else "would be"
    else:
        changed = "is no longer" if result.removes else "is now"
    unchanged = "not" if result.removes else "already"
    for one in result.changes:
        where = f"in the {one.list} list of {one.interface}"
        if one.changed:
            yield Text(f"{one.network} {changed} {where}.", "good")
        else:
            yield Text(f"{one.network} is {unchanged} {where}.")


@block.command(
    view=blocks_of_changes,
    changes_world=True,
    examples=[
        "x0tta ebpf block add 198.51.100.0/24",
        "x0tta ebpf block add 203.0.113.7 --interface eth0 --dry-run",
        "x0tta ebpf block add 198.51.100.7 --allow  # an exception",
    ],
)
def add(
    networks: Networks, interfaces: On = None, allow: Allow = False, netns: Netns = None
) -> RuleChanges:
    """Deny networks at every attached filter, at once."""
    return changed(request_of(networks, interfaces, netns, allow=allow, removes=False))


@block.command(
    view=blocks_of_changes,
    changes_world=True,
    examples=["x0tta ebpf block remove 198.51.100.0/24"],
)
def remove(
    networks: Networks, interfaces: On = None, allow: Allow = False, netns: Netns = None
) -> RuleChanges:
    """Take networks out of the list of every attached filter, at once."""
    return changed(request_of(networks, interfaces, netns, allow=allow, removes=True))


@block.command(
    "list", examples=["x0tta ebpf block list", "x0tta ebpf block list --interface eth0 -o csv"]
)
def list_(interfaces: On = None, netns: Netns = None) -> list[Rule]:
    """List the networks of attached filters, and what each has matched."""
    from x0tta_cli.core import extras

    extras.require("ebpf")
    from x0tta_cli.ebpf.blocking import list_rules

    return list(list_rules(interfaces or (), netns, safe_settings().bpf_filesystem))


def request_of(
    networks: list[str],
    interfaces: list[str] | None,
    netns: str | None,
    *,
    allow: bool,
    removes: bool,
) -> RuleRequest:
    """Put together what was asked for."""
    from x0tta_cli.core import extras

    extras.require("ebpf")
    from x0tta_cli.ebpf.blocking import ALLOW, DENY, RuleRequest

    return RuleRequest(
        tuple(networks),
        tuple(interfaces or ()),
        netns,
        safe_settings().bpf_filesystem,
        ALLOW if allow else DENY,
        removes,
    )


def changed(request: RuleRequest) -> RuleChanges:
    """Change the lists, or say what would change; asks before it may cut off who asks for it."""
    from ipaddress import ip_address

    from x0tta_cli.ebpf.blocking import change, denies, plan

    if session().dry_run:
        return plan(request)
    peer = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    if peer and denies(request, ip_address(peer.partition("%")[0])):
        confirm(f"This may deny {peer}, from where you are logged in. Go on?")
    return change(request)
