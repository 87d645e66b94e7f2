"""`x0tta pay`: how a plan, a run and an audit look on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from x0tta_cli.pay.cli.views import blocks_of_unmatched, blocks_of_verdict, state_of
from x0tta_cli.pay.orders import Audit, OrderState, Verdict
from x0tta_cli.pay.reconcile.model import NOBODY, Plan, Reconciliation
from x0tta_cli.terminal.command import Block, Cell, Column, Facts, Heading, Table, Text


def blocks_of_run(result: Plan | Reconciliation) -> Iterator[Block]:
    """Lay out a plan, or what a run found."""
    if isinstance(result, Plan):
        yield from blocks_of_plan(result)
        return
    yield table_of_sources(result)
    yield from blocks_of_news(result)
    yield Heading("Orders")
    yield Facts([*result.orders.items(), ("log head", result.log_head)])
    yield from blocks_of_gaps(result)


def blocks_of_answer(result: Plan | Verdict) -> Iterator[Block]:
    """Lay out a plan, or the answer to 'is it paid?'."""
    yield from blocks_of_plan(result) if isinstance(result, Plan) else blocks_of_verdict(result)


def blocks_of_watched_run(result: Reconciliation) -> Iterator[Block]:
    """Lay out one run of many: when it was, how all stands, what changed and can't be seen."""
    counted = ", ".join(f"{count} {state}" for state, count in result.orders.items())
    yield Table([Column("AT"), Column("ORDERS")], [(datetime.now(UTC), counted or "none")])
    yield table_of_sources(result)
    yield from blocks_of_news(result)
    yield from blocks_of_gaps(result)


def table_of_sources(result: Reconciliation) -> Table:
    """Say what each source was asked for, and how it served."""
    return Table(
        [
            Column("SOURCE"),
            Column("STATE"),
            Column("PAGES", "right"),
            Column("RECEIPTS", "right"),
            Column("REFUSED", "right"),
            Column("WHY"),
        ],
        [
            (
                one.name,
                Cell(one.state, "good" if one.state == "ok" else "warning"),
                one.pages,
                one.receipts,
                one.refused,
                one.reason,
            )
            for one in result.sources
        ],
    )


def blocks_of_news(result: Reconciliation) -> Iterator[Block]:
    """List what changed: orders, and transfers that belong to none."""
    if result.changes:
        yield Heading("Changes")
        yield Table(
            [Column("ORDER"), Column("FROM"), Column("TO")],
            [
                (one["order"], one["from"], state_of(OrderState(one["to"])))
                for one in result.changes
            ],
        )
    if result.unmatched:
        yield Heading("New transfers that belong to no order")
        yield from blocks_of_unmatched(list(result.unmatched))


def blocks_of_gaps(result: Reconciliation) -> Iterator[Block]:
    """Say what is not known yet, and what contradicts."""
    if result.orders.get(OrderState.CONFLICTING):
        told = "Sources contradict each other: x0tta pay show ORDER has both answers."
        yield Text(told, "bad")
    if result.waiting:
        yield Text(f"{result.waiting} receipts wait for the next run.", "warning")
    for one in result.unread:
        who = f"{one.source} has not read {one.wallet} to the end: "
        yield Text(f"{'' if one.source == NOBODY else who}{one.reason}", "warning")


def blocks_of_plan(plan: Plan) -> Iterator[Block]:
    """Lay out what a run would ask for."""
    if not plan.reads:
        yield Text("There is nothing to ask for: no wallet was added that a source serves.")
        return
    yield Table(
        [
            Column("SOURCE"),
            Column("WALLET"),
            Column("SINCE"),
            Column("REQUESTS", "right"),
            Column("RECEIPTS", "right"),
            Column("LEFT TODAY", "right"),
            Column("FITS"),
        ],
        [
            (
                one.source,
                one.wallet,
                one.since,
                one.requests,
                one.receipts,
                "no limit" if one.left_today is None else one.left_today,
                Cell("yes") if one.fits else Cell("the rest waits for the next run", "warning"),
            )
            for one in plan.reads
        ],
    )


def blocks_of_audit(audit: Audit) -> Iterator[Block]:
    """Say whether all fits, and list what does not."""
    if audit.differences:
        yield Text(f"{len(audit.differences)} differences.", "bad")
        yield Table(
            [Column("WHERE"), Column("STORED"), Column("FOLLOWS FROM THE REST")],
            [(one.about, one.stored, one.derived) for one in audit.differences],
        )
    else:
        yield Text("All of it fits.", "good")
    anchored = {None: "no head was given", True: "the log goes on from it", False: "not in it"}
    yield Facts(
        [
            ("orders", audit.orders),
            ("transfers", audit.transfers),
            ("log entries", audit.log_entries),
            ("log head", audit.log_head),
            ("given head", anchored[audit.anchored]),
        ]
    )
