"""`x0tta ebpf`: what attached programs count, who sends most, and what is dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import Netns
from x0tta_cli.ebpf.cli.sections import safe_settings
from x0tta_cli.ebpf.measurements import DroppedPacket, Neighbour, Statistics, Talker, Top
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Kind, Table, Text, Words

BY = ("source", "flow", "protocol")
SECOND = 1.0

Interface = Annotated[
    str, typer.Argument(help="Interface, as ip link names it."), Kind("interface")
]
MaybeInterface = Annotated[
    str | None,
    typer.Argument(help="Interface; without it, all of the namespace."),
    Kind("interface"),
]


def blocks_of_statistics(result: list[Statistics] | Statistics) -> Iterator[Block]:
    """Lay out counters by protocol, drops by reason, run times, and what to know."""
    for one in result if isinstance(result, list) else [result]:
        where = f"{one.interface} in {one.netns}" if one.netns else one.interface
        yield Heading(f"{where}: {one.program} ({one.mode}, id {one.id})")
        yield Table(
            [
                Column("PROTOCOL"),
                Column("VERDICT"),
                Column("PACKETS", "right"),
                Column("BYTES", "right"),
            ],
            [
                (row.protocol, row.verdict, row.packets, row.bytes)
                for row in sorted(one.counters, key=lambda row: -row.bytes)
            ],
        )
        if one.drops:
            yield Table(
                [Column("DROPPED BECAUSE"), Column("PACKETS", "right"), Column("BYTES", "right")],
                [(row.reason, row.packets, row.bytes) for row in one.drops],
            )
        if one.neighbours:
            yield table_of_neighbours(one.neighbours)
        if one.run_time:
            yield Facts(facts_of_run_time(one))
        for note in one.notes:
            yield Text(note, "dim")


def table_of_neighbours(neighbours: tuple[Neighbour, ...]) -> Table:
    """Lay out the neighbours of a mesh link, a row each."""
    return Table(
        [
            Column("NEIGHBOUR"),
            Column("PACKETS", "right"),
            Column("BYTES", "right"),
            Column("LOST", "right"),
            Column("LOSS", "right"),
            Column("LATE", "right", wide_only=True),
            Column("RESTARTS", "right", wide_only=True),
            Column("JITTER P50", "right"),
            Column("P95", "right"),
        ],
        [
            (
                one.neighbour,
                one.packets,
                one.bytes,
                "-" if one.lost is None else one.lost,
                "-" if one.loss_ratio is None else f"{one.loss_ratio:.2%}",
                one.late,
                one.restarts,
                *(
                    "-" if bound is None else f"≤ {bound:.0f} µs"
                    for bound in (one.jitter_us(0.5), one.jitter_us(0.95))
                ),
            )
            for one in sorted(neighbours, key=lambda one: -one.bytes)
        ],
    )


def facts_of_run_time(one: Statistics) -> list[tuple[str, object]]:
    """Say how long a program runs, and what asking costs."""
    measured = one.run_time
    if measured is None:
        return []
    found = f"did not run in {measured.seconds:g} s"
    if measured.mean_ns is not None:
        found = f"{measured.mean_ns:.0f} ns a run, {measured.runs} runs in {measured.seconds:g} s"
    return [
        ("run time", found),
        (
            "measuring",
            Cell(
                f"costs every BPF program of this host {measured.measuring_ns:.0f} ns a run while "
                "it lasts; the mean includes a part of that",
                "warning",
            ),
        ),
    ]


@app.command(
    view=blocks_of_statistics,
    examples=[
        "x0tta ebpf stats eth0",
        "x0tta ebpf stats eth0 --watch -o jsonl",
        "x0tta ebpf stats eth0 --run-time  # slows every BPF program for a second",
    ],
)
def stats(
    interface: Interface,
    netns: Netns = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show them every second, until interrupted.")
    ] = False,
    run_time: Annotated[
        bool,
        typer.Option(
            "--run-time", help="Measure a second long how long each run takes; slows all of them."
        ),
    ] = False,
) -> list[Statistics] | Iterator[Statistics]:
    """Show what a program counted: packets and bytes by protocol and verdict.

    Ingress only. In generic mode one packet may stand for many that were merged: compare bytes. A
    card may strip VLAN tags before.
    Run times are measured only when asked for, since that slows every BPF program of the host; the
    cost of that moment is measured and shown.
    """
    from x0tta_cli.core import extras
    from x0tta_cli.terminal.live import Rounds

    extras.require("ebpf")
    if watch:
        return Rounds(watched(interface, netns, run_time=run_time))
    return read(interface, netns, run_time=run_time)


def read(interface: str, netns: str | None, *, run_time: bool) -> list[Statistics]:
    """Read the statistics of one interface once."""
    from x0tta_cli.ebpf.counters import statistics
    from x0tta_cli.ebpf.readings import attached
    from x0tta_cli.ebpf.runtimes import with_run_times

    found = attached(interface, netns, "counters", safe_settings().bpf_filesystem)
    measured = [statistics(attachment) for attachment in found]
    return with_run_times(measured, SECOND) if run_time else measured


def watched(interface: str, netns: str | None, *, run_time: bool) -> Iterator[list[Statistics]]:
    """Read them again and again."""
    while True:
        started = time.monotonic()
        yield read(interface, netns, run_time=run_time)
        time.sleep(max(0.0, started + SECOND - time.monotonic()))


def blocks_of_top(top: Top) -> Iterator[Block]:
    """Lay out who sends most right now."""
    counted = f"{top.entries} {top.by}{'' if top.entries == 1 else 's'}"
    yield Heading(f"{top.interface}: {counted} ({top.mode})")
    columns = [Column(top.by.upper())]
    columns += [Column("PROTOCOL")] if top.by == "flow" else []
    columns += [Column("VLAN", "right", wide_only=True)] if top.by != "protocol" else []
    columns += [Column(title, "right") for title in ("PACKETS", "BYTES", "PACKETS/S", "MBIT/S")]
    yield Table(columns, [row_of(talker, top.by) for talker in top.talkers])


def row_of(talker: Talker, by: str) -> tuple[object, ...]:
    """One line of a top."""
    rates = (
        "-" if talker.packets_per_second is None else f"{talker.packets_per_second:.0f}",
        "-" if talker.bytes_per_second is None else f"{talker.bytes_per_second * 8 / 1e6:.3f}",
    )
    named: tuple[object, ...] = (talker.protocol,)
    if by == "source":
        named = (talker.source, talker.vlan or "-")
    elif by == "flow":
        ends = (talker.source, talker.source_port), (talker.destination, talker.destination_port)
        named = (" > ".join(map(end_of, ends)), talker.protocol, talker.vlan or "-")
    return (*named, talker.packets, talker.bytes, *rates)


def end_of(end: tuple[str | None, int | None]) -> str:
    """Write one end of a flow, with its port where it has one."""
    address, port = end
    if not port:
        return str(address)
    return f"[{address}]:{port}" if address and ":" in address else f"{address}:{port}"


@app.command(
    view=blocks_of_top,
    examples=[
        "x0tta ebpf top eth0",
        "x0tta ebpf top eth0 --by flow --shown 5",
        "x0tta ebpf top eth0 --by protocol --once -o json",
    ],
)
def top(
    interface: Interface,
    netns: Netns = None,
    by: Annotated[
        str,
        typer.Option("--by", metavar="WHAT", help=f"{', '.join(BY)}."),
        Words(BY),
    ] = "source",
    shown: Annotated[
        int, typer.Option("--shown", metavar="N", min=1, max=1000, help="How many to show.")
    ] = 20,
    once: Annotated[
        bool, typer.Option("--once", help="Measure for a second, show it, and end.")
    ] = False,
) -> Iterator[Top]:
    """Show every second who sends most, by bytes, as the program flows counts it.

    Each second one result: the rates are of that second, the totals since the entry was first seen.
    Ingress only; in generic mode one packet may stand for many that were merged; a card may strip
    VLAN tags before.
    """
    from x0tta_cli.core import extras
    from x0tta_cli.core.errors import UsageError
    from x0tta_cli.terminal.live import Rounds

    if by not in BY:
        raise UsageError(
            "usage.bad_value",
            f"There is no ranking by '{by}'.",
            reason=f"--by takes {', '.join(BY[:-1])} or {BY[-1]}.",
        )
    extras.require("ebpf")
    tops = ranked(interface, netns, by, shown, once=once)
    return tops if once else Rounds([one] for one in tops)


def ranked(interface: str, netns: str | None, by: str, shown: int, *, once: bool) -> Iterator[Top]:
    """Read the map every second; the first reading only gives the rates something to begin with."""
    from x0tta_cli.ebpf.counters import TopReader
    from x0tta_cli.ebpf.readings import attached, opened_maps

    needed = "sources" if by == "source" else "flows"
    [attachment, *_] = attached(interface, netns, needed, safe_settings().bpf_filesystem)
    reader = TopReader(by, shown)
    with opened_maps(attachment) as opened:
        reader.read(attachment, opened)
        due = time.monotonic()
        while True:
            due = max(due + SECOND, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
            yield reader.read(attachment, opened)
            if once:
                return


def blocks_of_drop(dropped: DroppedPacket) -> Iterator[Block]:
    """Lay out one dropped packet in a line."""
    missed = f", {dropped.unsampled} before it not sampled" if dropped.unsampled else ""
    yield Text(
        f"{dropped.instant.astimezone():%H:%M:%S.%f} {dropped.interface} {dropped.reason}: "
        f"{dropped.summary}, {dropped.length_bytes} bytes{missed}"
    )


@app.command(
    view=blocks_of_drop,
    examples=[
        "x0tta ebpf drops eth0",
        "x0tta ebpf drops --recent -o jsonl  # what was sampled already, and end",
    ],
)
def drops(
    interface: MaybeInterface = None,
    netns: Netns = None,
    recent: Annotated[
        bool, typer.Option("--recent", help="Show what was sampled already, and end.")
    ] = False,
) -> Iterator[DroppedPacket]:
    """Show which packets our programs dropped, and why, from samples of their headers.

    Up to 100 a second on each CPU are sampled (--param samples=N when attaching); x0tta ebpf stats
    counts all of them by reason. Packets dropped here never reach tcpdump. Each sample is shown to
    one reader once.
    """
    from x0tta_cli.ebpf.drops import dropped_packets
    from x0tta_cli.ebpf.readings import chosen

    interfaces = [interface] if interface else []
    found = chosen(interfaces, netns, "samples", safe_settings().bpf_filesystem)
    return dropped_packets(found, follow=not recent)
