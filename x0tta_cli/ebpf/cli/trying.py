"""`x0tta ebpf`: the programs that come along, and trying one without an interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import pair_of, program_of
from x0tta_cli.ebpf.measurements import TriedProgram
from x0tta_cli.ebpf.shipped import Shipped
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Listed, Table, Text

VERDICT_OF_DROPPING = Cell("can drop: needs --for or --yes", "warning")


def blocks_of_programs(programs: list[Shipped]) -> Iterator[Block]:
    """Lay out each program: what it does, its parameters, what to know."""
    for program in programs:
        yield Heading(program.name)
        yield Text(program.summary)
        if program.parameters:
            yield Table(
                [Column("--PARAM"), Column("VALUE"), Column("DEFAULT"), Column("WHAT")],
                [
                    (
                        one.name,
                        one.form,
                        Cell("required", "warning") if one.is_required else one.default or "-",
                        one.help,
                    )
                    for one in program.parameters
                ],
            )
        yield Facts(
            [
                ("verdict", VERDICT_OF_DROPPING if program.can_drop else "passes all"),
                ("maps", ", ".join(program.maps)),
                *(("note", note) for note in program.notes),
            ]
        )


@app.command(
    view=blocks_of_programs,
    examples=["x0tta ebpf programs", "x0tta ebpf programs -o json --fields name,summary"],
)
def programs() -> list[Shipped]:
    """List the programs that come with x0tta: what each does, its parameters and its traps."""
    from x0tta_cli.ebpf.programs import SHIPPED

    return list(SHIPPED)


def blocks_of_trial(tried: TriedProgram) -> Iterator[Block]:
    """Lay out verdicts and time."""
    yield Heading(f"{tried.program}: {tried.packets} packets")
    yield Table(
        [Column("VERDICT"), Column("PACKETS", "right")],
        [(row.verdict, row.packets) for row in tried.verdicts],
    )
    facts: list[tuple[str, object]] = [("a packet takes", f"{tried.ns_per_packet:g} ns")]
    if tried.not_taken:
        facts.append(("not taken", Cell(f"{tried.not_taken}: too short or too long", "warning")))
    facts += [
        (f"dropped: {row.reason}", f"{row.packets} packets, {row.bytes} bytes")
        for row in tried.drops
    ]
    if tried.built_by:
        facts.append(("compiled by", tried.built_by))
    yield Facts(facts)


@app.command(
    "test",
    view=blocks_of_trial,
    examples=[
        "x0tta ebpf test filter --param deny=198.51.100.0/24 --packets capture.pcap",
        "x0tta ebpf test ./my.bpf.o --packets capture.pcap -o json",
    ],
)
def try_out(
    program: Annotated[
        str,
        typer.Argument(help="A program that comes with x0tta, an object (.o) or source (.c)."),
        Listed("x0tta_cli.ebpf.values:program_names"),
    ],
    packets: Annotated[
        Path, typer.Option("--packets", metavar="FILE", help="Capture, as pcap or pcapng.")
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="A parameter of the program."),
    ] = None,
) -> TriedProgram:
    """Run a program on the packets of a capture in the kernel, attached to nothing.

    Counts the verdicts, and measures the nanoseconds of a packet, the kernel's own loop subtracted.
    """
    from x0tta_cli.core import extras

    extras.require("ebpf")
    from x0tta_cli.ebpf.trials import try_program

    return try_program(program_of(program), packets, dict(map(pair_of, parameters or ())))
