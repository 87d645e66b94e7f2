"""Render a month as one self-contained HTML page: no script, nothing loaded from anywhere.

Memos are other people's text: Jinja2 escapes them, and what hides or reorders is written out. The
same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from x0tta_cli.core import extras
from x0tta_cli.core.times import format_instant
from x0tta_cli.pages.environment import environment_of, finished
from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.orders import PENDING, WRONG, OrderState
from x0tta_cli.pay.report.figure import days_figure, in_groups
from x0tta_cli.pay.report.model import PeriodReport, Total

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# As wide as a digit, and as a point.
FIGURE_SPACE, PUNCTUATION_SPACE = "\N{FIGURE SPACE}", "\N{PUNCTUATION SPACE}"
# What a state means for who reads the page, by the name of a colour in its style.
TONE_OF = {
    **dict.fromkeys(OrderState, "muted"),
    **dict.fromkeys((OrderState.SEEN, OrderState.CONFIRMING), "relief"),
    **dict.fromkeys(WRONG, "unsure"),
    OrderState.PAID: "good",
    OrderState.CONFLICTING: "bad",
}


@dataclass(frozen=True, slots=True)
class AssetSection:
    """One asset's part of the page; sums are integers in smallest units."""

    asset: str
    unit: str
    decimals: int
    orders: int
    asked: int
    received: int
    arrived: int
    transfers: int
    totals: tuple[Total, ...]
    figure: Markup | str


def render_page(report: PeriodReport) -> str:
    """Render a report's page.

    Raises UnsupportedError `extras.missing` where the extra `report` is not installed.
    """
    extras.require("report")
    counts = counts_of(report)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            month=f"{report.begins_at:%B %Y}",
            last_day=report.ends_at - timedelta(days=1),
            counts=counts,
            orders=sum(counts.values()),
            pending=sum(counts.get(state, 0) for state in PENDING),
            sections=list(sections_of(report)),
            tone_of=TONE_OF,
        )
    )


def counts_of(report: PeriodReport) -> Mapping[OrderState, int]:
    """Count the orders in each state over all assets: money of two assets has no sum."""
    counts: dict[OrderState, int] = {}
    for one in report.totals:
        counts[one.state] = counts.get(one.state, 0) + one.orders
    return {state: counts[state] for state in OrderState if state in counts}


def sections_of(report: PeriodReport) -> Iterator[AssetSection]:
    """Give a section for each asset of which there is anything to say."""
    days = _days(report)
    today = report.as_of.astimezone(UTC).date()
    for asset in ASSETS.values():
        totals = tuple(one for one in report.totals if one.asset == asset.name)
        received = [one for one in report.received if one.asset == asset.name]
        if not totals and not received:
            continue
        figure = days_figure(f"days-{asset.name}", days, received, today) if received else ""
        yield AssetSection(
            asset.name,
            asset.unit,
            asset.decimals,
            sum(one.orders for one in totals),
            sum(int(one.amount) for one in totals),
            sum(int(one.received) for one in totals),
            sum(int(one.amount) for one in received),
            sum(one.transfers for one in received),
            totals,
            finished(figure) if figure else "",
        )


def _days(report: PeriodReport) -> Sequence[date]:
    first, count = report.begins_at.date(), (report.ends_at - report.begins_at).days
    return [first + timedelta(days=number) for number in range(count)]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of("x0tta_cli.pay.report")
    environment.filters.update(money=_money, aligned=_aligned, instant=_instant)
    return environment


def _money(amount: object, decimals: int) -> str:
    """Write an integer in smallest units, also one that is text."""
    return in_groups(int(str(amount)), decimals)


def _aligned(amount: object, decimals: int) -> str:
    """Write money so that points stand below each other where it is set flush right."""
    written = _money(amount, decimals)
    _, point, fraction = written.partition(".")
    gap = FIGURE_SPACE * (decimals - len(fraction))
    return written + ("" if point or not decimals else PUNCTUATION_SPACE) + gap


def _instant(moment: object) -> str:
    return format_instant(moment).replace("T", " ").replace("Z", "")  # type: ignore[arg-type]
