"""The nouns of what programs measure, and of what is done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.ebpf.model import Mode


@dataclass(frozen=True, slots=True)
class Counter:
    """Packets and bytes of one protocol under one verdict."""

    protocol: str
    verdict: str
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ReasonCounter:
    """Packets and bytes that were dropped for one reason."""

    reason: str
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RunTimes:
    """How long a program ran within a time of measuring; `mean_ns` includes the measuring.

    `measuring_ns` is what the measuring cost every run of every BPF program meanwhile.
    """

    runs: int
    mean_ns: float | None
    measuring_ns: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a program on an interface counted since it was attached."""

    interface: str
    netns: str | None
    mode: Mode
    program: str
    id: int
    counters: tuple[Counter, ...]
    drops: tuple[ReasonCounter, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    run_time: RunTimes | None = None
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Counter, ...]:
        """A row for each protocol and verdict."""
        return self.counters


@dataclass(frozen=True, slots=True)
class Talker:
    """What one source, flow or protocol sent, in all and lately.

    The rates are None before a second reading. `destination` and the ports are a flow's alone.
    """

    interface: str
    source: str
    destination: str | None
    protocol: str | None
    source_port: int | None
    destination_port: int | None
    vlan: int | None
    packets: int
    bytes: int
    packets_per_second: float | None
    bytes_per_second: float | None


@dataclass(frozen=True, slots=True)
class Top:
    """Who sends most, the first `talkers` of `entries`."""

    instant: datetime
    by: str
    interface: str
    mode: Mode
    entries: int
    talkers: tuple[Talker, ...]

    @property
    def rows(self) -> tuple[Talker, ...]:
        """A row for each."""
        return self.talkers


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What arrived from one neighbour on a mesh link since it was first seen.

    `lost` is an estimate: the sequence numbers say how many were `expected`, and `received` bore
    one; all three are None where none was seen. `jitter` are
    counts: bucket n holds differences of 2^(n-1) up to 2^n - 1 microseconds, bucket 0 none.
    """

    interface: str
    neighbour: str
    packets: int
    bytes: int
    expected: int | None
    received: int | None
    lost: int | None
    late: int
    restarts: int
    jitter: tuple[int, ...]

    @property
    def loss_ratio(self) -> float | None:
        """The share of packets that did not arrive."""
        return self.lost / self.expected if self.expected and self.lost is not None else None

    def jitter_us(self, share: float) -> float | None:
        """Give the jitter in microseconds that a share of the packets does not pass."""
        return jitter_bound_us(self.jitter, share)


@dataclass(frozen=True, slots=True)
class DroppedPacket:
    """One dropped packet of those that were sampled.

    `header` is its beginning in hexadecimal digits; `unsampled` counts the drops on its CPU since
    the sample before that left none.
    """

    instant: datetime
    interface: str
    reason: str
    summary: str
    length_bytes: int
    unsampled: int
    header: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A network in a filter's map, and what it matched: packets dropped, or let through."""

    interface: str
    list: str
    network: str
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What became of one network on one interface."""

    interface: str
    list: str
    network: str
    changed: bool


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What was added or removed, or would be; `removes` tells which."""

    changes: tuple[RuleChange, ...]
    removes: bool

    @property
    def rows(self) -> tuple[RuleChange, ...]:
        """A row for each network and interface."""
        return self.changes

    @property
    def would_change(self) -> bool:
        """Whether anything was, or would be, different."""
        return any(change.changed for change in self.changes)


@dataclass(frozen=True, slots=True)
class Recording:
    """What was written."""

    file: str
    samples: int
    components: int
    series: int
    missed_samples: int


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How many packets of a capture a program answered so."""

    verdict: str
    packets: int


@dataclass(frozen=True, slots=True)
class TriedProgram:
    """What a program did with the packets of a capture.

    `ns_per_packet` is a mean without the kernel's own loop. `not_taken` counts packets that the
    kernel takes for no test: shorter than 14 bytes, or too long for a program without fragments.
    """

    program: str
    packets: int
    not_taken: int
    ns_per_packet: float
    verdicts: tuple[VerdictCount, ...]
    counters: tuple[Counter, ...] = ()
    drops: tuple[ReasonCounter, ...] = ()
    built_by: str = ""

    @property
    def rows(self) -> tuple[VerdictCount, ...]:
        """A row for each verdict."""
        return self.verdicts


@dataclass(frozen=True, slots=True)
class Export:
    """Where metrics are to be had, and of how many programs."""

    where: str
    programs: int


def jitter_bound_us(counts: Sequence[int], share: float) -> float | None:
    """Give the jitter in microseconds that a share of the packets does not pass, by its bucket."""
    total = sum(counts)
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if total and seen >= share * total:
            return float(2**bucket - 1)
    return None
