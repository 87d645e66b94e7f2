"""`x0tta explain`: the catalogue of errors, offline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.terminal import options
from x0tta_cli.terminal.command import App, Block, Column, Facts, Heading, Table

app = App("Say what an error code means and how to mend it.", single=True)


@dataclass(frozen=True, slots=True)
class Explained:
    """One code of the catalogue, whole."""

    code: str
    status: int
    title: str
    cause: str
    mend: str
    example: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One code of the catalogue, in a line."""

    code: str
    status: int
    title: str


def blocks(result: Explained | list[Listed]) -> Iterator[Block]:
    """Lay out one code as facts under its title, or all of them as a table."""
    if isinstance(result, list):
        columns = [Column("CODE"), Column("STATUS", "right", tone="dim"), Column("TITLE")]
        yield Table(columns, [(entry.code, entry.status, entry.title) for entry in result])
        return
    yield Heading(result.title)
    yield Facts(
        [
            ("code", result.code),
            ("exit status", result.status),
            ("cause", result.cause),
            ("mend", result.mend),
            ("example", result.example),
        ]
    )


@app.command(
    view=blocks,
    examples=[
        "x0tta explain usage.unknown_option  # one code: cause, mend, example",
        "x0tta explain  # all codes",
    ],
)
def explain(
    code: Annotated[
        str | None,
        typer.Argument(help="Code at the end of an error; without it, all are listed."),
        options.Listed("x0tta_cli.terminal.explain:codes"),
    ] = None,
) -> Explained | list[Listed]:
    """Say what an error code means and how to mend it."""
    from x0tta_cli.core.catalogue import CATALOGUE

    if code is None:
        return [
            Listed(entry.code, int(entry.status), entry.title)
            for _, entry in sorted(CATALOGUE.items())
        ]
    entry = CATALOGUE.get(code.strip().lower())
    if entry is None:
        raise NotFoundError(
            "explain.unknown_code",
            f"There is no error code '{code}'.",
            fix=_similar(code, list(CATALOGUE)) or "List all codes with x0tta explain.",
        )
    return Explained(
        entry.code, int(entry.status), entry.title, entry.cause, entry.mend, entry.example
    )


def _similar(code: str, codes: list[str]) -> str:
    from x0tta_cli.terminal.options import did_you_mean

    of_area = [known for known in codes if known.partition(".")[0] == code]
    return did_you_mean(code, codes) or (f"It has {', '.join(of_area)}." if of_area else "")


def codes() -> list[str]:
    """Name all codes, for completion."""
    from x0tta_cli.core.catalogue import CATALOGUE

    return sorted(CATALOGUE)
