"""How long a drill takes, and all of them, beside what they may take on two cores.

    tests/bench/drill.py [--size FACTOR]

Wall time and peak memory of the installed `x0tta`, imports included. At full size every incident
is run; below, the first one alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

X0TTA = Path(sys.executable).with_name("x0tta")
ONE_DRILL_S, ALL_DRILLS_S = 20.0, 120.0


def measure(*arguments: str) -> tuple[float, dict[str, object]]:
    """Wall seconds of one command line, and what it answered."""
    with tempfile.TemporaryDirectory() as state:
        started = time.perf_counter()
        ended = subprocess.run(
            [X0TTA, "drill", "run", *arguments, "-o", "json"],
            env=os.environ | {"X0TTA_STATE_DIR": state},
            stdout=subprocess.PIPE,
            check=False,
        )
        return time.perf_counter() - started, json.loads(ended.stdout)


def report(what: str, seconds: float, bar: float) -> None:
    """Print a duration as a ratio of its bar."""
    print(f"{what:<28} {seconds:6.1f} s   {seconds / bar:.2f} of {bar:.0f} s")


def main() -> None:
    """Run the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size

    seconds, result = measure()
    report("one incident", seconds, ONE_DRILL_S)
    for stage in result["stages"]:
        print(f"  {stage['name']:<10} {stage['duration_ms'] / 1000:6.2f} s")
    if size >= 1:
        seconds, summary = measure("--all")
        report(f"all {len(summary['incidents'])} incidents", seconds, ALL_DRILLS_S)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"peak memory {peak / 1024:.0f} MiB on {os.cpu_count()} cores")


main()
