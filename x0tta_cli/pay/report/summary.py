"""From the ledger to a month's report."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from x0tta_cli.pay.ledger import chain, reading, totals
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.orders import WRONG, OrderState
from x0tta_cli.pay.periods import parse_period
from x0tta_cli.pay.report.model import PeriodReport

MOST_LISTED = 100
ATTENTION = (OrderState.CONFLICTING, *WRONG)


def report_of(ledger: Ledger | None, period: str, now: datetime) -> PeriodReport:
    """Sum up a month (UTC); without a ledger, nothing came. Raises UsageError `pay.bad_period`."""
    begins_at, ends_at = span = parse_period(period)
    if ledger is None:
        return PeriodReport(
            period.strip(), begins_at, ends_at, now, (), (), 0, (), (), (), chain.GENESIS
        )
    with ledger.reading() as connection:
        counted = totals.totals_in(connection, span)
        wrong = reading.orders_in(connection, states=ATTENTION, since=begins_at, until=ends_at)
        return PeriodReport(
            period.strip(),
            begins_at,
            ends_at,
            now,
            tuple(counted),
            tuple(totals.received_in(connection, span)),
            sum(one.orders for one in counted if one.state in ATTENTION),
            tuple(islice(wrong, MOST_LISTED)),
            tuple(totals.unmatched_totals_in(connection, span)),
            tuple(reading.unmatched_in(connection, span=span, newest=MOST_LISTED)),
            chain.head(connection),
        )
