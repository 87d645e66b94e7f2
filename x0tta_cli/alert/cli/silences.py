"""`x0tta alert silence`: what nobody is to be told of for a while."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.alert.cli.application import alert_settings, app, usable_settings
from x0tta_cli.alert.results import SilencePlan, SilenceRow
from x0tta_cli.terminal.command import App, Block, Cell, Column, Kind, Table, Text, session

if TYPE_CHECKING:
    from x0tta_cli.core.journal import Operation

silence = App("Keep Alertmanager from telling of some alerts for a while.")
app.add_typer(silence, name="silence")


def blocks_of_silences(result: list[SilenceRow] | SilencePlan) -> Iterator[Block]:
    """Lay out silences, those that match nothing marked."""
    if isinstance(result, SilencePlan):
        yield Text(f"Would {result.action} {', '.join(result.matchers)} at {result.channel}.")
        return
    if not result:
        return
    yield Table(
        [
            Column("ID"),
            Column("CHANNEL"),
            Column("STATE"),
            Column("MATCHERS"),
            Column("UNTIL"),
            Column("ALERTS", "right"),
            Column("BY"),
            Column("COMMENT"),
        ],
        [
            (
                row.id,
                row.channel,
                row.state,
                ", ".join(row.matchers),
                row.ends_at,
                # One that matches nothing is forgotten by everybody, and hides what comes later.
                Cell(
                    row.matching,
                    "warning" if row.state == "active" and not row.matching else "plain",
                ),
                row.created_by,
                row.comment,
            )
            for row in result
        ],
    )


@silence.command(
    changes_world=True,
    is_safe=True,
    takes_bytes=True,
    view=blocks_of_silences,
    examples=["x0tta alert silence add component=cart --for 2h --comment 'being replaced'"],
)
def add(
    matchers: Annotated[
        list[str],
        typer.Argument(metavar="MATCHER", help="As alertname=X, component=~'cart|shop', a!=b."),
    ],
    for_: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long from now on.")
    ] = "1h",
    comment: Annotated[
        str, typer.Option("--comment", metavar="TEXT", help="Why, for the others.")
    ] = "",
    channel: Annotated[
        str | None,
        typer.Option("--channel", metavar="NAME", help="Which, where there are several."),
        Kind("channel"),
    ] = None,
) -> list[SilenceRow] | SilencePlan:
    """Silence the alerts that all matchers let through."""
    from x0tta_cli.alert import arguments, silences

    return silences.add(
        [arguments.text(matcher) for matcher in matchers],
        arguments.seconds(for_, "--for"),
        arguments.text(comment),
        channel,
        usable_settings(),
        dry_run=session().dry_run,
    )


@silence.command(
    "list",
    view=blocks_of_silences,
    examples=["x0tta alert silence list", "x0tta alert silence list --all  # expired ones too"],
)
def list_(
    every: Annotated[bool, typer.Option("--all", help="Expired ones too.")] = False,
) -> list[SilenceRow]:
    """List silences, how many alerts each keeps quiet, and which ran out within a day."""
    from x0tta_cli.alert import silences

    return silences.listed(usable_settings(), every=every)


@silence.command(
    changes_world=True,
    is_safe=True,
    view=blocks_of_silences,
    examples=["x0tta alert silence expire 8d0a6f1e-…"],
)
def expire(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Of `x0tta alert silence list`.")],
) -> list[SilenceRow] | SilencePlan:
    """End a silence now."""
    from x0tta_cli.alert import silences

    return silences.expire(identifier, usable_settings(), dry_run=session().dry_run)


def resume(operation: Operation) -> None:
    """Go on with a silence that was interrupted while it was made."""
    from x0tta_cli.alert import silences

    silences.resume(operation, alert_settings())
