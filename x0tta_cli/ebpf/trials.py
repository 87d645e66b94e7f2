"""Tries a program on the packets of a capture, attached to nothing: verdicts and nanoseconds."""

from __future__ import annotations

import errno
from collections import Counter as Tally
from pathlib import Path

from x0tta_cli.core.errors import NotYetKnownError
from x0tta_cli.ebpf import trying
from x0tta_cli.ebpf.captures import Capture, read_capture
from x0tta_cli.ebpf.counters import read_counters, read_reasons
from x0tta_cli.ebpf.loading import LoadedProgram, load
from x0tta_cli.ebpf.measurements import TriedProgram, VerdictCount


def try_program(
    program: str | Path, capture_file: Path, parameters: dict[str, str]
) -> TriedProgram:
    """Load a program and run it once on each packet, then often on some for the time.

    Raises what `captures.read_capture` and `loading.load` raise, and NotYetKnownError
    `ebpf.no_packet_taken`.
    """
    capture = read_capture(capture_file)
    loaded = load(program, parameters=parameters, link_type=capture.link_type, frags=True)
    try:
        return _try(loaded, capture, capture_file)
    finally:
        loaded.close()


def _try(loaded: LoadedProgram, capture: Capture, capture_file: Path) -> TriedProgram:
    verdicts: Tally[str] = Tally()
    taken = []
    for packet in capture.packets:
        try:
            verdicts[trying.run(loaded.fd, packet).verdict] += 1
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            continue
        taken.append(packet)
    if not taken:
        raise NotYetKnownError(
            "ebpf.no_packet_taken",
            f"The kernel takes none of the packets in {capture_file} for a test.",
            reason="Tests need 14 bytes at least, and one piece of 3520 bytes at most where the "
            "program takes no fragments.",
            fix="Capture other packets.",
            context={"file": str(capture_file)},
        )
    # Before the time is measured: that runs packets again, which the program would count.
    counted = read_counters(loaded.maps["counters"]) if _is_shipped(loaded) else ()
    drops = read_reasons(loaded.maps["reasons"]) if _is_shipped(loaded, "reasons") else ()
    return TriedProgram(
        program=loaded.name,
        packets=len(taken),
        not_taken=len(capture.packets) - len(taken),
        ns_per_packet=round(trying.nanoseconds_per_packet(loaded.fd, taken), 1),
        verdicts=tuple(VerdictCount(*pair) for pair in sorted(verdicts.items())),
        counters=counted,
        drops=drops,
        built_by=loaded.built_by,
    )


def _is_shipped(loaded: LoadedProgram, needed_map: str = "counters") -> bool:
    return loaded.is_shipped and needed_map in loaded.maps
