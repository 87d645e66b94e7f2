"""How long a shell waits for values of each kind, beside Python that merely reads a configuration.

    tests/bench/completion.py [--size N]

Rounds are interleaved: each starts every process once, so that a busy machine slows all alike. The
peer starts Python and parses the file with the standard library, the least that anything written
in Python could do. Every kind has something to offer: a journal, a ledger and a configuration are
made beforehand. Ends with 1 when a kind misses the bar in a full run, and with 0 in a smaller one,
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

from x0tta_cli.terminal.completion.values import KINDS

X0TTA = str(Path(sys.executable).with_name("x0tta"))
ROUNDS = 40
FEWEST_ROUNDS = 3
BAR = 1.5
READ = "import sys, tomllib; tomllib.load(open(sys.argv[1], 'rb'))"
CONFIGURATION = """
[drill]
seed = 7
false_alarm_rate = 0.01
top_3_floor = 0.8

[alert.channels.am]
kind = "alertmanager"
urls = ["http://127.0.0.1:9093"]

[profiles.site.drill]
seed = 8
"""
PEER = "python, reading the configuration"
# USDT's own contract: an address of the right form that is nobody's wallet.
ADDRESS = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"


def main() -> int:
    """Measure, print medians and the ratio; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=float, default=1.0, help="share of the rounds (default 1)")
    rounds = max(FEWEST_ROUNDS, round(ROUNDS * parser.parse_args().size))
    with tempfile.TemporaryDirectory() as folder:
        environment = ready(Path(folder))
        medians = measure(command_lines(environment["X0TTA_CONFIG"]), rounds, environment)
    print(f"Python {sys.version.split()[0]}, medians of {rounds} interleaved rounds")
    ratios = {name: median_s / medians[PEER] for name, median_s in medians.items()}
    for name, median_s in medians.items():
        print(f"  {name:<42} {median_s * 1000:7.1f} ms  {ratios[name]:5.2f}")
    missed = [kind for kind in KINDS if ratios[line_of(kind)] > BAR]
    verdict = f"missed by {', '.join(missed)}" if missed else "held by all kinds"
    print(f"  completion / reading: bar {BAR:.2f}, {verdict}")
    return 1 if missed and rounds == ROUNDS else 0


def ready(folder: Path) -> dict[str, str]:
    """Write a configuration, a journal and a ledger; the environment that names them."""
    file = folder / "config.toml"
    file.write_text(CONFIGURATION)
    # As a user's shell has it: not what a test run or a container has set for itself.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "X0TTA_"))
    }
    kept |= {"X0TTA_CONFIG": str(file), "X0TTA_STATE_DIR": str(folder / "state")}
    for line in (
        ["config", "set", "drill.seed", "9"],
        ["pay", "wallets", "add", "usdt-trc20", ADDRESS, "--name", "shop", "--yes"],
        ["pay", "expect", "add", "A-1", "12.5", "usdt-trc20", "--yes"],
    ):
        subprocess.run([X0TTA, *line], env=kept, stdout=subprocess.DEVNULL, check=True)
    return kept


def line_of(kind: str) -> str:
    """Write what a shell asks."""
    return f"x0tta __complete {kind} ''"


def command_lines(file: str) -> dict[str, list[str]]:
    """Each thing to start, by name."""
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        PEER: [sys.executable, "-c", READ, file],
        **{line_of(kind): [X0TTA, "__complete", kind, ""] for kind in KINDS},
    }


def measure(
    lines: dict[str, list[str]], rounds: int, environment: dict[str, str]
) -> dict[str, float]:
    """Start everything `rounds` times in turn; medians in seconds."""
    times_s: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds + 1):
        for name, line in lines.items():
            started = time.perf_counter()
            subprocess.run(line, env=environment, stdout=subprocess.DEVNULL, check=True)
            times_s[name].append(time.perf_counter() - started)
    # The first round compiles and fills caches.
    return {name: statistics.median(times[1:]) for name, times in times_s.items()}


if __name__ == "__main__":
    sys.exit(main())
