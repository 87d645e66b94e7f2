"""Parameters of the shipped programs, read and turned into variables, map sizes and map rows."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from x0tta_cli.core import files
from x0tta_cli.core.errors import UsageError
from x0tta_cli.ebpf.addresses import Network, neighbour_key, network_key, prefix_bits

MOST_ENTRIES = 1 << 24
MOST_NETWORKS = 65_536
MOST_NEIGHBOURS = 256
WAYS = 4  # buckets in a set of ratelimit's table
LARGEST_OFFSET = 1023
# The largest packet that an interface may hand over merged.
SMALLEST_BURST_BYTES = 65_536
SMALLEST_BURST_PACKETS = 10
NS_PER_SECOND = 1_000_000_000
COST_SCALE = 1024
RULE = struct.Struct("=QQII")
_BITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Settings(NamedTuple):
    """What goes into a program before the kernel verifies it, and into its maps afterwards.

    `variables` by their names in the source, `map_entries` the sizes of maps, `rows` by map: key
    and value as the kernel keeps them.
    """

    variables: Mapping[str, int] = MappingProxyType({})
    map_entries: Mapping[str, int] = MappingProxyType({})
    rows: Mapping[str, tuple[tuple[bytes, bytes], ...]] = MappingProxyType({})


def of_flows(given: Mapping[str, str]) -> Settings:
    """Read the parameters of `flows`."""
    return Settings(
        map_entries={
            "flows": _number(given, "flows", 131_072, 1, MOST_ENTRIES),
            "sources": _number(given, "sources", 32_768, 1, MOST_ENTRIES),
        }
    )


def of_meter(given: Mapping[str, str]) -> Settings:
    """Read the parameters of `meter`."""
    kind = given.get("by", "link")
    if kind not in {"link", "address"}:
        raise bad_parameter("by", kind, "It is link or address.")
    return Settings(
        variables={
            "port": _number(given, "port", 0, 0, 65_535),
            "offset": _number(given, "offset", 0, 0, LARGEST_OFFSET),
            "by_address": int(kind == "address"),
        },
        map_entries={"links": _number(given, "neighbours", 1024, 1, MOST_ENTRIES)},
    )


def of_filter(given: Mapping[str, str]) -> Settings:
    """Read the parameters of `filter`."""
    return Settings(
        variables=_samples(given),
        rows={name: _networks(given, name) for name in ("deny", "allow")},
    )


def of_ratelimit(given: Mapping[str, str]) -> Settings:
    """Read the parameters of `ratelimit`."""
    per_second, counts_bytes = _rate(given["rate"])
    smallest = SMALLEST_BURST_BYTES if counts_bytes else 1
    usual = max(per_second // 10, smallest if counts_bytes else SMALLEST_BURST_PACKETS)
    burst = _number(given, "burst", usual, smallest, 1 << 40)
    sources = _number(given, "sources", 65_536, WAYS, MOST_ENTRIES)
    sets = 1 << (-(-sources // WAYS) - 1).bit_length()
    cost_scaled = NS_PER_SECOND * COST_SCALE // per_second
    return Settings(
        variables={
            "cost_scaled": cost_scaled,
            "depth_ns": burst * cost_scaled // COST_SCALE,
            "counts_bytes": int(counts_bytes),
            "last_set": sets - 1,
            "seed": int.from_bytes(os.urandom(4), "little"),
            **_samples(given),
        },
        map_entries={"buckets": sets},
    )


def of_drop(given: Mapping[str, str]) -> Settings:
    """Read the parameters of `drop`."""
    listed = [part for part in given.get("neighbour", "").split(",") if part.strip()]
    rows = []
    for neighbour in listed:
        try:
            rows.append((neighbour_key(neighbour), b"\1"))
        except ValueError:
            raise bad_parameter(
                "neighbour", neighbour, "A neighbour is named by its MAC or IP address."
            ) from None
    if len(rows) > MOST_NEIGHBOURS:
        raise bad_parameter("neighbour", f"{len(rows)} of them", f"At most {MOST_NEIGHBOURS}.")
    return Settings(
        variables={
            "threshold": round(_probability(given["probability"]) * 2**32),
            "only_listed": int(bool(rows)),
            **_samples(given),
        },
        rows={"neighbours": tuple(rows)},
    )


def rule_row(network: Network) -> tuple[bytes, bytes]:
    """Make the row of one network for the filter's maps; its counters begin at 0."""
    return network_key(network), RULE.pack(0, 0, prefix_bits(network), 0)


def network(text: str) -> Network:
    """Read a network such as `198.18.0.0/15` or a single address.

    Raises UsageError `ebpf.bad_network`, also for one whose address has bits beyond its prefix.
    """
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise UsageError(
            "ebpf.bad_network",
            f"'{text.strip()[:80]}' is no network.",
            reason=f"{str(error).capitalize()}.",
            fix="Write it as 198.18.0.0/24 or 2001:2::/48, or as one address.",
            context={"network": text},
        ) from None


def bad_parameter(name: str, value: str, reason: str) -> UsageError:
    """Say why a parameter's value can't be used."""
    return UsageError(
        "ebpf.bad_parameter",
        f"The parameter {name} can't be '{value[:80]}'.",
        reason=reason,
        fix="x0tta ebpf programs describes the parameters.",
        context={"parameter": name, "value": value},
    )


def _samples(given: Mapping[str, str]) -> dict[str, int]:
    return {"samples_per_second": _number(given, "samples", 100, 0, 1_000_000)}


def _networks(given: Mapping[str, str], name: str) -> tuple[tuple[bytes, bytes], ...]:
    networks = {network(text) for text in _items(given.get(name, ""))}
    if len(networks) > MOST_NETWORKS:
        raise bad_parameter(name, f"{len(networks)} networks", f"At most {MOST_NETWORKS}.")
    return tuple(rule_row(item) for item in sorted(networks, key=network_key))


def _items(value: str) -> Iterable[str]:
    if not value.startswith("@"):
        return [part for part in value.split(",") if part.strip()]
    path = Path(value[1:])
    with files.reading_errors(path):
        lines = path.read_text(encoding="utf-8").splitlines()
    return [text for line in lines if (text := line.partition("#")[0].strip())]


def _number(given: Mapping[str, str], name: str, usual: int, lowest: int, highest: int) -> int:
    if name not in given:
        return usual
    value = given[name].strip()
    if not re.fullmatch(r"[0-9]{1,18}", value) or not lowest <= int(value) <= highest:
        raise bad_parameter(name, value, f"It is a whole number from {lowest} to {highest}.")
    return int(value)


def _rate(text: str) -> tuple[int, bool]:
    """Read a rate as (units a second, whether the units are bytes)."""
    written = text.strip().lower()
    if found := re.fullmatch(r"([0-9]{1,12})(/s|pps)?", written):
        per_second, counts_bytes = int(found[1]), False
    elif found := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([kmg]?)bit(/s)?", written):
        per_second, counts_bytes = int(float(found[1]) * _BITS[found[2]] / 8), True
    else:
        raise bad_parameter("rate", text, "It is written as 500/s, or in bits as 10Mbit/s.")
    if not 1 <= per_second <= NS_PER_SECOND * COST_SCALE:
        raise bad_parameter("rate", text, "It is at least one packet or byte a second.")
    return per_second, counts_bytes


def _probability(text: str) -> float:
    written = text.strip()
    try:
        share = float(written[:-1]) / 100 if written.endswith("%") else float(written)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise bad_parameter("probability", text, "It is a share from 0 to 1, or 0% to 100%.")
    return share
