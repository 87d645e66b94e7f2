"""How long `count` takes for a packet, beside a counter written by hand for the same work.

    tests/bench/ebpf_programs.py [--size FACTOR]

BPF_PROG_TEST_RUN in CPU time of this thread, which is pinned to one CPU; an empty program's time
(the kernel's own loop) is subtracted. Where the kernel's compiler happens to put a program moves
its time by a tenth, so all are loaded anew several times; medians over the loads of medians over
interleaved rounds. The counter by hand is compiled by the same compiler and counts the same: on
packets of all kinds both have to give the same sums, or nothing is measured. Needs root and clang.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import packets
from hypothesis import HealthCheck, given, seed, settings

from x0tta_cli.core.doctor.building import find_clang
from x0tta_cli.ebpf import maps, syscalls
from x0tta_cli.ebpf.loading import OBJECTS, LoadedProgram, load
from x0tta_cli.ebpf.trying import run

BAR = 1.2
LOADS, ROUNDS, REPEATS = 15, 9, 100_000
GIVEN = {"parameters": {}, "link_type": "ethernet", "frags": False}
BY_HAND = """
#include "kernel.bpf.h"
struct count { __u64 packets, bytes; };
struct {
	UINT(type, PERCPU_ARRAY); UINT(max_entries, 512); TYPE(key, __u32); TYPE(value, struct count);
} counters SEC(".maps");
enum { ARP = 256, OTHER, MALFORMED };
INLINE __u32 ipv6(unsigned char *header, unsigned char *end)
{
	__u32 next;

	if (header + 40 > end || header[0] >> 4 != 6)
		return MALFORMED;
	next = header[6];
	header += 40;
	for (int i = 0; i < 6; i++) {
		int is_later = 0, size;

		if (next != 0 && next != 43 && next != 44 && next != 51 && next != 60 && next != 135)
			break;
		if (header + 8 > end)
			break;
		size = (header[1] + 1) * 8;
		if (next == 44) {
			size = 8;
			is_later = (*(__u16 *)(header + 2) & NET16(0xfff8)) != 0;
		} else if (next == 51) {
			size = (header[1] + 2) * 4;
		}
		next = header[0];
		if (is_later)
			break;
		header += size;
	}
	return next;
}
INLINE __u32 protocol(unsigned char *data, unsigned char *end)
{
	__u16 type;

	if (data + 14 > end)
		return MALFORMED;
	type = *(__u16 *)(data + 12);
	data += 14;
	for (int i = 0; i < 2 && (type == NET16(0x8100) || type == NET16(0x88a8)); i++) {
		if (data + 4 > end)
			return MALFORMED;
		type = *(__u16 *)(data + 2);
		data += 4;
	}
	if (type == NET16(0x0800))
		return data + 20 > end || data[0] >> 4 != 4 || (data[0] & 15) < 5 ? MALFORMED : data[9];
	if (type == NET16(0x86dd))
		return ipv6(data, end);
	if (type == NET16(0x0806))
		return data + 28 > end ? MALFORMED : ARP;
	return OTHER;
}
SEC("xdp") int by_hand(struct xdp_md *context)
{
	unsigned char *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__u32 slot = protocol(data, end), length = end - data;
	struct count *count = map_lookup(&counters, &slot);

	if (count) {
		count->packets++;
		count->bytes += length;
	}
	return XDP_PASS;
}
char license_of_program[] SEC("license") = "Dual BSD/GPL";
"""


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size
    loads, repeats = max(2, round(LOADS * size)), max(1000, round(REPEATS * size))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        hand = by_hand(Path(folder))
        check_same_work(hand)
        taken = measure(hand, loads, repeats)
    missed = 0
    for name, times in taken.items():
        middle = {who: statistics.median(values) for who, values in times.items()}
        count, written = middle["count"] - middle["loop"], middle["by hand"] - middle["loop"]
        missed += count > BAR * written
        print(
            f"{name}: count {count:.2f} ns, by hand {written:.2f} ns, ratio {count / written:.2f} "
            f"(at most {BAR}); the kernel's own loop {middle['loop']:.2f} ns"
        )
    return 1 if missed and size >= 1 else 0


def frames() -> dict[str, bytes]:
    """The packets that meshes carry most."""
    four = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 60, 1, 0, 64, 17, 0, b"\xc6\x12\0\1", b"\xc6\x12\0\2"
    )
    six = struct.pack("!IHBB", 6 << 28, 40, 6, 64) + bytes(32)
    return {
        "IPv4 UDP": bytes(12) + b"\x08\x00" + four + bytes(40),
        "IPv6 TCP": bytes(12) + b"\x86\xdd" + six + bytes(40),
    }


def by_hand(folder: Path) -> Path:
    """Compile the counter by hand."""
    source, target = folder / "by_hand.c", folder / "by_hand.o"
    source.write_text(BY_HAND)
    clang = find_clang()
    if clang is None:
        raise SystemExit("clang is missing")
    options = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", f"-I{OBJECTS}"]
    subprocess.run([clang, *options, "-c", source, "-o", target], check=True)
    return target


def check_same_work(hand: Path) -> None:
    """Run both on packets of all kinds; ends the measurement where their sums differ."""
    ours, theirs = load("count", **GIVEN), load(hand, **GIVEN)

    @seed(1)
    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=HealthCheck)
    @given(packets.frames())
    def count(frame: bytes) -> None:
        run(ours.fd, frame)
        run(theirs.fd, frame)

    count()
    if sums_of(ours) != sums_of(theirs):
        raise SystemExit("the counter by hand counts something else")
    ours.close()
    theirs.close()


def sums_of(program: LoadedProgram) -> dict[int, bytes]:
    """Packets and bytes by protocol, where there are any."""
    rows = maps.read(program.maps["counters"])
    pairs = zip(rows.keys, rows.values, strict=True)
    return {int.from_bytes(key, "little"): value.tobytes() for key, value in pairs if value.any()}


def measure(hand: Path, loads: int, repeats: int) -> dict[str, dict[str, list[float]]]:
    """Give the nanoseconds of a run by packet and program, one figure for each load."""
    taken: dict[str, dict[str, list[float]]] = {
        name: {"loop": [], "count": [], "by hand": []} for name in frames()
    }
    for _ in range(loads):
        ours, theirs = load("count", **GIVEN), load(hand, **GIVEN)
        loop = syscalls.load_bare_program()
        programs = [("loop", loop), ("count", ours.fd), ("by hand", theirs.fd)]
        for name, frame in frames().items():
            for who, values in in_turns(programs, frame, repeats).items():
                taken[name][who].append(statistics.median(values))
        os.close(loop)
        ours.close()
        theirs.close()
    return taken


def in_turns(programs: list[tuple[str, int]], frame: bytes, repeats: int) -> dict[str, list[float]]:
    """Run each program in each round, in an order that changes."""
    times: dict[str, list[float]] = {who: [] for who, _ in programs}
    for _ in range(ROUNDS):
        for who, descriptor in random.sample(programs, len(programs)):
            started = time.thread_time_ns()
            run(descriptor, frame, repeats)
            times[who].append((time.thread_time_ns() - started) / repeats)
    return times


if __name__ == "__main__":
    sys.exit(main())
