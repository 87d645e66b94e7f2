"""How long programs run, measured by the kernel while somebody asks: BPF_ENABLE_STATS."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

from x0tta_cli.ebpf import syscalls, trying
from x0tta_cli.ebpf.identifiers import opened
from x0tta_cli.ebpf.measurements import RunTimes, Statistics
from x0tta_cli.ebpf.syscalls import ProgramInfo

COST_REPEATS = 200_000
_PACKET = bytes(64)


def with_run_times(measured: Sequence[Statistics], seconds: float) -> list[Statistics]:
    """Measure for some seconds how long the programs run, and add it; OSError.

    Every BPF program of the host is slowed meanwhile; by how much is measured as well, on a
    program that does nothing.
    """
    bare = syscalls.load_bare_program()
    try:
        before_ns = trying.run(bare, _PACKET, COST_REPEATS).mean_ns
        switch = syscalls.enable_run_times()
        try:
            cost_ns = max(0, trying.run(bare, _PACKET, COST_REPEATS).mean_ns - before_ns)
            first = [_information(one.id) for one in measured]
            time.sleep(seconds)
            last = [_information(one.id) for one in measured]
        finally:
            os.close(switch)
    finally:
        os.close(bare)
    results = []
    for one, start, end in zip(measured, first, last, strict=True):
        runs = end.runs - start.runs
        mean = (end.run_time_ns - start.run_time_ns) / runs if runs else None
        results.append(replace(one, run_time=RunTimes(runs, mean, float(cost_ns), seconds)))
    return results


def _information(program_id: int) -> ProgramInfo:
    with opened(syscalls.open_program, program_id) as descriptor:
        return syscalls.program_info(descriptor)
