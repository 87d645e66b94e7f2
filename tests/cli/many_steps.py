"""The command line of x0tta with operations that can be killed at each line of their journal.

Run as a script: `many_steps.py ARGUMENT...`. The group `many` has an operation of many steps, each
of which writes a file into the folder of `WORLD`. The environment says where a process ends:
`KILL_BEFORE=n` and `KILL_AFTER=n` at its n-th journal line, counted from 1; `SLOW=seconds` makes
each step last. The drill's alerts go to `RECEIVER` where it is set, so that they outlive a kill.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from x0tta_cli.core import journal
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.terminal.command import App
from x0tta_cli.terminal.groups import GROUPS, Group, OperationKind

STEPS = 5

app = App("Practise operations of many steps.")


@app.command(examples=["x0tta many run"])
def run() -> None:
    """Take all steps."""
    with journal.operation("many.run", {"steps": STEPS}) as operation:
        take_steps(operation)


@app.command(examples=["x0tta many unknown"])
def unknown() -> None:
    """Take all steps of a kind that nobody can resume."""
    with journal.operation("many.unknown", {"steps": STEPS}) as operation:
        take_steps(operation)


@app.command(examples=["x0tta many beside"])
def beside() -> None:
    """Begin nothing beside an interrupted operation."""
    journal.refuse_interrupted("many.run", {"steps": STEPS})


def take_steps(operation: journal.Operation) -> None:
    for number in range(operation.plan["steps"]):
        operation.once(f"step {number}", lambda number=number: write(operation, number))


def write(operation: journal.Operation, number: int) -> dict[str, object]:
    time.sleep(float(os.environ.get("SLOW", "0")))
    if os.environ.get("DOWN") == str(number):
        raise UnavailableError("http.unreachable", "The world is down.", fix="Start it.")
    previous = operation.once(f"step {number - 1}", dict) if number else {"sum": 0}
    total = previous["sum"] + number
    (world() / f"{operation.id}-{number}").write_text(str(total))
    return {"sum": total}


def leftovers(record: journal.OperationRecord) -> list[journal.Leftover]:
    return [
        journal.Leftover("file", path.name, path.unlink)
        for path in sorted(world().glob(f"{record.id}-*"))
    ]


def world() -> Path:
    return Path(os.environ["WORLD"])


def die_at_a_line() -> None:
    written = 0
    write_as_it_is = journal.Operation._write

    def counted(self, statement, values):
        nonlocal written
        written += 1
        if os.environ.get("KILL_BEFORE") == str(written):
            os.kill(os.getpid(), signal.SIGKILL)
        number = write_as_it_is(self, statement, values)
        if os.environ.get("KILL_AFTER") == str(written):
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    journal.Operation._write = counted


def deliver_to_one_receiver() -> None:
    from x0tta_cli.drill import tell

    @contextmanager
    def outliving_receiver():
        yield SimpleNamespace(base_url=os.environ["RECEIVER"])

    tell.running_receiver = outliving_receiver


def main() -> int:
    sys.modules["many_steps"] = sys.modules[__name__]
    from x0tta_cli.__main__ import main as start

    kinds = (
        OperationKind("many.run", "many_steps:take_steps", "many_steps:leftovers"),
        OperationKind("many.kept", resume="many_steps:take_steps"),
    )
    GROUPS["many"] = Group(
        "many",
        "Practise operations of many steps.",
        "many_steps",
        "x0tta many run",
        operations=kinds,
    )
    die_at_a_line()
    if "RECEIVER" in os.environ:
        deliver_to_one_receiver()
    sys.argv[0] = "x0tta"
    return start()


if __name__ == "__main__":
    sys.exit(main())
