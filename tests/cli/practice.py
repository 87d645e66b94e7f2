"""The command line of x0tta with one more group, on which the frame can be tried.

Run as a script: it differs from the installed `x0tta` by nothing but that group.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Table,
    confirm,
    progress,
    session,
)

app = App("Practise on a mesh that isn't there.", default="run")

HOSTILE = "evil\x1b[31m\nname\u202e"


class Shade(StrEnum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Suspect:
    node: str
    score: float
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    incident: str
    verdict: str
    at: datetime
    ranking: tuple[Suspect, ...]
    exit_status: int = 3

    @property
    def rows(self) -> tuple[Suspect, ...]:
        return self.ranking


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[str, ...]
    would_change: bool


def blocks(outcome: Outcome) -> Iterator[Block]:
    yield Heading(f"Incident {outcome.incident}")
    yield Facts([("verdict", Cell(outcome.verdict, "bad")), ("at", outcome.at)])
    columns = [Column("NODE"), Column("SCORE", "right"), Column("EVIDENCE", wide_only=True)]
    yield Table(columns, [(s.node, s.score, s.evidence) for s in outcome.ranking])


@dataclass(frozen=True, slots=True)
class Mood:
    look: int
    nodes: tuple[Suspect, ...]


def blocks_of_mood(mood: Mood) -> Iterator[Block]:
    yield Heading(f"Look {mood.look} at {HOSTILE}")
    yield Table(
        [Column("NODE"), Column("SCORE", "right")],
        [(one.node, one.score) for one in mood.nodes],
    )


@app.command(
    takes_bytes=True,
    view=blocks,
    examples=["x0tta practice run  # the first", "x0tta practice run b/1 -o json  # another"],
)
def run(
    incident: Annotated[str, typer.Argument(help="Which incident.")] = "a/1",
    all_: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of what is random.", min=0)] = 7,
    shade: Annotated[Shade, typer.Option(help="How dark.")] = Shade.LIGHT,
    html: Annotated[Path | None, typer.Option(help="Write a page.")] = None,
) -> Outcome:
    """Take one incident from telemetry to an explanation."""
    with progress().stage("train"):
        progress().update(0.5, f"{shade} {html}")
    return Outcome(
        f"{incident} {'all' if all_ else seed}",
        "miss",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        (
            Suspect("PetAdoptionHistory_ecs-fargate", 0.91234, "latency 12 times the healthy"),
            Suspect(HOSTILE, float("nan"), "=1+1"),
            Suspect("メッシュ", 0.1, "– ±3 ≤ 4"),
        ),
    )


@app.command("list", examples=["x0tta practice list"])
def list_(
    count: Annotated[int, typer.Option(help="How many.")] = 3,
) -> list[Suspect]:
    """List the components."""
    return [Suspect(f"node-{number}", number / 4) for number in range(count)]


@app.command(examples=["x0tta practice stream"])
def stream(
    count: Annotated[int, typer.Option(help="How many.")] = 3,
) -> Iterator[Suspect]:
    """Show components as they come."""
    for number in range(count):
        yield Suspect(f"node-{number}", number / 4)


@app.command(examples=["x0tta practice watch"], view=blocks_of_mood)
def watch(
    every: Annotated[float, typer.Option(help="Seconds between two looks.")] = 0.0,
    count: Annotated[int, typer.Option(help="How many looks.")] = 3,
    size: Annotated[int, typer.Option(help="How many components.")] = 3,
) -> Iterator[Mood]:
    """Show again and again how the mesh is."""
    from x0tta_cli.terminal.live import Rounds

    def looks() -> Iterator[list[Mood]]:
        for look in range(count):
            yield [Mood(look, tuple(Suspect(f"node-{n}", look + n) for n in range(size)))]
            time.sleep(every)

    return Rounds(looks())


@app.command(examples=["x0tta practice change x"], changes_world=True)
def change(name: Annotated[str, typer.Argument(help="What.")]) -> Plan | None:
    """Change what is named."""
    if session().dry_run:
        return Plan((f"change {name}",), would_change=name != "nothing")
    confirm(f"Change {name}?")
    return None


@app.command(examples=["x0tta practice told"])
def told() -> dict[str, object]:
    """Tell the shared options."""
    current = session()
    return {
        "output": current.output,
        "quiet": current.quiet,
        "profile": current.profile,
        "timeout_s": current.timeout_s,
        "read_only": current.read_only,
    }


@app.command(examples=["x0tta practice fail down"])
def fail(how: Annotated[str, typer.Argument(help="How.")]) -> None:
    """Fail."""
    if how == "down":
        raise UnavailableError(
            "http.unreachable",
            "The server at http://[::1]:9 can't be reached.",
            reason="Connection refused: nothing listens there.",
            fix="Start it.",
            retryable=True,
        )
    raise ValueError("token=hunter2-abcdefgh \033[31m")


@app.command(examples=["x0tta practice wait"])
def wait(
    cleaned: Annotated[Path, typer.Option(help="File that tells of the clean-up.")],
    how: Annotated[str, typer.Option(help="Where the signal arrives.")] = "sleep",
) -> Suspect | None:
    """Wait for a signal, and clean up after it."""
    try:
        print("waiting", file=sys.stderr, flush=True)
        WAITING[how]()
    finally:
        cleaned.write_text("yes")
    return None


def _sleep() -> None:
    time.sleep(60)


def _swallow() -> None:
    """As a library that lets nothing pass but goes on."""
    try:
        time.sleep(60)
    except BaseException:  # noqa: BLE001
        return


def _wrap() -> None:
    """As a library that makes another error of it."""
    try:
        time.sleep(60)
    except BaseException as error:
        raise ImportError("half imported") from error


def _drop() -> None:
    """As a destructor, in which Python drops exceptions."""

    class Slow:
        def __del__(self) -> None:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                time.sleep(0.01)

    Slow()
    time.sleep(60)


WAITING = {"sleep": _sleep, "swallow": _swallow, "wrap": _wrap, "drop": _drop}


def main() -> int:
    sys.modules["practice"] = sys.modules[__name__]
    from x0tta_cli.__main__ import main as start
    from x0tta_cli.terminal.groups import GROUPS, Group

    GROUPS["practice"] = Group(
        "practice", "Practise on a mesh that isn't there.", "practice", "x0tta practice"
    )
    sys.argv[0] = "x0tta"
    return start()


if __name__ == "__main__":
    sys.exit(main())
