"""`x0tta alert send`, `resolve`, `acknowledge` and `list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from x0tta_cli.alert.cli.application import (
    alert_settings,
    app,
    usable_or_nobody,
    usable_settings,
)
from x0tta_cli.alert.cli.options import Labels, Lasting, SeverityWord
from x0tta_cli.alert.model import DELIVERED, Action, DeliveryState
from x0tta_cli.alert.results import OpenAlert, Plan, Sent
from x0tta_cli.terminal.command import (
    Block,
    Cell,
    Column,
    Table,
    Text,
    Tone,
    session,
)

TITLES = ("CHANNEL", "PEER", "STATE", "ATTEMPTS", "DETAIL")
Key = Annotated[str, typer.Argument(help="Key of the alert, as `x0tta alert list` shows it.")]


def tone_of(state: DeliveryState) -> Tone:
    """Colour a state by whether somebody has to do something."""
    if state in DELIVERED:
        return "good"
    return "bad" if state in {DeliveryState.DEAD, DeliveryState.REJECTED} else "warning"


def blocks_of_sent(result: Sent | Plan) -> Iterator[Block]:
    """Lay out what became of an alert, or a plan."""
    if isinstance(result, Plan):
        yield Text(
            f"Would {result.action} {result.name} ({result.severity}) at "
            f"{', '.join(result.channels)}, under the key {result.key}."
        )
        return
    yield Text(f"{result.name} ({result.severity}), key {result.key}")
    yield Table(
        [Column(title) for title in TITLES],
        [
            (
                each.channel,
                each.peer,
                Cell(each.state.value, tone_of(each.state)),
                each.attempts,
                each.detail,
            )
            for each in result.deliveries
        ],
    )
    if any(each.state is DeliveryState.QUEUED for each in result.deliveries):
        yield Text(
            "What is queued is on the disk: x0tta alert outbox run, or alert serve, delivers it.",
            "warning",
        )
    if result.lease_ends_at is not None:
        yield Text(
            f"Alertmanager ends it by itself at {result.lease_ends_at:%Y-%m-%d %H:%M:%S} UTC, "
            "unless alert serve or alert outbox run renews it, or it is resolved before.",
            "dim",
        )
    for warning in result.warnings:
        yield Text(f"warning: {warning}", "warning")


@app.command(
    changes_world=True,
    takes_bytes=True,
    view=blocks_of_sent,
    examples=[
        "x0tta alert send HighLatency --severity critical --label component=cart",
        "x0tta alert send DiskFull --annotation summary='93 % of /srv' --lasting 30m",
    ],
)
def send(  # noqa: PLR0917 - as many options
    name: Annotated[str, typer.Argument(help="What it is, as HighLatency.")],
    severity: SeverityWord = "warning",
    label: Labels = None,
    annotation: Annotated[
        list[str] | None,
        typer.Option("--annotation", metavar="NAME=VALUE", help="Tells more; repeatable."),
    ] = None,
    dedup_key: Annotated[
        str | None,
        typer.Option("--dedup-key", metavar="KEY", help="In place of the hash of the labels."),
    ] = None,
    lasting: Lasting = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="INSTANT", help="When it truly began, as -10m."),
    ] = None,
) -> Sent | Plan:
    """Open an alert, or update the one with the same name and labels.

    It is written down before anybody is told, and tried again until everybody has it; where the
    configuration names nobody, or can't be read, it is kept until that is mended. Ends with 0 where
    all channels have it, 10 where some have to wait, 3 where one will never take it.
    """
    from x0tta_cli.alert import arguments, sending

    notice = arguments.notice(
        name,
        severity,
        arguments.pairs(label or (), "--label"),
        arguments.pairs(annotation or (), "--annotation"),
        arguments.start(since) if since else None,
    )
    key = arguments.checked_key(dedup_key)
    lasting_s = arguments.seconds(lasting, "--lasting") if lasting is not None else None
    if session().dry_run:
        return sending.plan_to_send(notice, usable_settings(), key)
    return sending.send(notice, usable_or_nobody(), key=key, lasting_s=lasting_s)


@app.command(
    changes_world=True,
    is_safe=True,
    takes_bytes=True,
    view=blocks_of_sent,
    examples=["x0tta alert resolve x0tta-HighLatency-0b4c…"],
)
def resolve(key: Key) -> Sent | Plan:
    """Close an alert on every channel, with all that it was opened with.

    Works beside a journal that can't be used: the alert is then ended at the Alertmanagers.
    """
    from x0tta_cli.alert import arguments, sending

    key = arguments.text(key)
    if session().dry_run:
        return sending.plan_to_end(key, Action.RESOLVE, usable_settings())
    return sending.resolve(key, usable_or_nobody())


@app.command(
    changes_world=True,
    is_safe=True,
    takes_bytes=True,
    view=blocks_of_sent,
    examples=["x0tta alert acknowledge x0tta-HighLatency-0b4c… --for 4h"],
)
def acknowledge(
    key: Key,
    for_: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Then it is told again.")
    ] = "2h",
) -> Sent | Plan:
    """Say that somebody takes care of an alert: nobody is told of it again meanwhile."""
    from x0tta_cli.alert import arguments, sending

    for_s, key = arguments.seconds(for_, "--for"), arguments.text(key)
    if session().dry_run:
        return sending.plan_to_end(key, Action.ACKNOWLEDGE, usable_settings())
    return sending.acknowledge(key, for_s, usable_or_nobody())


def blocks_of_firing(rows: list[OpenAlert]) -> Iterator[Block]:
    """Lay out what is open."""
    if not rows:
        return
    yield Table(
        [
            Column("NAME"),
            Column("SEVERITY"),
            Column("STATE"),
            Column("AT"),
            Column("SINCE"),
            Column("COUNT", "right"),
            Column("KEY"),
            Column("DETAIL"),
        ],
        [
            (
                row.name,
                row.severity,
                row.state,
                row.at,
                row.since,
                row.count,
                row.key,
                row.detail,
            )
            for row in rows
        ],
    )


@app.command(
    "list",
    view=blocks_of_firing,
    examples=["x0tta alert list", "x0tta alert list -o json"],
)
def list_() -> list[OpenAlert]:
    """List what is open: at each Alertmanager, at PagerDuty, and what was sent from here.

    PagerDuty tells whoever has a token for its REST API (`rest_token` of the channel).
    """
    from x0tta_cli.alert import firing

    return firing.open_alerts(alert_settings())
