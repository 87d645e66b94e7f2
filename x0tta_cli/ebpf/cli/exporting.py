"""`x0tta ebpf`: what is counted, for Prometheus and as recordings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.ebpf.cli.application import app
from x0tta_cli.ebpf.cli.options import Netns
from x0tta_cli.ebpf.cli.sections import safe_settings, settings_of
from x0tta_cli.ebpf.measurements import Export, Recording
from x0tta_cli.terminal.command import Block, Facts, Kind, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from x0tta_cli.core.listener import Answer, Request
    from x0tta_cli.ebpf.model import Attachment

STATUS_INTERVAL_S = 60.0

MaybeInterfaces = Annotated[
    list[str] | None,
    typer.Argument(metavar="INTERFACE", help="Interfaces; without any, all."),
    Kind("interface"),
]


def blocks_of_export(export: Export) -> Iterator[Block]:
    """Say where the metrics are."""
    counted = "1 program is" if export.programs == 1 else f"{export.programs} programs are"
    yield Text(f"{counted} exported at {export.where}.", "good")


@app.command(
    view=blocks_of_export,
    examples=[
        "x0tta ebpf export --listen 127.0.0.1:9435",
        "x0tta ebpf export --textfile /var/lib/prometheus/node-exporter/x0tta.prom  # from cron",
    ],
)
def export(
    interfaces: MaybeInterfaces = None,
    netns: Netns = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="ADDRESS:PORT", help="Serve /metrics there until ended."),
    ] = None,
    textfile: Annotated[
        Path | None,
        typer.Option("--textfile", metavar="FILE", help="Write once, for node_exporter."),
    ] = None,
) -> Iterator[Export]:
    """Export what attached programs count as metrics of Prometheus.

    Ingress only; in generic mode one packet may stand for many that were merged, so compare bytes;
    a card may strip VLAN tags before. Labels are bounded: no flows, no sources, and at most 64
    neighbours by name. Counters never go backwards while this runs, also where a program is
    attached anew. Beyond loopback a listener demands the bearer token of ebpf.export_token.
    """
    from x0tta_cli.core.errors import UsageError

    if (listen is None) is (textfile is None):
        raise UsageError(
            "usage.exclusive_options",
            "Either --listen or --textfile says where the metrics go.",
            fix="Give one of them.",
        )
    from x0tta_cli.core import extras

    extras.require("ebpf")
    find = finder(interfaces or (), netns)
    if textfile is not None:
        return written(find, textfile)
    return served(find, str(listen))


def finder(
    interfaces: list[str] | tuple[()], netns: str | None
) -> Callable[[], tuple[Attachment, ...]]:
    """Give what finds the programs, each time anew: they come and go while an exporter runs."""
    from x0tta_cli.ebpf.readings import BETWEEN, attached_anywhere

    filesystem, wanted = safe_settings().bpf_filesystem, set(interfaces)

    def find() -> tuple[Attachment, ...]:
        found = attached_anywhere(netns, "counters", filesystem)
        return tuple(
            one for one in found if not wanted or wanted & set(one.interface.split(BETWEEN))
        )

    return find


def written(find: Callable[[], tuple[Attachment, ...]], file: Path) -> Iterator[Export]:
    """Write the metrics once."""
    from x0tta_cli.core.textfile import write_textfile
    from x0tta_cli.ebpf.exporting import registry_of

    write_textfile(file, registry_of(find))
    yield Export(str(file), len(find()))


def served(find: Callable[[], tuple[Attachment, ...]], address: str) -> Iterator[Export]:
    """Serve the metrics until the service is stopped."""
    from threading import Lock

    from prometheus_client import generate_latest

    from x0tta_cli.core import service
    from x0tta_cli.core.listener import Answer, listen
    from x0tta_cli.ebpf.exporting import registry_of

    registry = registry_of(find)
    one_at_a_time = Lock()

    def answer(request: Request) -> Answer:
        if request.path != "/metrics":
            return Answer(404, b"Only /metrics is here.\n")
        with one_at_a_time:
            body = generate_latest(registry)
        return Answer(200, body, "text/plain; version=0.0.4; charset=utf-8")

    # What can't be read is to be known now, not by an empty page.
    found = len(find())
    with (
        service.running() as running,
        listen(address, answer, token=settings_of().export_token) as listener,
    ):
        running.ready(f"serving {listener.url}/metrics")
        yield Export(f"{listener.url}/metrics", found)
        while running.wait(STATUS_INTERVAL_S):
            running.status(f"serving {len(find())} programs at {listener.url}/metrics")


def blocks_of_recording(recording: Recording) -> Iterator[Block]:
    """Say what was written."""
    yield Text(f"{recording.file} is written.", "good")
    yield Facts(
        [
            ("samples", recording.samples),
            ("missed", recording.missed_samples),
            ("components", recording.components),
            ("series", recording.series),
        ]
    )


@app.command(
    view=blocks_of_recording,
    examples=[
        "x0tta ebpf record healthy/metrics.csv.xz --for 5m",
        "x0tta ebpf record metrics.csv wlan0 mesh0 --for 1h --step 10s",
    ],
)
def record(
    file: Annotated[Path, typer.Argument(help="A .csv or .csv.xz file to write.")],
    interfaces: MaybeInterfaces = None,
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long, such as 5m.")
    ] = "5m",
    step: Annotated[
        str, typer.Option("--step", metavar="DURATION", help="Time between two samples.")
    ] = "1s",
    netns: Netns = None,
) -> Recording:
    """Record what attached programs count as telemetry that x0tta drill --data reads.

    A component is a neighbour where meter is attached, else an interface. The file is written
    whole at the end; SIGTERM ends the recording early and writes what there is.
    """
    from x0tta_cli.core import extras, service
    from x0tta_cli.core.errors import UsageError
    from x0tta_cli.core.times import parse_duration

    extras.require("ebpf")
    step_s, lasts_s = (parse_duration(text).total_seconds() for text in (step, lasts))
    if not 0.1 <= step_s <= lasts_s:
        raise UsageError(
            "usage.bad_value",
            f"Samples every {step} can't be taken for {lasts}.",
            reason="A step is 100 ms at least, and no longer than the recording.",
        )
    from x0tta_cli.ebpf.readings import chosen
    from x0tta_cli.ebpf.recording import record as record_file

    found = chosen(interfaces or (), netns, "counters", safe_settings().bpf_filesystem)
    with service.running() as running:
        running.ready(f"recording into {file}")
        return record_file(
            found, file, step_s=step_s, steps=int(lasts_s / step_s), wait=running.wait
        )
