"""Records what attached programs count as telemetry, in the form that `x0tta drill --data` reads.

A component is a neighbour where `meter` is attached, else an interface. Each step is a row:
`throughput_mbps` and `packets_count` of the step, `drops_count` of interfaces, `loss_rate` and
`jitter_us` (median and 95th percentile) of neighbours. What was not measured is left empty, as
from when on a program was taken off; with the last of them the recording ends.
"""

from __future__ import annotations

import csv
import io
import logging
import lzma
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from x0tta_cli.core import files
from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.ebpf.counters import statistics
from x0tta_cli.ebpf.measurements import Neighbour, Recording, jitter_bound_us
from x0tta_cli.ebpf.model import Attachment
from x0tta_cli.ebpf.protocols import DROPPED
from x0tta_cli.ebpf.readings import shipped_name

log = logging.getLogger(__name__)

MOST_STEPS = 86_400
LATE_SHARE = 0.1  # of a step: what csv_reader takes for being on the beat
METER = "meter"

Series = tuple[str, str, str]  # component, metric, statistic


def record(
    attachments: Sequence[Attachment],
    file: Path,
    *,
    step_s: float,
    steps: int,
    wait: Callable[[float], bool],
) -> Recording:
    """Read once each step and write the file whole at the end; ends early where `wait` says so.

    Raises UsageError `ebpf.recording_too_long`, and as `readings.opened_maps` and
    `files.write_atomically`.
    """
    if steps > MOST_STEPS:
        raise UsageError(
            "ebpf.recording_too_long",
            f"{steps} samples are more than a recording may have.",
            reason=f"It is kept in memory until it is whole: {MOST_STEPS} samples at most.",
            fix="Record for a shorter time, or in longer steps: --step 10s.",
        )
    files.check_writable(file)
    rows = list(_sample(attachments, step_s, steps, wait))
    series = list(dict.fromkeys(key for _, values in rows for key in values))
    text = _as_csv(series, rows).encode()
    files.write_atomically(file, lzma.compress(text) if file.suffix == ".xz" else text)
    return Recording(
        str(file),
        len(rows),
        len({component for component, _, _ in series}),
        len(series),
        steps - len(rows),
    )


def _sample(
    attachments: Sequence[Attachment], step_s: float, steps: int, wait: Callable[[float], bool]
) -> Iterator[tuple[float, dict[Series, float]]]:
    # On whole seconds where steps are: rows of several recorders then fall together.
    start = math.ceil(time.time() / step_s) * step_s
    if not wait(start - time.time()):
        return
    several = len({attachment.interface for attachment in attachments}) > 1
    before = _Reading(attachments, several=several)
    was_on_beat = True
    for number in range(1, steps + 1):
        instant = start + number * step_s
        if not wait(max(0.0, instant - time.time())):
            return
        reading = _Reading(attachments, several=several)
        for attachment in reading.gone:
            log.warning(
                "taken off while it was recorded",
                extra={"interface": attachment.interface, "program": attachment.program},
            )
        attachments = [one for one in attachments if one not in reading.gone]
        if not attachments:
            return
        is_on_beat = time.time() - instant <= LATE_SHARE * step_s
        # A late reading would give its step what belongs to the next.
        if is_on_beat and was_on_beat:
            yield round(instant, 3), reading.since(before, step_s)
        before, was_on_beat = reading, is_on_beat


class _Reading:
    """All totals at one instant, and the programs that are `gone` since the recording began."""

    def __init__(self, attachments: Sequence[Attachment], *, several: bool) -> None:
        self.neighbours: dict[str, Neighbour] = {}
        self.interfaces: dict[str, tuple[int, int, int]] = {}
        self.gone: list[Attachment] = []
        for attachment in attachments:
            try:
                read = statistics(attachment)
            except NotFoundError:
                self.gone.append(attachment)
                continue
            if shipped_name(attachment) == METER:
                for one in read.neighbours:
                    prefix = f"{attachment.interface}/" if several else ""
                    self.neighbours[f"{prefix}{one.neighbour}"] = one
            else:
                counted = read.counters
                self.interfaces[attachment.interface] = (
                    sum(counter.packets for counter in counted),
                    sum(counter.bytes for counter in counted),
                    sum(counter.packets for counter in counted if counter.verdict == DROPPED),
                )

    def since(self, before: _Reading, step_s: float) -> dict[Series, float]:
        """Give what each series gained; what is new has all its traffic in this step."""
        values: dict[Series, float] = {}
        for name, totals in self.interfaces.items():
            packets, octets, drops = (
                now - then
                for now, then in zip(totals, before.interfaces.get(name, (0, 0, 0)), strict=True)
            )
            values |= _traffic(name, packets, octets, step_s)
            values[name, "drops_count", ""] = drops
        for name, one in self.neighbours.items():
            values |= _of_neighbour(name, one, before.neighbours.get(name), step_s)
        return values


def _of_neighbour(
    name: str, one: Neighbour, before: Neighbour | None, step_s: float
) -> dict[Series, float]:
    packets = one.packets - (before.packets if before else 0)
    values = _traffic(name, packets, one.bytes - (before.bytes if before else 0), step_s)
    expected = (one.expected or 0) - ((before.expected or 0) if before else 0)
    lost = (one.lost or 0) - ((before.lost or 0) if before else 0)
    if expected > 0:
        # A packet that comes late takes back a loss of the step before.
        values[name, "loss_rate", ""] = min(1.0, max(0.0, lost / expected))
    then = before.jitter if before else (0,) * len(one.jitter)
    gained = [now - past for now, past in zip(one.jitter, then, strict=True)]
    for statistic, share in (("p50", 0.5), ("p95", 0.95)):
        bound = jitter_bound_us(gained, share)
        if bound is not None:
            values[name, "jitter_us", statistic] = bound
    return values


def _traffic(name: str, packets: int, octets: int, step_s: float) -> dict[Series, float]:
    return {
        (name, "throughput_mbps", ""): round(octets * 8 / step_s / 1e6, 6),
        (name, "packets_count", ""): packets,
    }


def _as_csv(series: Sequence[Series], rows: Sequence[tuple[float, dict[Series, float]]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for title, place in (("microservice", 0), ("metric", 1), ("statistic", 2)):
        writer.writerow([title, *(key[place] for key in series)])
    for instant, values in rows:
        writer.writerow([instant, *(values.get(key, "") for key in series)])
    return buffer.getvalue()
