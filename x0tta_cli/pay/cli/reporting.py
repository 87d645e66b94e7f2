"""`x0tta pay`: the ledger for others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from x0tta_cli.core.times import format_instant
from x0tta_cli.pay.amounts import format_amount
from x0tta_cli.pay.cli.application import app, settings
from x0tta_cli.pay.cli.views import state_of
from x0tta_cli.pay.report.model import PeriodReport
from x0tta_cli.terminal.command import Block, Column, Facts, Heading, Table, Text


@dataclass(frozen=True, slots=True)
class Exported:
    """How many orders were written, and where."""

    file: str
    orders: int


@app.command(
    view=lambda result: [Text(f"{result.orders} orders are in {result.file}.")],
    examples=[
        "x0tta pay export orders.csv",
        "x0tta pay export orders.jsonl --period 2026-11",
        "x0tta pay export income.beancount",
    ],
)
def export(
    file: Annotated[Path, typer.Argument(help="Written in the form of its suffix.")],
    period: Annotated[
        str | None,
        typer.Option("--period", metavar="YYYY-MM", help="Orders that became valid in it (UTC)."),
    ] = None,
) -> Exported:
    """Write the orders to a file: .csv, .jsonl or .beancount."""
    from x0tta_cli.core.files import check_writable, write_atomically
    from x0tta_cli.pay.exporting import form_of
    from x0tta_cli.pay.opening import existing_ledger_of
    from x0tta_cli.pay.periods import parse_period

    write, span = form_of(file), parse_period(period) if period else None
    check_writable(file)
    with existing_ledger_of(settings()) as ledger:
        orders = []
        if ledger is not None:
            from x0tta_cli.pay.ledger.reading import orders_in

            begin, end = span or (None, None)
            with ledger.reading() as connection:
                orders = list(orders_in(connection, since=begin, until=end))
        write_atomically(file, "".join(write(orders)), mode=0o600)
        return Exported(str(file), len(orders))


def blocks_of_report(report: PeriodReport) -> Iterator[Block]:
    """Lay a month out: its orders by asset and state, what came a day, what belongs to nobody."""
    end = "" if report.is_over else ", not over yet"
    begin, until = format_instant(report.begins_at), format_instant(report.ends_at)
    yield Heading(f"{report.period}: {begin} to {until}{end}")
    yield from blocks_of_totals(report)
    if report.received:
        yield Heading("Received a day (UTC)")
        yield Table(
            [
                Column("DAY"),
                Column("ASSET"),
                Column("TRANSFERS", "right"),
                Column("AMOUNT", "right"),
                Column("UNIT"),
            ],
            [
                (
                    one.day,
                    one.asset,
                    one.transfers,
                    format_amount(int(one.amount), one.decimals),
                    one.unit,
                )
                for one in report.received
            ],
        )
    if report.unmatched_totals:
        yield Heading("Transfers that belong to no order")
        yield table_of_unmatched(report)
        yield Text("No income. x0tta pay unmatched has each, with its memo and link.", "dim")
    yield Facts([("as of", report.as_of), ("log head", report.log_head)])


def blocks_of_totals(report: PeriodReport) -> Iterator[Block]:
    """Say how many orders are in each state, and what came for them."""
    if not report.totals:
        yield Text("No order became valid in it.", "dim")
        return
    yield Table(
        [
            Column("ASSET"),
            Column("STATE"),
            Column("ORDERS", "right"),
            Column("ASKED FOR", "right"),
            Column("RECEIVED", "right"),
            Column("UNIT"),
        ],
        [
            (
                one.asset,
                state_of(one.state),
                one.orders,
                format_amount(int(one.amount), one.decimals),
                format_amount(int(one.received), one.decimals),
                one.unit,
            )
            for one in report.totals
        ],
    )
    if report.attention_count:
        yield Text(f"{report.attention_count} orders are worth a look.", "warning")


def table_of_unmatched(report: PeriodReport) -> Table:
    """Sum up what belongs to nobody."""
    return Table(
        [
            Column("ASSET"),
            Column("TRANSFERS", "right"),
            Column("LISTED ONLY", "right"),
            Column("AMOUNT", "right"),
            Column("UNIT"),
        ],
        [
            (
                one.asset,
                one.transfers,
                one.listed,
                format_amount(int(one.amount), one.decimals),
                one.unit,
            )
            for one in report.unmatched_totals
        ],
    )


@app.command(
    view=blocks_of_report,
    examples=[
        "x0tta pay report --period 2026-11",
        "x0tta pay report --period 2026-11 --html november.html",
        "x0tta pay report --period 2026-11 -o csv  # a line for each asset and state",
    ],
)
def report(
    period: Annotated[
        str, typer.Option("--period", metavar="YYYY-MM", help="Month in UTC, as 2026-11.")
    ],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report as one page.")
    ] = None,
) -> PeriodReport:
    """Sum up a month (UTC): orders by asset and state, what came a day, and what nobody expected.

    Orders count in the month in which they became valid, transfers in that in which they arrived.
    Asks no chain.
    """
    from datetime import UTC, datetime

    from x0tta_cli.core import extras
    from x0tta_cli.core.files import check_writable, write_atomically
    from x0tta_cli.pay.opening import existing_ledger_of

    if html is not None:
        extras.require("report")
        check_writable(html)
    with existing_ledger_of(settings()) as ledger:
        from x0tta_cli.pay.report.summary import report_of

        found = report_of(ledger, period, datetime.now(UTC).replace(microsecond=0))
    if html is not None:
        from x0tta_cli.pay.report.page import render_page

        write_atomically(html, render_page(found), mode=0o600)
    return found
