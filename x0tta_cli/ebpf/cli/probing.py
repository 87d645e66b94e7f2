"""`x0tta ebpf probe`: what can be attached here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import Netns
from x0tta_cli.ebpf.cli.sections import safe_settings
from x0tta_cli.ebpf.probed import Probe, ProbedHost, ProbedInterface
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Kind, Table


def blocks_of_probe(result: Probe) -> Iterator[Block]:
    """Lay out the host, then a row for each interface, then what to know of them."""
    yield Facts(facts_of_host(result.host))
    yield Heading("Interfaces")
    yield Table(
        [
            Column("INTERFACE"),
            Column("DRIVER"),
            Column("MODE"),
            Column("FEATURES"),
            Column("MTU", "right"),
            Column("QUEUES", "right"),
            Column("LRO"),
            Column("VLAN STRIPPING", wide_only=True),
            Column("PROGRAMS"),
        ],
        [row_of(one) for one in result.interfaces],
    )
    notes = [(one.interface, note) for one in result.interfaces for note in one.notes]
    if notes:
        yield Heading("To know")
        yield Facts(notes)


def facts_of_host(host: ProbedHost) -> list[tuple[str, object]]:
    """Name what the host has, and what was tried and failed."""
    failed = [f"{trial.name} ({trial.reason})" for trial in host.trials if not trial.works]
    works = len(host.trials) - len(failed)
    return [
        ("kernel", host.kernel),
        ("libbpf", host.libbpf or Cell("missing", "bad")),
        ("BPF file system", host.bpf_filesystem or Cell("not mounted", "warning")),
        ("BTF, JIT", f"{in_words(host.btf)}, {in_words(host.jit)}"),
        ("tried", f"{works} of {len(host.trials)} work"),
        *(("does not work", Cell(one, "bad")) for one in failed),
        *(("missing", Cell(name, "warning")) for name in host.missing_capabilities),
        *(("mend", note) for note in host.notes),
    ]


def row_of(one: ProbedInterface) -> tuple[object, ...]:
    """Lay out one interface; '?' is what nobody can tell without attaching."""
    return (
        one.interface,
        one.driver or "-",
        one.likely_mode.value if one.likely_mode else "?",
        ", ".join(one.features) if one.features else "-" if one.features is not None else "?",
        one.mtu_bytes,
        one.rx_queues or "-",
        in_words(one.lro),
        in_words(one.vlan_stripping),
        ", ".join(map(str, one.programs)) or "-",
    )


def in_words(value: bool | None) -> str:
    """Write yes, no, or that it is not known."""
    return {None: "-", True: "yes", False: "no"}[value]


@app.command(
    view=blocks_of_probe,
    examples=[
        "x0tta ebpf probe",
        "x0tta ebpf probe eth0 -o json",
        "x0tta ebpf probe --netns mesh1",
    ],
)
def probe(
    interfaces: Annotated[
        list[str] | None,
        typer.Argument(metavar="INTERFACE", help="These interfaces; without it, all."),
        Kind("interface"),
    ] = None,
    netns: Netns = None,
) -> Probe:
    """See what each interface can do, and what stands in the way; attaches nothing.

    Program and map types are really tried. What the kernel says of a driver foresees no refusal
    by MTU, LRO, queues or bond mode: those stand in the notes.
    """
    from x0tta_cli.ebpf import probing

    return probing.probe(interfaces or [], netns, safe_settings().bpf_filesystem)
