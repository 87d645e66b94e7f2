"""`x0tta ebpf`: attaching, and all that keeps it safe."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import (
    MODES,
    STRENGTHS,
    AtLeast,
    Follow,
    Interfaces,
    Keep,
    Lasts,
    ModeName,
    Netns,
    Parameters,
    Program,
    Replace,
    Strict,
    checked_mode,
    pair_of,
    program_of,
)
from x0tta_cli.ebpf.cli.sections import safe_settings, settings_of
from x0tta_cli.ebpf.cli.views import (
    blocks_of_attaching,
    blocks_of_cleanup,
    blocks_of_detaching,
    blocks_of_list,
)
from x0tta_cli.ebpf.model import (
    Attaching,
    Attachment,
    AttachPlan,
    Cleanup,
    Detaching,
    FollowEvent,
)
from x0tta_cli.terminal.command import confirm, session

if TYPE_CHECKING:
    from x0tta_cli.ebpf.requests import AttachRequest


@app.command(
    view=blocks_of_attaching,
    changes_world=True,
    examples=[
        "x0tta ebpf attach wlan0 --program count",
        "x0tta ebpf attach eth0 eth1 --program flows --at-least native",
        "x0tta ebpf attach eth0 --program filter --param deny=198.51.100.0/24 --for 10m",
        "x0tta ebpf attach mesh0 --program drop --param probability=5% --for 2m --keep 10.0.0.1",
        "x0tta ebpf attach eth0 --program ./my.bpf.o --dry-run  # what native mode changes",
    ],
)
def attach(  # noqa: PLR0917 - Typer reads its options off the parameters
    interfaces: Interfaces,
    program: Program,
    mode: ModeName = "auto",
    at_least: AtLeast = None,
    replace: Replace = None,
    lasts: Lasts = None,
    netns: Netns = None,
    parameters: Parameters = None,
    keep: Keep = None,
    strict: Strict = False,
    follow: Follow = False,
) -> Attaching | AttachPlan | Iterator[FollowEvent]:
    """Attach an XDP program to interfaces: to all of them or to none.

    It is held by a link that no other tool can replace. One that lasts is pinned in the BPF file
    system; with --for, and for every program that can drop, a small keeper process holds it, and
    the kernel takes it off when that one ends, killed or not. A program that can drop needs --for
    or --yes; gateway, SSH peer and --keep hosts have to answer anew, at once and after a minute, or
    it is taken off.

    The manual way out: bpftool link list, then sudo bpftool link detach id N.
    """
    from x0tta_cli.ebpf import attaching

    request = dataclasses.replace(
        request_of(interfaces, program, mode, at_least, lasts),
        replace=replace,
        netns=netns,
        parameters=dict(pair_of(item) for item in parameters or ()),
        keep=tuple(keep or ()),
        strict=strict,
    )
    if session().dry_run:
        return attaching.plan(request)
    if request.lasts is None and may_drop(request.program):
        confirm(f"{program} can drop packets, and stays until it is detached. Attach it?")
    if follow:
        return following(request)
    return attaching.attach(request)


@app.command(
    view=blocks_of_detaching,
    changes_world=True,
    is_safe=True,
    examples=[
        "x0tta ebpf detach eth0",
        "x0tta ebpf detach eth0 eth1 --program flows",
        "x0tta ebpf detach eth0 --id 42  # also another owner's",
    ],
)
def detach(
    interfaces: Interfaces,
    identifier: Annotated[
        int | None,
        typer.Option("--id", metavar="ID", help="This program, whoever attached it."),
    ] = None,
    program: Annotated[
        str | None, typer.Option("--program", metavar="NAME", help="Of ours, this one alone.")
    ] = None,
    netns: Netns = None,
) -> Detaching:
    """Take x0tta's programs off interfaces, and see them gone.

    Another owner's program is taken off only where --id names it. Where nothing of ours is,
    nothing is sent to the kernel: some drivers interrupt the link even for that.

    The manual way out: bpftool link list, then sudo bpftool link detach id N.
    """
    from x0tta_cli.ebpf import detaching

    request = detaching.DetachRequest(
        tuple(interfaces), identifier, program, netns, safe_settings().bpf_filesystem
    )
    return detaching.plan(request) if session().dry_run else detaching.detach(request)


@app.command(
    "list",
    view=blocks_of_list,
    examples=[
        "x0tta ebpf list",
        "x0tta ebpf list --all-netns -o json",
        "x0tta ebpf list --fields interface,program,mode,owner",
    ],
)
def list_(
    netns: Netns = None,
    all_netns: Annotated[
        bool, typer.Option("--all-netns", help="Also in all namespaces that ip netns knows.")
    ] = False,
) -> list[Attachment]:
    """List what is attached: whose it is, in which mode, and what holds it.

    The kernel is asked, no file is believed over it. Needs CAP_SYS_ADMIN, as the kernel tells of
    links and programs by their ids to nobody else.
    """
    from x0tta_cli.ebpf import attachments, capabilities

    capabilities.require("CAP_SYS_ADMIN")
    return attachments.list_all(
        netns, all_netns=all_netns, filesystem=safe_settings().bpf_filesystem
    )


@app.command(
    view=blocks_of_cleanup,
    changes_world=True,
    examples=["x0tta ebpf clean --dry-run", "x0tta ebpf clean"],
)
def clean() -> Cleanup:
    """Remove pins of vanished interfaces and dead links; never another owner's.

    What is attached is not touched.
    """
    from x0tta_cli.ebpf import capabilities, cleaning

    capabilities.require("CAP_SYS_ADMIN")
    filesystem = safe_settings().bpf_filesystem
    return cleaning.plan(filesystem) if session().dry_run else cleaning.clean(filesystem)


def request_of(
    interfaces: Sequence[str], program: str, mode: str, at_least: str | None, lasts: str | None
) -> AttachRequest:
    """Put the main words of a command line and the configuration together."""
    from x0tta_cli.core.times import parse_duration
    from x0tta_cli.ebpf.model import Mode
    from x0tta_cli.ebpf.requests import AttachRequest

    settings = settings_of()
    strength = checked_mode("--at-least", at_least, STRENGTHS)
    return AttachRequest(
        interfaces=tuple(interfaces),
        program=program_of(program),
        mode=checked_mode("--mode", mode, MODES) or "auto",
        at_least=Mode(strength) if strength else None,
        lasts=parse_duration(lasts) if lasts else None,
        filesystem=settings.bpf_filesystem,
        holding=settings.attachment,
        check_again=settings.check_again,
    )


def following(request: AttachRequest) -> Iterator[FollowEvent]:
    """Run as a service that keeps a program attached."""
    from x0tta_cli.core import service
    from x0tta_cli.ebpf.following import follow

    with service.running() as running:
        yield from follow(request, running, settings_of().reconcile)


def may_drop(program: str | Path) -> bool:
    """Whether a program can drop packets: one that did not come with x0tta counts as such."""
    from x0tta_cli.ebpf.programs import describe

    return describe(program).can_drop if isinstance(program, str) else True
