"""`x0tta ebpf detach`, `list` and `clean`: what is attached, taken off, and cleaned away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import Interfaces, Netns
from x0tta_cli.ebpf.cli.sections import safe_settings
from x0tta_cli.ebpf.model import Attachment
from x0tta_cli.ebpf.removals import Cleanup, Detached, Detaching
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Table, Text, session


def blocks_of_detaching(result: Detaching) -> Iterator[Block]:
    """Say what was taken off, or that nothing of ours was there."""
    for done in result.detached:
        yield sentence_of(done)
        facts = [("note", note) for note in done.notes if done.changed]
        if done.carrier_lost_ms:
            facts.append(("carrier lost", f"{done.carrier_lost_ms:g} ms"))
        if facts:
            yield Facts(facts)


def sentence_of(done: Detached) -> Text:
    """One sentence for one attachment."""
    where = f"{done.interface} in {done.netns}" if done.netns else done.interface
    if done.would_change:
        return Text(f"{done.program} (id {done.id}) would be taken off {where}.")
    if not done.changed:
        return Text(f"Nothing of x0tta's is on {where}; nothing was sent to the kernel.")
    return Text(f"{done.program} (id {done.id}) is off {where}.", "good")


def blocks_of_list(found: list[Attachment]) -> Iterator[Block]:
    """One row for each program on an interface, and the parts of dispatchers below."""
    if not found:
        # The frame says that nothing was found.
        return
    yield Table(
        [
            Column("INTERFACE"),
            Column("NETNS"),
            Column("MODE"),
            Column("HELD BY"),
            Column("PROGRAM"),
            Column("ID", "right"),
            Column("OWNER"),
            Column("TIME LEFT", "right"),
            Column("UNTIL", wide_only=True),
            Column("OPERATION", wide_only=True),
            Column("LINK", "right", wide_only=True),
            Column("PINNED AT", wide_only=True),
        ],
        [row_of(one) for one in found],
    )
    for one in found:
        if one.parts:
            yield Heading(f"The dispatcher on {one.interface} calls")
            yield Table(
                [Column("PROGRAM"), Column("ID", "right"), Column("PINNED AT")],
                [(part.program, part.id, part.pinned_at) for part in one.parts],
            )


def row_of(one: Attachment) -> tuple[object, ...]:
    """Lay out one attachment; '?' is what the kernel does not tell this process."""
    return (
        one.interface,
        one.netns or "-",
        one.mode.value,
        f"keeper {one.holder_pid}" if one.holder_pid else one.attachment or "?",
        one.program or "-",
        one.id,
        Cell(one.owner.value, "good" if one.owner == "x0tta" else "plain"),
        time_left(one.expires_at),
        one.expires_at or "-",
        one.operation or "-",
        one.link_id or "-",
        one.pinned_at or "-",
    )


def time_left(until: datetime | None) -> str:
    """Say how long an attachment will stay; nothing where it lasts."""
    if until is None:
        return "-"
    from x0tta_cli.core.times import format_duration

    seconds = max(0, round((until - datetime.now(UTC)).total_seconds()))
    return format_duration(timedelta(seconds=seconds))


def blocks_of_cleanup(result: Cleanup) -> Iterator[Block]:
    """Say what was removed, or would be."""
    if not result.removed:
        yield Text("Nothing was left behind.", "good")
        return
    yield Heading("Would be removed" if result.would_change else "Was removed")
    yield Table(
        [Column("WHAT"), Column("NAME"), Column("WHY")],
        [(one.what, one.name, one.reason) for one in result.removed],
    )


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
