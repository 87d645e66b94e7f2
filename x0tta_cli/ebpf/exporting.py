"""What attached programs count, as metrics of Prometheus.

Labels are bounded: interfaces, programs, protocols and reasons are few, neighbours at most
`MOST_NEIGHBOURS`, the others summed up as `other`; no metric has flows or sources for labels. The
totals come from maps that forget nothing, and go on where a program is attached anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ebpf.counters import statistics
from x0tta_cli.ebpf.model import Attachment
from x0tta_cli.ebpf.readings import shipped_name

MOST_NEIGHBOURS = 64
OTHER = "other"
PREFIX = "x0tta_ebpf"
_LABELS = ("interface", "mode", "program")

Find = Callable[[], Sequence[Attachment]]
Labels = tuple[str, ...]
# What every counter of XDP means, whoever reads it in a dashboard.
_SEEN = "ingress only; a card may strip VLAN tags before."
_MERGED = f"in mode generic one may stand for many that were merged: compare bytes; {_SEEN}"
_FAMILIES: dict[str, tuple[str, Labels]] = {
    "packets": (f"Packets seen; {_MERGED}", ("protocol", "verdict")),
    "bytes": (f"Bytes of packets seen; {_SEEN}", ("protocol", "verdict")),
    "dropped_packets": (f"Packets dropped; {_MERGED}", ("reason",)),
    "dropped_bytes": (f"Bytes of packets dropped; {_SEEN}", ("reason",)),
    "neighbour_packets": (f"Packets from a neighbour; {_MERGED}", ("neighbour",)),
    "neighbour_bytes": (f"Bytes from a neighbour; {_SEEN}", ("neighbour",)),
    "neighbour_expected_packets": (
        "Packets that a neighbour sent, by their sequence numbers.",
        ("neighbour",),
    ),
    "neighbour_received_packets": (
        "Packets with a sequence number that arrived; what lacks to the expected ones is lost.",
        ("neighbour",),
    ),
}


def registry_of(find: Find) -> CollectorRegistry:
    """Make a registry whose metrics are read from the kernel when they are asked for."""
    registry = CollectorRegistry()
    registry.register(AttachedPrograms(find))
    return registry


@dataclass(slots=True)
class _Collected:
    """Raw totals of one reading, by labels and the id of the program that counted them."""

    attached: dict[Labels, int] = field(default_factory=dict)
    packets: dict[Labels, int] = field(default_factory=dict)
    bytes: dict[Labels, int] = field(default_factory=dict)
    dropped_packets: dict[Labels, int] = field(default_factory=dict)
    dropped_bytes: dict[Labels, int] = field(default_factory=dict)
    neighbour_packets: dict[Labels, int] = field(default_factory=dict)
    neighbour_bytes: dict[Labels, int] = field(default_factory=dict)
    neighbour_expected_packets: dict[Labels, int] = field(default_factory=dict)
    neighbour_received_packets: dict[Labels, int] = field(default_factory=dict)


class AttachedPrograms(Collector):
    """Collects what the programs that `find` gives have counted."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._totals = {name: RunningTotal() for name in _FAMILIES}
        self._named: dict[Labels, set[str]] = {}

    def describe(self) -> Iterable[Metric]:
        """Describe nothing beforehand: that would read the kernel."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read all programs; one that is detached meanwhile is left out."""
        collected = _Collected()
        for attachment in self._find():
            with suppress(NotFoundError):
                self._read(attachment, collected)
        gauge = GaugeMetricFamily(
            f"{PREFIX}_attached", "Attached programs, by their ids in the kernel.", labels=_LABELS
        )
        for labels, program_id in collected.attached.items():
            gauge.add_metric(labels, program_id)
        yield gauge
        for name, (help_text, labels) in _FAMILIES.items():
            family = CounterMetricFamily(f"{PREFIX}_{name}", help_text, labels=(*_LABELS, *labels))
            for (*series, life), value in getattr(collected, name).items():
                family.add_metric(series, self._totals[name].add(tuple(series), life, value))
            yield family

    def _read(self, attachment: Attachment, collected: _Collected) -> None:
        name, life = shipped_name(attachment) or attachment.program, str(attachment.id)
        place = (attachment.interface, str(attachment.mode), name)
        read = statistics(attachment)
        collected.attached[place] = attachment.id
        key: Labels
        for counter in read.counters:
            key = (*place, counter.protocol, counter.verdict, life)
            collected.packets[key], collected.bytes[key] = counter.packets, counter.bytes
        for reason in read.drops:
            key = (*place, reason.reason, life)
            collected.dropped_packets[key] = reason.packets
            collected.dropped_bytes[key] = reason.bytes
        for one in read.neighbours:
            key = (*place, self._name_of(place, one.neighbour), life)
            _add(collected.neighbour_packets, key, one.packets)
            _add(collected.neighbour_bytes, key, one.bytes)
            _add(collected.neighbour_expected_packets, key, one.expected or 0)
            _add(collected.neighbour_received_packets, key, one.received or 0)

    def _name_of(self, place: Labels, neighbour: str) -> str:
        """Give a neighbour's label; those that came first keep their names."""
        named = self._named.setdefault(place, set())
        if neighbour in named or len(named) < MOST_NEIGHBOURS:
            named.add(neighbour)
            return neighbour
        return OTHER


class RunningTotal:
    """Adds up counters that may begin anew, so that no sum ever goes backwards.

    A counter begins anew with another life (its program was attached again), and where it is
    smaller than it was.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, ...], tuple[str, int, int]] = {}

    def add(self, series: tuple[str, ...], life: str, value: int) -> int:
        """Take a counter's present value; gives the sum over all its lives."""
        known_life, last, total = self._seen.get(series, (life, 0, 0))
        total += value - last if life == known_life and value >= last else value
        self._seen[series] = life, value, total
        return total


def _add(sums: dict[Labels, int], key: Labels, value: int) -> None:
    sums[key] = sums.get(key, 0) + value
