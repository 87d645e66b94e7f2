"""The programs that come with x0tta: what each does, its maps and parameters, and its traps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.ebpf import arguments
from x0tta_cli.ebpf.arguments import Settings
from x0tta_cli.ebpf.shipped import Parameter, Shipped

INGRESS = "Sees what arrives on the interface alone; what it sends never comes by."
GENERIC = "In generic mode a packet may stand for many that were merged: compare bytes."
STRIPPED = "A card that strips VLAN tags hides them: ethtool -K INTERFACE rxvlan off."
SPARED = "Passes ARP, neighbour discovery and the hosts of --keep, unless --strict."
DEADLINE = "Past the deadline of --for it passes everything, whatever became of who attached it."
OUTER = "Looks at the outer addresses of tunnelled packets."
SAMPLES = "Headers of dropped packets are sampled, 100 a second on each CPU: x0tta ebpf drops."


class _Entry(NamedTuple):
    shipped: Shipped
    settings: Callable[[Mapping[str, str]], Settings] = lambda _: Settings()


_SAMPLES = Parameter(
    "samples", "N", "Dropped packets whose headers are kept, a second on each CPU.", "100"
)
_ENTRIES = {
    entry.shipped.name: entry
    for entry in (
        _Entry(
            Shipped(
                "count",
                "Count packets and bytes by protocol.",
                ("counters",),
                (),
                False,
                (INGRESS, GENERIC, OUTER, DEADLINE),
            )
        ),
        _Entry(
            Shipped(
                "flows",
                "Count packets and bytes by source and by flow, IPv4 and IPv6, VLANs apart.",
                ("counters", "flows", "sources"),
                (
                    Parameter("flows", "N", "Flows that have room on the machine.", "131072"),
                    Parameter("sources", "N", "Sources that have room.", "32768"),
                ),
                False,
                (
                    "Of more flows than have room, those least recently seen are forgotten.",
                    "Later fragments of a packet count as a flow without ports.",
                    INGRESS,
                    GENERIC,
                    STRIPPED,
                    OUTER,
                    DEADLINE,
                ),
            ),
            arguments.of_flows,
        ),
        _Entry(
            Shipped(
                "meter",
                "Measure a mesh link by neighbour: packets, bytes, loss and jitter.",
                ("counters", "links", "unmetered"),
                (
                    Parameter(
                        "port",
                        "PORT",
                        "UDP destination port of the mesh's packets; without it, no loss.",
                        "0",
                    ),
                    Parameter(
                        "offset",
                        "BYTES",
                        "Where in the UDP payload the sequence number stands: 32 bits, most "
                        "significant byte first, one more for each packet on this link.",
                        "0",
                    ),
                    Parameter(
                        "by",
                        "link|address",
                        "What tells neighbours apart: MAC or IP source address.",
                        "link",
                    ),
                    Parameter("neighbours", "N", "Neighbours that have room.", "1024"),
                ),
                False,
                (
                    "Loss is estimated from gaps in the sequence (RFC 3550, A.1 and A.3); packets "
                    "that come late or twice count as received.",
                    "When all places are taken, further neighbours are counted together.",
                    "Jitter is how much one gap between two packets differs from the gap before.",
                    "On links without MAC addresses neighbours are told apart by IP source.",
                    INGRESS,
                    GENERIC,
                    DEADLINE,
                ),
            ),
            arguments.of_meter,
        ),
        _Entry(
            Shipped(
                "filter",
                "Drop what comes from denied networks, except from allowed ones; pass the rest.",
                ("allow", "counters", "deny", "keep", "reasons", "samples"),
                (
                    Parameter("deny", "NET,…|@FILE", "Networks whose packets are dropped."),
                    Parameter("allow", "NET,…|@FILE", "Networks within them that may pass."),
                    _SAMPLES,
                ),
                True,
                (
                    "The narrower of two networks decides; of two as narrow, the allowed one.",
                    "What no network matches passes, and so does all that is not IP.",
                    "x0tta ebpf block add, remove and list change it while it runs.",
                    "Denying everything also denies DHCP and routing neighbours: --keep them.",
                    SPARED,
                    SAMPLES,
                    INGRESS,
                    OUTER,
                    DEADLINE,
                ),
            ),
            arguments.of_filter,
        ),
        _Entry(
            Shipped(
                "ratelimit",
                "Hold every source to a rate by a token bucket of its own.",
                ("buckets", "counters", "keep", "reasons", "samples"),
                (
                    Parameter(
                        "rate",
                        "N/s|Nbit/s",
                        "Packets a second, or bits: 500/s, 10Mbit/s.",
                        is_required=True,
                    ),
                    Parameter(
                        "burst",
                        "N",
                        "Packets (bytes, for a rate in bits) that may come at once.",
                        "a tenth of a second's worth, at least 10 packets or 65536 bytes",
                    ),
                    Parameter("sources", "N", "Sources that have a bucket of their own.", "65536"),
                    _SAMPLES,
                ),
                True,
                (
                    "A full table fails safe: sources without a place share a spare bucket, and "
                    "what that drops is counted as 'over rate, table full'.",
                    "In generic mode packets arrive merged: give the rate in bits.",
                    SPARED,
                    SAMPLES,
                    INGRESS,
                    OUTER,
                    DEADLINE,
                ),
            ),
            arguments.of_ratelimit,
        ),
        _Entry(
            Shipped(
                "drop",
                "Lose packets by lot, for drills.",
                ("counters", "keep", "neighbours", "reasons", "samples"),
                (
                    Parameter(
                        "probability",
                        "P",
                        "Share of the packets that is lost: 0.05, or 5%.",
                        is_required=True,
                    ),
                    Parameter(
                        "neighbour",
                        "ADDRESS,…",
                        "Neighbours whose packets are lost, by MAC or IP address.",
                        "all",
                    ),
                    _SAMPLES,
                ),
                True,
                (
                    "A link that is wholly dead is --param probability=1 --strict.",
                    SPARED,
                    SAMPLES,
                    INGRESS,
                    GENERIC,
                    DEADLINE,
                ),
            ),
            arguments.of_drop,
        ),
    )
}
SHIPPED: tuple[Shipped, ...] = tuple(entry.shipped for entry in _ENTRIES.values())


def describe(name: str) -> Shipped:
    """Find a program by its name. Raises NotFoundError `ebpf.no_such_program`."""
    return _entry(name).shipped


def settings_of(name: str, given: Mapping[str, str]) -> Settings:
    """Turn parameters into what the loader writes into a program and its maps.

    Raises NotFoundError `ebpf.no_such_program`, UsageError `ebpf.unknown_parameter`,
    `ebpf.parameter_missing` and `ebpf.bad_parameter`.
    """
    entry = _entry(name)
    known = [parameter.name for parameter in entry.shipped.parameters]
    if unknown := [parameter for parameter in given if parameter not in known]:
        raise unknown_parameter(name, unknown[0], known)
    for parameter in entry.shipped.parameters:
        if parameter.is_required and parameter.name not in given:
            raise UsageError(
                "ebpf.parameter_missing",
                f"The program {name} needs the parameter {parameter.name}.",
                reason=parameter.help,
                fix=f"Add --param {parameter.name}={parameter.form}.",
                context={"program": name, "parameter": parameter.name},
            )
    return entry.settings(given)


def unknown_parameter(program: str, parameter: str, known: list[str]) -> UsageError:
    """Say that a program has no such parameter, and which it has."""
    return UsageError(
        "ebpf.unknown_parameter",
        f"{program} has no parameter '{parameter}'.",
        reason=f"It has {', '.join(known)}." if known else "It has none.",
        fix="Compare with x0tta ebpf programs.",
        context={"program": program, "parameter": parameter, "known": known},
    )


def _entry(name: str) -> _Entry:
    entry = _ENTRIES.get(name)
    if entry is None:
        raise NotFoundError(
            "ebpf.no_such_program",
            f"No program '{name}' comes with x0tta.",
            reason=f"There are {', '.join(_ENTRIES)}.",
            fix="Choose one of them, or name an object or a source by its path: ./my.bpf.o.",
            context={"program": name, "known": list(_ENTRIES)},
        )
    return entry
