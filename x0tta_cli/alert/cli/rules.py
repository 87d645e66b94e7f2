"""`x0tta alert rules`: what Prometheus watches for, and how Alertmanager routes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from x0tta_cli.alert.cli.application import alert_settings, app
from x0tta_cli.alert.rules.model import Checked, Comparison, Rendering
from x0tta_cli.terminal.command import App, Block, Column, Heading, Table, Text, Verbatim, session

rules = App("Write, check and compare rules for Prometheus and routes for Alertmanager.")
app.add_typer(rules, name="rules")

Target = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR|FILE",
        help="A folder for x0tta-rules.yml and alertmanager.yml, or one file; none: no files.",
    ),
]


def blocks_of_checked(result: Checked) -> Iterator[Block]:
    """Lay out what is wrong, and who has looked."""
    if result.findings:
        yield Table(
            [Column("WHERE"), Column("CODE"), Column("WHAT")],
            [(each.where, each.code, each.message) for each in result.findings],
        )
    yield Text(
        f"{len(result.findings) or 'Nothing'} wrong in {result.rules} rules "
        f"({', '.join(result.files)}); looked at by {', '.join(result.tools)}.",
        "bad" if result.findings else "good",
    )


@rules.command(
    view=blocks_of_checked,
    examples=["x0tta alert rules check", "x0tta alert rules check /etc/prometheus/rules"],
)
def check(target: Target = None) -> Checked:
    """Check the rules and routes as configured, or those of a folder or file.

    By our own rules about rules, and by promtool and amtool where they are installed. Ends with 3
    where something is wrong.
    """
    from x0tta_cli.alert.rules import checking

    return checking.check(target, alert_settings())


def blocks_of_rendering(result: Rendering) -> Iterator[Block]:
    """Lay out which files were written, or the texts that would be."""
    for file in result.files:
        if file.content:
            yield Heading(file.file)
            yield Verbatim(file.content)
        else:
            would = "would be " if file.would_change else ""
            yield Text(f"{file.file}: {would}{file.state}")
    for note in result.notes:
        yield Text(f"warning: {note}", "warning")


@rules.command(
    changes_world=True,
    view=blocks_of_rendering,
    examples=[
        "x0tta alert rules render  # shows both files",
        "x0tta alert rules render /etc/prometheus/rules --dry-run",
        "x0tta alert rules render alertmanager.yml",
    ],
)
def render(target: Target = None) -> Rendering:
    """Write the rules for Prometheus and the configuration for Alertmanager.

    What is the same already is left alone, and a file of somebody else's is not replaced. No
    secret is written: a token stands as the name of its file (alert.rules.token_file).
    """
    from x0tta_cli.alert.rules import rendering

    return rendering.render(target, alert_settings(), dry_run=session().dry_run)


def blocks_of_comparison(result: Comparison) -> Iterator[Block]:
    """Lay out what is other there."""
    if not result.differences:
        yield Text(f"{result.there} has the same rules.", "good")
        return
    yield Table(
        [
            Column("WHERE"),
            Column("RULE"),
            Column("WHAT"),
            Column("FIELD"),
            Column("HERE"),
            Column("THERE"),
        ],
        [
            (each.where, each.rule, each.what, each.field, each.here, each.there)
            for each in result.differences
        ],
    )


@rules.command(
    view=blocks_of_comparison,
    examples=[
        "x0tta alert rules diff /etc/prometheus/rules",
        "x0tta alert rules diff --url http://127.0.0.1:9090",
    ],
)
def diff(
    target: Target = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="What this Prometheus runs.")
    ] = None,
) -> Comparison:
    """Show what files, or a running Prometheus, lack or have otherwise. Ends with 3 where they do.

    A file is compared as a whole, of Prometheus only the groups whose names begin with x0tta-.
    """
    from x0tta_cli.alert.rules import difference
    from x0tta_cli.core.errors import UsageError

    if (target is None) is (url is None):
        raise UsageError(
            "usage.exclusive_options",
            "Either a folder or file or --url says what to compare with.",
            fix="Give one of them.",
        )
    if url is not None:
        return difference.with_prometheus(url, alert_settings())
    return difference.with_files(Path(str(target)), alert_settings())
