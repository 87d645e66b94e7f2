"""`x0tta alert run` and `heartbeat`: for what cron and timers start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.alert.cli.application import app, usable_settings
from x0tta_cli.alert.cli.options import Labels, Lasting, SeverityWord
from x0tta_cli.alert.results import Beat, Plan, Ran
from x0tta_cli.terminal.command import Block, Text, configuration, session

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings


def blocks_of_run(result: Ran | Plan) -> Iterator[Block]:
    """Lay out a plan; a run shows nothing but what its command wrote."""
    if isinstance(result, Plan):
        yield Text(
            f"Would run it, and tell of a failure ({result.severity}) at "
            f"{', '.join(result.channels)}, under the key {result.key}."
        )


@app.command(
    changes_world=True,
    # A flag is no reason for a backup not to run.
    is_safe=True,
    takes_bytes=True,
    view=blocks_of_run,
    examples=[
        "x0tta alert run nightly-backup -- /usr/local/bin/backup --full",
        "x0tta alert run sync --at-most 10m --severity critical -- rsync -a /srv/ host:/srv/",
    ],
)
def run(  # noqa: PLR0917 - as many options
    name: Annotated[str, typer.Argument(help="What the alert is called, as nightly-backup.")],
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="The command with its arguments.")
    ],
    severity: SeverityWord = "error",
    label: Labels = None,
    at_most: Annotated[
        str | None,
        typer.Option(
            "--at-most", metavar="DURATION", help="Then the command is ended: SIGTERM, SIGKILL."
        ),
    ] = None,
    lasting: Lasting = None,
) -> Ran | Plan:
    """Run a command, alert when it fails, and end the alert when it succeeds again.

    Its output, input, signals and exit status pass through unchanged: 124 where --at-most ended
    it, 126 and 127 where it could not be started, 128 and a number where a signal did. With -o
    json or csv the result is on stdout alone, and all that the command writes on stderr. The alert
    is on the disk before anybody is told; what keeps it from that is logged, and never keeps the
    command from running. Should x0tta itself be killed, alert serve, alert outbox run or the next
    alert run tells of that.
    """
    from x0tta_cli.alert import arguments, running

    job = running.Job(
        arguments.name(name),
        tuple(command),
        arguments.severity(severity),
        arguments.pairs(label or (), "--label"),
        arguments.seconds(at_most, "--at-most") if at_most is not None else None,
        arguments.seconds(lasting, "--lasting") if lasting is not None else None,
    )
    current = session()
    if current.dry_run:
        return running.plan(job, usable_settings())
    is_for_programs = current.output in {"json", "jsonl", "csv"}
    return running.run(job, settings_while_on, stdout=2 if is_for_programs else 1)


def settings_while_on() -> AlertSettings:
    """Read who is told; raises `flags.switched_off` (8) where that is nobody for now."""
    from x0tta_cli.terminal.switches import refuse_switched_off

    refuse_switched_off("x0tta alert", configuration(), is_safe=False)
    return usable_settings()


def blocks_of_beat(result: Beat) -> Iterator[Block]:
    """Lay out where a heartbeat was written."""
    would = "Would write" if result.would_change else "Wrote"
    yield Text(f"{would} the heartbeat {result.name} to {result.file}.", "good")


@app.command(
    changes_world=True,
    view=blocks_of_beat,
    examples=[
        "x0tta alert heartbeat nightly-backup --every 24h",
        "x0tta alert heartbeat backup --textfile-dir /var/lib/node_exporter",
    ],
)
def heartbeat(
    name: Annotated[str, typer.Argument(help="What is alive, as nightly-backup.")],
    every: Annotated[
        str | None,
        typer.Option(
            "--every", metavar="DURATION", help="How often it is to come; the rule knows by it."
        ),
    ] = None,
    textfile_dir: Annotated[
        Path | None,
        typer.Option(
            "--textfile-dir",
            metavar="FOLDER",
            help="node_exporter's --collector.textfile.directory, in place of alert.textfile_dir.",
        ),
    ] = None,
) -> Beat:
    """Say that something has run: a metric for Prometheus, whose shipped rule fires when it ages.

    Writes x0tta_heartbeat_timestamp_seconds{name="NAME"} for node_exporter's textfile collector.
    """
    from x0tta_cli.alert import arguments
    from x0tta_cli.alert import heartbeat as beating

    interval_s = arguments.seconds(every, "--every") if every is not None else None
    folder = textfile_dir or usable_settings().textfile_dir
    return beating.beat(name, folder, interval_s, dry_run=session().dry_run)
