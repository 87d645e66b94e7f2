"""Draw what came of one asset, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from x0tta_cli.pages.palette import stand_in
from x0tta_cli.pages.svg import FONT_SIZE, drawing, new_figure, to_svg, write
from x0tta_cli.pay.amounts import format_amount
from x0tta_cli.pay.report.model import DayReceived

WIDTH = 560.0
HEIGHT = 190.0
# The plot's edges, in pixels from the figure's: what stands between them is for labels.
BOTTOM, TOP, RIGHT, LEAST_LEFT = 26.0, 10.0, 4.0, 22.0
DIGIT_WIDTH = 7.0
BAR_WIDTH = 0.72
MOST_LEVELS = 4
DAYS_APART = 7
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"


def days_figure(
    name: str, days: Sequence[date], received: Sequence[DayReceived], today: date
) -> str:
    """Draw a bar for each day on which something came; `received` is of one asset, not empty.

    Bars are drawn as floats; every sum that is written is an exact integer before it is text.
    Days after `today` are shaded: nothing can be known of them.
    """
    first = received[0]
    amounts = {date.fromisoformat(one.day): int(one.amount) for one in received}
    with drawing(name):
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.add_axes((0, 0, 1, 1))
        places = [(day - days[0]).days for day in amounts]
        heights = [amount / 10**first.decimals for amount in amounts.values()]
        bars = axes.bar(places, heights, BAR_WIDTH, color=stand_in("calm"), linewidth=0)
        titles = {}
        for number, (bar, one) in enumerate(zip(bars, received, strict=True)):
            bar.set_gid(f"day-{number}")
            titles[f"day-{number}"] = _words(one)
        axes.set_xlim(-0.7, len(days) - 0.3)
        levels = _levels(max(heights))
        axes.set_ylim(0, max(max(heights) * 1.06, levels[-1]))
        _shade_days_ahead(axes, days, today)
        _style(axes, days, levels)
        left = max(LEAST_LEFT, DIGIT_WIDTH * max(len(_level(one)) for one in levels) + 8)
        size = (WIDTH - left - RIGHT, HEIGHT - BOTTOM - TOP)
        axes.set_position((left / WIDTH, BOTTOM / HEIGHT, size[0] / WIDTH, size[1] / HEIGHT))
        return to_svg(figure, name, _description(received), titles)


def in_groups(amount: int, decimals: int) -> str:
    """Write an amount in whole units, its thousands apart: `12 345.5`."""
    whole, point, fraction = format_amount(amount, decimals).partition(".")
    return f"{int(whole):,}".replace(",", NARROW_SPACE) + point + fraction


def _shade_days_ahead(axes: Any, days: Sequence[date], today: date) -> None:
    ahead = sum(day > today for day in days)
    if not ahead:
        return
    begin = len(days) - ahead - 0.5
    axes.axvspan(begin, len(days) - 0.3, facecolor=stand_in("surface"), linewidth=0, zorder=0)
    place = ((begin + len(days) - 0.3) / 2, 0.5)
    if ahead >= DAYS_APART:
        transform = axes.get_xaxis_transform()
        write(axes, place, "not yet", "muted", align="center", transform=transform)


def _levels(highest: float) -> list[float]:
    """Choose the lines of the vertical axis, from 0 to the last below the highest bar."""
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(MOST_LEVELS).tick_values(0, highest)
    return [float(level) for level in found if level <= highest * 1.06]


def _style(axes: Any, days: Sequence[date], levels: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter

    ticks = [number for number, day in enumerate(days) if (day.day - 1) % DAYS_APART == 0]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: _day(days[int(at)])))
    axes.yaxis.set_major_locator(FixedLocator(levels))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda level, _: _level(level)))
    axes.tick_params(length=0, labelcolor=stand_in("muted"), labelsize=FONT_SIZE)
    axes.grid(axis="y", color=stand_in("rule"), linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_frame_on(False)
    axes.axhline(0, color=stand_in("edge"), linewidth=1)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _level(level: float) -> str:
    return f"{level:,.9f}".rstrip("0").rstrip(".").replace(",", NARROW_SPACE)


def _words(one: DayReceived) -> str:
    amount = in_groups(int(one.amount), one.decimals)
    noun = "transfer" if one.transfers == 1 else "transfers"
    return f"{_day(date.fromisoformat(one.day))}: {amount} {one.unit} in {one.transfers} {noun}"


def _description(received: Sequence[DayReceived]) -> str:
    return "Received a day, in UTC. " + "; ".join(_words(one) for one in received) + "."
