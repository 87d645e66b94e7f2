"""How long x0tta takes to start, beside its peers on the same interpreter.

    tests/bench/startup.py [--quick | --size N]

Rounds are interleaved: each runs every command once, so that a busy machine slows all alike. What
counts are the ratios of the medians; the bars are those that the README states. Ends with 1 when a
bar is missed in a full run, and with 0 in a quick one, whose few rounds decide nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 40
FEWEST_ROUNDS = 3
AWSCLI = "awscli<2"

ARGPARSE_HELLO = """
import argparse

parser = argparse.ArgumentParser(description="Greet somebody.")
parser.add_argument("name", nargs="?", default="world", help="Whom.")
print(f"Hello {parser.parse_args().name}")
"""
TYPER_HELLO = """
import typer

app = typer.Typer()


@app.command()
def hello(name: str) -> None:
    print(f"Hello {name}")


@app.command()
def goodbye(name: str, formal: bool = False) -> None:
    print(f"Goodbye {name}")


app()
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One of our commands may take at most `ratio` times as long as one of a peer."""

    ours: str
    peer: str
    ratio: float


BARS = (
    Bar("x0tta --version", "argparse hello --help", 1.0),
    Bar("x0tta --help", "typer hello --help", 0.6),
    Bar("x0tta drill --help", "typer hello --help", 0.7),
    Bar("x0tta --version", "aws --version", 1 / 3),
    Bar("x0tta --help", "aws --version", 1 / 3),
    Bar("x0tta drill --help", "aws --version", 1 / 3),
)


def main() -> int:
    """Measure, print medians and ratios; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=float, default=1.0, help="share of the rounds (default 1)")
    parser.add_argument("--quick", action="store_true", help=f"{FEWEST_ROUNDS} rounds")
    given = parser.parse_args()
    rounds = FEWEST_ROUNDS if given.quick else max(FEWEST_ROUNDS, round(ROUNDS * given.size))
    with tempfile.TemporaryDirectory() as folder:
        medians = measure(command_lines(Path(folder)), rounds)
    missed = report(medians, rounds)
    return 1 if missed and rounds == ROUNDS else 0


def command_lines(folder: Path) -> dict[str, list[str]]:
    """Each thing to start, by name; the peers' programs are written into `folder`."""
    (folder / "argparse_hello.py").write_text(ARGPARSE_HELLO)
    (folder / "typer_hello.py").write_text(TYPER_HELLO)
    x0tta = str(Path(sys.executable).with_name("x0tta"))
    return {
        "python -c pass": [sys.executable, "-c", "pass"],
        "argparse hello --help": [sys.executable, str(folder / "argparse_hello.py"), "--help"],
        "typer hello --help": [sys.executable, str(folder / "typer_hello.py"), "--help"],
        "aws --version": [str(aws()), "--version"],
        "x0tta --version": [x0tta, "--version"],
        "x0tta --help": [x0tta, "--help"],
        "x0tta drill --help": [x0tta, "drill", "--help"],
    }


def aws() -> Path:
    """Amazon's command line of pip, installed once into an environment of its own."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    environment = cache / "x0tta" / "bench" / "awscli"
    program = environment / "bin" / "aws"
    if not program.exists():
        print(f"installing {AWSCLI} into {environment}, about 100 MB", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", AWSCLI]
        subprocess.run(pip, check=True)
    return program


def measure(lines: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """Start everything `rounds` times in turn; medians in seconds."""
    # As a user's shell has it: not what a test run or a container has set for itself.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    times_s: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds + 1):
        for name, line in lines.items():
            started = time.perf_counter()
            subprocess.run(line, env=kept, stdout=subprocess.DEVNULL, check=True)
            times_s[name].append(time.perf_counter() - started)
    # The first round compiles and fills caches.
    return {name: statistics.median(times[1:]) for name, times in times_s.items()}


def report(medians: dict[str, float], rounds: int) -> list[Bar]:
    """Print the medians and each ratio beside its bar; the bars that were missed."""
    print(f"Python {sys.version.split()[0]}, medians of {rounds} interleaved rounds")
    for name, median_s in medians.items():
        print(f"  {name:<22} {median_s * 1000:7.1f} ms")
    missed = []
    for bar in BARS:
        ratio = medians[bar.ours] / medians[bar.peer]
        if ratio > bar.ratio:
            missed.append(bar)
        verdict = "missed" if bar in missed else "held"
        print(f"  {bar.ours:<18} / {bar.peer:<21} {ratio:5.2f}  (bar {bar.ratio:.2f}, {verdict})")
    return missed


if __name__ == "__main__":
    sys.exit(main())
