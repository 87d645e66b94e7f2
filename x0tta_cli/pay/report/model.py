"""The nouns of a report; money is an integer in smallest units, as text, beside its unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.pay.orders import Order, OrderState, Unmatched


@dataclass(frozen=True, slots=True)
class Total:
    """The orders of one asset in one state: what they ask for, and what came for them."""

    asset: str
    state: OrderState
    orders: int
    amount: str
    received: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class DayReceived:
    """What came of one asset on one day (UTC, as 2026-11-25) and counts for orders."""

    day: str
    asset: str
    transfers: int
    amount: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class UnmatchedTotal:
    """What came of one asset and belongs to no order; `listed` of them no receipt was asked for."""

    asset: str
    transfers: int
    listed: int
    amount: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """A month in UTC: `begins_at` belongs to it, `ends_at` does not.

    `totals` are of orders that became valid in it, whenever they were paid; `received` of transfers
    that arrived in it, whatever month their orders are of, in the order of days and assets.
    `attention` are its orders that somebody has to look at, `unmatched` the newest transfers that
    belong to none; both are cut off, and the counts beside them are not. `log_head` is what all of
    this was derived from: `pay audit --head` takes it.
    """

    period: str
    begins_at: datetime
    ends_at: datetime
    as_of: datetime
    totals: tuple[Total, ...]
    received: tuple[DayReceived, ...]
    attention_count: int
    attention: tuple[Order, ...]
    unmatched_totals: tuple[UnmatchedTotal, ...]
    unmatched: tuple[Unmatched, ...]
    log_head: str

    @property
    def rows(self) -> tuple[Total, ...]:
        """The lines of the report's table."""
        return self.totals

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come in this month."""
        return self.as_of >= self.ends_at
