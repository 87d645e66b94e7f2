"""Reading 100,000 flows: into arrays, beside bpftool and JSON; and what `ebpf top` costs a core.

    tests/bench/ebpf_maps.py [--size FACTOR]

Medians of interleaved rounds over one per-CPU map. Needs root and bpftool.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import time

import numpy as np

from x0tta_cli.ebpf import libbpf, maps
from x0tta_cli.ebpf.counters import FLOW, TRAFFIC, TopReader
from x0tta_cli.ebpf.loading import load
from x0tta_cli.ebpf.model import Attachment, Holding, Mode, Owner
from x0tta_cli.ebpf.readings import OpenMap
from x0tta_cli.ebpf.syscalls import map_info

FLOWS, ROUNDS, TOP_ROUNDS = 100_000, 7, 15
READ_BAR, TOP_BAR = 50, 0.15


def fill(descriptor: int, count: int) -> None:
    """Put flows into the map that differ in source and port."""
    library = libbpf.library()
    cpus = libbpf.call("libbpf_num_possible_cpus")
    keys = np.zeros(count, FLOW)
    keys["source_port"] = np.arange(count) % 65_536
    keys["protocol"], keys["family"] = 17, 4
    raw = keys.view(np.uint8).reshape(count, FLOW.itemsize).copy()
    raw[:, 12:16] = np.arange(count, dtype=">u4")[:, None].view(np.uint8)
    value = np.ones((cpus, TRAFFIC.itemsize), np.uint8)
    for key in raw:
        library.bpf_map_update_elem(descriptor, key.ctypes.data, value.ctypes.data, 0)


def by_bpftool(identifier: int) -> int:
    """Read the map as scripts do."""
    line = ["bpftool", "-j", "map", "dump", "id", str(identifier)]
    dumped = subprocess.run(line, stdout=subprocess.PIPE, check=True)
    return len(json.loads(dumped.stdout))


def seconds_of(function, *arguments: object) -> tuple[float, int]:
    """Wall seconds of a reading, and how many entries it found."""
    started = time.perf_counter()
    found = function(*arguments)
    elapsed = time.perf_counter() - started
    return elapsed, found if isinstance(found, int) else len(found)


def cpu_seconds() -> float:
    """What this process has used of a core."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size
    count = max(100, int(FLOWS * size))
    program = load("flows", parameters={}, link_type="ethernet", frags=False)
    descriptor = program.maps["flows"]
    information = map_info(descriptor)
    fill(descriptor, count)
    times: dict[str, list[float]] = {"x0tta": [], "bpftool": []}
    for _ in range(ROUNDS if size >= 1 else 2):
        for who, (elapsed, found) in (
            ("x0tta", seconds_of(maps.read, descriptor, information)),
            ("bpftool", seconds_of(by_bpftool, information.id)),
        ):
            if found != count:
                raise SystemExit(f"{who} found {found} of {count} flows")
            times[who].append(elapsed)
    ours, theirs = (statistics.median(values) for values in times.values())
    print(
        f"{count} flows on {os.cpu_count()} CPUs: {ours * 1000:.1f} ms, bpftool and JSON "
        f"{theirs * 1000:.0f} ms, {theirs / ours:.0f} times faster (bar {READ_BAR})"
    )
    attachment = Attachment(
        "eth0", 1, None, Mode.NATIVE, Holding.LINK, "flows", program.id, Owner.X0TTA
    )
    opened = {"flows": OpenMap(descriptor, information)}
    for by in ("flow", "protocol"):
        reader = TopReader(by, 20)
        reader.read(attachment, opened)
        started = cpu_seconds()
        rounds = TOP_ROUNDS if size >= 1 else 3
        for _ in range(rounds):
            reader.read(attachment, opened)
        share = (cpu_seconds() - started) / rounds
        print(f"top --by {by}: {share:.1%} of a core, refreshed every second (bar {TOP_BAR:.0%})")
    program.close()


if __name__ == "__main__":
    main()
