"""`x0tta alert serve` and `watch`: what goes on until it is ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.alert.cli.application import app
from x0tta_cli.alert.cli.sending import tone_of
from x0tta_cli.alert.model import OutboxRow
from x0tta_cli.terminal.command import Block, Text, session


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


def blocks_of_row(row: OutboxRow) -> Iterator[Block]:
    """Lay one change out as one line."""
    count = f", {row.count} times" if row.count > 1 else ""
    tried = f", tried {row.attempts} times" if row.attempts > 1 else ""
    detail = f": {row.detail}" if row.detail else ""
    yield Text(
        f"{row.number} {row.action} {row.name} ({row.severity}{count}) at {row.channel}, "
        f"{row.peer}: {row.state}{tried}{detail}",
        tone_of(row.state),
    )


@app.command(
    view=blocks_of_row,
    examples=["x0tta alert watch", "x0tta alert watch -o json | jq .state"],
)
def watch(
    every: Annotated[
        str, typer.Option("--every", metavar="DURATION", help="How often it is looked.")
    ] = "1s",
) -> Iterator[OutboxRow]:
    """Follow the outbox: what waits, and then each delivery as it changes, until Ctrl-C."""
    from x0tta_cli.alert import arguments, watching

    return watching.changes(arguments.seconds(every, "--every"))
