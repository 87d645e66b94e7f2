"""How long a shell waits for values, beside Python that merely reads the same configuration.

    tests/bench/completion.py [--size N]

Rounds are interleaved: each starts every process once, so that a busy machine slows all alike. The
peer starts Python and parses the file with the standard library, the least that anything written
in Python could do. Ends with 1 when the bar is missed in a full run, and with 0 in a smaller one,
whose few rounds decide nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 40
FEWEST_ROUNDS = 3
BAR = 1.5
READ = "import sys, tomllib; tomllib.load(open(sys.argv[1], 'rb'))"
CONFIGURATION = """
[drill]
seed = 7
false_alarm_rate = 0.01
top_3_floor = 0.8

[profiles.site.drill]
seed = 8
"""


def main() -> int:
    """Measure, print medians and the ratio; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=float, default=1.0, help="share of the rounds (default 1)")
    rounds = max(FEWEST_ROUNDS, round(ROUNDS * parser.parse_args().size))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_text(CONFIGURATION)
        medians = measure(command_lines(file), rounds, file)
    print(f"Python {sys.version.split()[0]}, medians of {rounds} interleaved rounds")
    for name, median_s in medians.items():
        print(f"  {name:<40} {median_s * 1000:7.1f} ms")
    ours, peer = (
        medians["x0tta __complete incident ''"],
        medians["python, reading the configuration"],
    )
    held = ours / peer <= BAR
    verdict = "held" if held else "missed"
    print(f"  completion / reading {ours / peer:5.2f}  (bar {BAR:.2f}, {verdict})")
    return 1 if not held and rounds == ROUNDS else 0


def command_lines(file: Path) -> dict[str, list[str]]:
    """Each thing to start, by name."""
    x0tta = str(Path(sys.executable).with_name("x0tta"))
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python, reading the configuration": [sys.executable, "-c", READ, str(file)],
        "x0tta __complete incident ''": [x0tta, "__complete", "incident", ""],
        "x0tta __complete profile ''": [x0tta, "__complete", "profile", ""],
    }


def measure(lines: dict[str, list[str]], rounds: int, file: Path) -> dict[str, float]:
    """Start everything `rounds` times in turn; medians in seconds."""
    # As a user's shell has it: not what a test run or a container has set for itself.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "X0TTA_"))
    }
    kept["X0TTA_CONFIG"] = str(file)
    times_s: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds + 1):
        for name, line in lines.items():
            started = time.perf_counter()
            subprocess.run(line, env=kept, stdout=subprocess.DEVNULL, check=True)
            times_s[name].append(time.perf_counter() - started)
    # The first round compiles and fills caches.
    return {name: statistics.median(times[1:]) for name, times in times_s.items()}


if __name__ == "__main__":
    sys.exit(main())
