"""`x0tta alert test`: tells whether every channel works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.alert.cli.application import alert_settings, app
from x0tta_cli.alert.results import ChannelTests, Plan
from x0tta_cli.terminal.command import Block, Cell, Column, Kind, Table, Text, session


def blocks_of_tests(result: ChannelTests | Plan) -> Iterator[Block]:
    """Lay out what each channel made of its test."""
    if isinstance(result, Plan):
        yield Text(f"Would send a test through {', '.join(result.channels)}, and end it.")
        return
    yield Table(
        [
            Column("CHANNEL"),
            Column("PEER"),
            Column("STATE"),
            Column("LATENCY", "right"),
            Column("DETAIL"),
        ],
        [
            (
                each.channel,
                each.peer,
                Cell(each.state, "good" if each.works else "bad"),
                f"{each.latency_ms:.0f} ms",
                each.detail,
            )
            for each in result.tests
        ],
    )
    left = [each.channel for each in result.tests if not each.resolved]
    if left:
        yield Text(
            f"warning: the test may still be open at {', '.join(left)}; Alertmanager ends it by "
            "itself after 5m.",
            "warning",
        )


@app.command(
    "test",
    changes_world=True,
    view=blocks_of_tests,
    examples=["x0tta alert test", "x0tta alert test --channel page -o json"],
)
def try_channels(
    channel: Annotated[
        str,
        typer.Option("--channel", metavar="NAME", help="Which one; or 'all'."),
        Kind("channel"),
    ] = "all",
    within: Annotated[
        str, typer.Option("--within", metavar="DURATION", help="How long it may take.")
    ] = "30s",
) -> ChannelTests | Plan:
    """Send a real, marked test through each channel, and end it again.

    Says how far each server confirms it: accepted (it took it), visible (read back from it),
    handed_on (given to the next one), acknowledged (confirmed), or rejected or unreachable. Ends
    with 3 where one does not work.
    """
    from x0tta_cli.alert import testing
    from x0tta_cli.core.times import parse_duration

    within_s = parse_duration(within).total_seconds()
    if session().dry_run:
        return testing.plan(alert_settings(), channel)
    return testing.try_channels(alert_settings(), channel, within_s)
