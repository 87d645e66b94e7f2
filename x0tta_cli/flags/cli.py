"""`x0tta flags`: what is switched on and off, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from x0tta_cli.flags.model import Flag
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Listed,
    Table,
    Text,
    Tone,
    Verbatim,
    configuration,
)

app = App("See the flags that switch parts of x0tta on and off.")


def blocks_of_flags(flags: list[Flag]) -> Iterator[Block]:
    """Lay all flags out as a table, and say how to set one."""
    yield Table(
        [
            Column("FLAG"),
            Column("VALUE"),
            Column("DEFAULT", tone="dim"),
            Column("SOURCE"),
            Column("TYPE", wide_only=True),
            Column("WHAT IT SWITCHES"),
        ],
        [
            (
                flag.name,
                Cell(in_words(flag.value), tone_of(flag)),
                in_words(flag.default),
                flag.source,
                flag.kind,
                flag.help,
            )
            for flag in flags
        ],
    )
    yield Text("x0tta config set flags.NAME on|off sets one.", "dim")


@app.command(
    "list",
    view=blocks_of_flags,
    examples=["x0tta flags list", "x0tta flags list -o json"],
)
def list_() -> list[Flag]:
    """List every flag with its value, where that comes from, and its default."""
    from x0tta_cli.flags.evaluation import evaluate_all

    return evaluate_all(configuration())


@app.command(
    view=lambda flag: [Verbatim(in_words(flag.value))],
    examples=[
        "x0tta flags get graphsage  # on or off",
        "x0tta flags get graphsage -o json  # with its source and default",
    ],
)
def get(
    name: Annotated[
        str,
        typer.Argument(help="As x0tta flags list names it."),
        Listed("x0tta_cli.flags.evaluation:names"),
    ],
) -> Flag:
    """Print the value of one flag.

    Ends with 0 whatever the value is: a flag that is off was read as well as one that is on, and
    not every flag is a switch. An unknown flag ends with 4, a value that can't be read with 9.
    """
    from x0tta_cli.flags.evaluation import evaluate

    return evaluate(name.strip(), configuration())


def in_words(value: Any) -> str:
    """Write a value as operators say it: on and off for what is true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def tone_of(flag: Flag) -> Tone:
    """Make stand out what was switched."""
    if flag.is_off:
        return "warning"
    return "good" if flag.value is True else "plain"
