"""`x0tta alert outbox`: what waits to be told, and what will never be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.alert.cli.application import alert_settings, app
from x0tta_cli.alert.cli.sending import tone_of
from x0tta_cli.alert.model import OutboxRow
from x0tta_cli.alert.results import Changed, Round
from x0tta_cli.terminal.command import App, Block, Cell, Column, Table, Text, confirm, session

outbox = App("See what waits to be told and what was given up, and deliver it.")
app.add_typer(outbox, name="outbox")

# As SQLite numbers rows.
LAST_NUMBER = 2**63 - 1
Numbers = Annotated[
    list[int] | None,
    typer.Argument(metavar="NUMBER", min=1, max=LAST_NUMBER, help="Rows; without any, all."),
]


def blocks_of_rows(rows: list[OutboxRow]) -> Iterator[Block]:
    """Lay out rows of the outbox."""
    if not rows:
        return
    yield Table(
        [
            Column("NUMBER", "right"),
            Column("ALERT"),
            Column("ACTION"),
            Column("CHANNEL"),
            Column("PEER", wide_only=True),
            Column("STATE"),
            Column("ATTEMPTS", "right"),
            Column("COUNT", "right"),
            Column("KEY", wide_only=True),
            Column("DETAIL"),
        ],
        [
            (
                row.number,
                row.name,
                row.action.value,
                row.channel,
                row.peer,
                Cell(row.state.value, tone_of(row.state)),
                row.attempts,
                row.count,
                row.key,
                row.detail,
            )
            for row in rows
        ],
    )


@outbox.command(
    "list",
    view=blocks_of_rows,
    examples=[
        "x0tta alert outbox list  # what waits, and dead letters",
        "x0tta alert outbox list --all -o json",
    ],
)
def list_(
    every: Annotated[bool, typer.Option("--all", help="What was delivered too.")] = False,
    collapsed: Annotated[
        bool, typer.Option("--collapsed", help="What storms and flapping held back.")
    ] = False,
) -> list[OutboxRow]:
    """List what is queued and the dead letters, with the servers' words."""
    from x0tta_cli.alert.model import DeliveryState
    from x0tta_cli.alert.outbox import listing

    if every:
        return listing.rows(tuple(DeliveryState))
    return listing.rows((DeliveryState.COLLAPSED,)) if collapsed else listing.rows()


def blocks_of_round(result: Round) -> Iterator[Block]:
    """Lay out what a run has done."""
    verb = "Would try" if result.would_change else "Tried"
    if not result.tried and not result.renewed and not result.would_change:
        yield Text(f"Nothing was due. {result.open} alerts are open.", "good")
    else:
        yield Text(
            f"{verb} {result.tried} rows: {result.delivered} delivered, {result.queued} wait, "
            f"{result.dead} are dead letters. Renewed {result.renewed} leases of "
            f"{result.open} open alerts."
        )
    for trouble in result.troubles:
        yield Text(f"warning: {trouble}", "warning")


@outbox.command(
    changes_world=True,
    view=blocks_of_round,
    examples=[
        "x0tta alert outbox run  # from a timer, or cron: * * * * *",
        "x0tta alert outbox run --within 5m",
    ],
)
def run(
    within: Annotated[
        str, typer.Option("--within", metavar="DURATION", help="How long it may take.")
    ] = "50s",
) -> Round:
    """Deliver what is due and renew what is open; for a timer where `alert serve` does not run.

    Ends with 0 where nothing waits any more, 10 where something does, 3 with new dead letters.
    """
    from x0tta_cli.alert import arguments, rounds

    within_s = arguments.seconds(within, "--within")
    settings = alert_settings()
    return rounds.plan() if session().dry_run else rounds.go(settings, within_s)


def blocks_of_changed(result: Changed) -> Iterator[Block]:
    """Lay out how many rows were changed."""
    would = "would be" if result.would_change else "are"
    yield Text(f"{result.rows} rows {would} {result.outcome}.")


@outbox.command(
    changes_world=True,
    view=blocks_of_changed,
    examples=["x0tta alert outbox retry 17", "x0tta alert outbox retry  # all of them"],
)
def retry(numbers: Numbers = None) -> Changed:
    """Queue rows again, dead letters too, and let resting channels go on at once."""
    from x0tta_cli.alert import rounds

    return rounds.retry(numbers or (), alert_settings(), dry_run=session().dry_run)


@outbox.command(
    changes_world=True,
    view=blocks_of_changed,
    examples=["x0tta alert outbox drop 17 --yes"],
)
def drop(
    numbers: Annotated[
        list[int], typer.Argument(metavar="NUMBER", min=1, max=LAST_NUMBER, help="Rows.")
    ],
) -> Changed:
    """Give rows up for good: nobody will be told."""
    from x0tta_cli.alert import rounds

    if not session().dry_run:
        confirm(f"Give up {len(numbers)} of what waits to be told?")
    return rounds.drop(numbers, dry_run=session().dry_run)
