"""`x0tta alert serve` and `watch`: what goes on until it is ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.alert.cli.application import app
from x0tta_cli.alert.cli.sending import tone_of
from x0tta_cli.alert.model import OutboxRow
from x0tta_cli.alert.results import Watched
from x0tta_cli.terminal.command import Block, Cell, Column, Heading, Table, Text, session


@app.command(
    changes_world=True,
    examples=["x0tta alert serve", "x0tta alert serve --listen 127.0.0.1:9099"],
)
def serve(
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="In place of alert.serve.listen."),
    ] = None,
) -> None:
    """Take Alertmanager's notifications, deliver what waits, renew what is open.

    Runs until SIGTERM, after which what was taken is delivered or stays queued; SIGHUP reads the
    configuration anew. Alertmanager's webhook_config points to http://HOST:PORT/alertmanager.
    """
    from x0tta_cli.alert import routing
    from x0tta_cli.alert.serving import serve
    from x0tta_cli.alert.settings import AlertSettings
    from x0tta_cli.core.config import load

    current = session()

    def read_settings() -> AlertSettings:
        settings = load(current.config, current.profile).section("alert", AlertSettings)
        routing.check(settings)
        return settings

    if current.dry_run:
        read_settings()
        return
    serve(read_settings, listen)


def blocks_of_watched(result: OutboxRow | Watched) -> Iterator[Block]:
    """Lay one change out as one line; how all stands as tables."""
    if isinstance(result, OutboxRow):
        yield Text(_line_of(result), tone_of(result.state))
        return
    yield Heading(
        f"{result.at:%H:%M:%S} UTC: {result.open} alerts are open, {result.queued} deliveries "
        f"wait, {result.dead} dead letters"
    )
    for trouble in result.troubles:
        yield Text(f"warning: {trouble}", "warning")
    for title, rows in (("WAITS", result.waiting), ("LATEST", result.latest)):
        if rows:
            columns = [Column(name) for name in (title, "ACTION", "AT", "STATE", "DETAIL")]
            yield Table(columns, [_cells_of(row) for row in rows])


def _cells_of(row: OutboxRow) -> tuple[object, ...]:
    state = Cell(row.state.value, tone_of(row.state))
    return f"{row.number} {row.name}", row.action.value, row.channel, state, row.detail


def _line_of(row: OutboxRow) -> str:
    count = f", {row.count} times" if row.count > 1 else ""
    tried = f", tried {row.attempts} times" if row.attempts > 1 else ""
    detail = f": {row.detail}" if row.detail else ""
    return (
        f"{row.number} {row.action} {row.name} ({row.severity}{count}) at {row.channel}, "
        f"{row.peer}: {row.state}{tried}{detail}"
    )


@app.command(
    view=blocks_of_watched,
    examples=["x0tta alert watch", "x0tta alert watch -o json | jq .state"],
)
def watch(
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often it is looked.")
    ] = "1s",
) -> Iterator[OutboxRow] | Iterator[Watched]:
    """Follow the outbox until Ctrl-C: on a terminal how it stands, redrawn at each look.

    Elsewhere what waits, and then each delivery as it changes.
    """
    from x0tta_cli.alert import arguments, watching
    from x0tta_cli.terminal.live import Rounds, is_wanted

    every_s = arguments.seconds(every, "--every")
    if is_wanted(session()):
        return Rounds([state] for state in watching.states(every_s))
    return watching.changes(every_s)
