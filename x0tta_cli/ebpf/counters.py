"""What the programs counted, read out of their maps: statistics, talkers, neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.ebpf import maps
from x0tta_cli.ebpf.addresses import neighbour_name, unpacked
from x0tta_cli.ebpf.maps import Rows
from x0tta_cli.ebpf.measurements import (
    Counter,
    Neighbour,
    ReasonCounter,
    Statistics,
    Talker,
    Top,
)
from x0tta_cli.ebpf.model import Attachment, Mode
from x0tta_cli.ebpf.protocols import DROPPED, PASSED, PROTOCOLS, protocol_name, reason_name
from x0tta_cli.ebpf.readings import OpenMap, counted_with, opened_maps

COUNT = np.dtype([("packets", "<u8"), ("bytes", "<u8")])
TRAFFIC = np.dtype([("packets", "<u8"), ("bytes", "<u8"), ("last_boot_ns", "<u8")])
FLOW = np.dtype(
    [
        ("source", "V16"),
        ("destination", "V16"),
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("vlan", "<u2"),
        ("family", "u1"),
        ("protocol", "u1"),
    ]
)
SOURCE = np.dtype([("source", "V16"), ("vlan", "<u2"), ("family", "u1"), ("unused", "u1")])
LINK = np.dtype(
    [
        ("lock", "<u4"),
        ("highest", "<u4"),
        ("packets", "<u8"),
        ("bytes", "<u8"),
        ("sequenced", "<u8"),
        ("expected", "<u8"),
        ("late", "<u8"),
        ("restarts", "<u8"),
        ("last_boot_ns", "<u8"),
        ("last_gap_ns", "<u8"),
        ("jitter", "<u4", 24),
    ]
)
GENERIC_NOTE = "Generic mode: one packet may stand for many that were merged; compare bytes."


def statistics(attachment: Attachment) -> Statistics:
    """Read a program's counters; errors as `readings.opened_maps`."""
    with opened_maps(attachment) as opened:
        counted = read_counters(opened["counters"].fd)
        drops = read_reasons(opened["reasons"].fd) if "reasons" in opened else ()
        links = read_links(opened["links"].fd, attachment) if "links" in opened else ()
    return Statistics(
        attachment.interface,
        attachment.netns,
        attachment.mode,
        attachment.program,
        attachment.id,
        counted,
        drops,
        links,
        notes=tuple(_notes(attachment)),
    )


def _notes(attachment: Attachment) -> Iterator[str]:
    if others := counted_with(attachment):
        yield (
            f"One program is on {attachment.interface} and {', '.join(others)}, and counts them "
            "together; attached one by one they are counted apart."
        )
    if attachment.mode is Mode.GENERIC:
        yield GENERIC_NOTE


def read_counters(descriptor: int) -> tuple[Counter, ...]:
    """Read the map `counters`: what was seen at all, by protocol and verdict."""
    summed = _summed(maps.read(descriptor))
    return tuple(
        Counter(
            protocol_name(slot % PROTOCOLS), (PASSED, DROPPED)[slot // PROTOCOLS], packets, octets
        )
        for slot, packets, octets in summed
        if packets
    )


def read_reasons(descriptor: int) -> tuple[ReasonCounter, ...]:
    """Read the map `reasons`: what was dropped at all, and why."""
    summed = _summed(maps.read(descriptor))
    return tuple(
        ReasonCounter(reason_name(reason), packets, octets)
        for reason, packets, octets in summed
        if packets
    )


def read_links(descriptor: int, attachment: Attachment) -> tuple[Neighbour, ...]:
    """Read the map `links`: what `meter` measured of each neighbour."""
    rows = maps.read(descriptor)
    return tuple(
        _neighbour(attachment.interface, key.tobytes(), link)
        for key, link in zip(rows.keys, rows.values_as(LINK)[:, 0], strict=True)
    )


class TopReader:
    """Ranks who sends most, by what came since the reading before; the first ranks by the totals.

    Arrays hold all entries; only those shown become objects.
    """

    def __init__(self, by: str, shown: int) -> None:
        self._by, self._shown = by, shown
        self._before: Mapping[bytes, tuple[int, int]] | None = None
        self._keys: NDArray[np.void] | None = None
        self._totals = np.empty((0, 2), np.uint64)
        self._instant: datetime | None = None

    def read(self, attachment: Attachment, opened: Mapping[str, OpenMap]) -> Top:
        """Read the map once more."""
        rows = maps.read(opened["sources" if self._by == "source" else "flows"].fd)
        now = datetime.now(UTC)
        keys, totals = self._grouped(rows)
        gained, seconds = self._gained(keys, totals, now)
        order = _largest(totals if gained is None else gained, totals, self._shown)
        talkers = tuple(
            self._talker(
                attachment.interface,
                keys[place],
                totals[place],
                None if gained is None else gained[place] / seconds,
            )
            for place in order
        )
        self._keys, self._totals, self._instant = keys, totals, now
        return Top(now, self._by, attachment.interface, attachment.mode, len(keys), talkers)

    def _grouped(self, rows: Rows) -> tuple[NDArray[np.void], NDArray[np.uint64]]:
        traffic = rows.values_as(TRAFFIC)
        totals = np.stack([traffic["packets"].sum(axis=1), traffic["bytes"].sum(axis=1)], axis=1)
        if self._by == "source":
            return rows.keys_as(SOURCE), totals
        keys = rows.keys_as(FLOW)
        if self._by == "flow":
            return keys, totals
        protocols = keys["protocol"]
        summed = np.zeros((256, 2), np.uint64)
        np.add.at(summed, protocols, totals)
        present = np.unique(protocols)
        grouped = np.zeros(len(present), FLOW)
        grouped["protocol"] = present
        return grouped, summed[present]

    def _gained(
        self, keys: NDArray[np.void], totals: NDArray[np.uint64], now: datetime
    ) -> tuple[NDArray[np.uint64] | None, float]:
        """Tell what each entry gained since the last reading; a new one all that it has.

        Entries are matched by a hash of their keys, in sorted arrays: a loop over 100,000 of them
        would take longer than a second.
        """
        if self._keys is None or self._instant is None:
            return None, 1.0
        old, new = _hashes(self._keys), _hashes(keys)
        order = np.argsort(old)
        place = np.searchsorted(old, new, sorter=order)
        place[place == len(old)] = 0
        match = order[place] if len(old) else np.zeros(len(new), np.intp)
        known = old[match] == new if len(old) else np.zeros(len(new), bool)
        before = np.zeros_like(totals)
        before[known] = self._totals[match[known]]
        # An entry that was forgotten and came back counts from 0 again.
        restarted = (totals < before).any(axis=1)
        before[restarted] = 0
        return totals - before, max((now - self._instant).total_seconds(), 1e-3)

    def _talker(
        self,
        interface: str,
        key: np.void,
        total: NDArray[np.uint64],
        rate: NDArray[np.float64] | None,
    ) -> Talker:
        is_flow, has_source = self._by == "flow", self._by != "protocol"
        return Talker(
            interface=interface,
            source=str(unpacked(key["source"].tobytes())) if has_source else "",
            destination=str(unpacked(key["destination"].tobytes())) if is_flow else None,
            protocol=protocol_name(int(key["protocol"])) if self._by != "source" else None,
            source_port=int(key["source_port"]) if is_flow else None,
            destination_port=int(key["destination_port"]) if is_flow else None,
            vlan=int(key["vlan"]) if has_source else None,
            packets=int(total[0]),
            bytes=int(total[1]),
            packets_per_second=None if rate is None else round(float(rate[0]), 1),
            bytes_per_second=None if rate is None else round(float(rate[1]), 1),
        )


def _summed(rows: Rows) -> list[tuple[int, int, int]]:
    counts = rows.values_as(COUNT)
    packets, octets = counts["packets"].sum(axis=1), counts["bytes"].sum(axis=1)
    slots = rows.keys.view("<u4")[:, 0]
    return list(zip(slots.tolist(), packets.tolist(), octets.tolist(), strict=True))


def _largest(
    ranking: NDArray[np.uint64], totals: NDArray[np.uint64], count: int
) -> NDArray[np.intp]:
    """Choose by bytes of `ranking`, the largest first; of equal ones by bytes of `totals`."""
    first, then = ranking[:, 1], totals[:, 1]
    chosen = np.flatnonzero(first)
    if len(chosen) < count:
        chosen = np.arange(len(first))
    elif len(chosen) > count:
        # Only the few that are shown have to be in order.
        chosen = chosen[np.argpartition(first[chosen], len(chosen) - count)[-count:]]
    return chosen[np.lexsort((then[chosen], first[chosen]))[::-1]][:count]


def _hashes(keys: NDArray[np.void]) -> NDArray[np.uint64]:
    """Mix each key's bytes into 64 bits (multiply and fold, as FNV does, eight bytes at a time)."""
    width = -(-keys.dtype.itemsize // 8) * 8
    padded = np.zeros((len(keys), width), np.uint8)
    # Without a key, reshape could not find out the width by itself.
    own = keys.dtype.itemsize
    padded[:, :own] = keys.view(np.uint8).reshape(len(keys), own)
    words = padded.view("<u8")
    mixed = np.full(len(keys), 0xCBF29CE484222325, np.uint64)
    for column in range(words.shape[1]):
        mixed = (mixed ^ words[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _neighbour(interface: str, key: bytes, link: np.void) -> Neighbour:
    sequenced, expected = int(link["sequenced"]), int(link["expected"])
    return Neighbour(
        interface=interface,
        neighbour=neighbour_name(key),
        packets=int(link["packets"]),
        bytes=int(link["bytes"]),
        expected=expected if sequenced else None,
        received=sequenced if sequenced else None,
        lost=max(0, expected - sequenced) if sequenced else None,
        late=int(link["late"]),
        restarts=int(link["restarts"]),
        jitter=tuple(int(count) for count in link["jitter"]),
    )
