"""Draw a series over time with its healthy band, its missing samples and the onset."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from x0tta_cli.core.text import escape
from x0tta_cli.drill.report.model import Series
from x0tta_cli.drill.report.text import clock, instant, number, quantity, scale, with_unit
from x0tta_cli.pages.palette import stand_in
from x0tta_cli.pages.svg import FONT_SIZE, drawing, new_figure, to_svg, write

WIDTH = 352.0
HEIGHT = 166.0
PLOT = (0.175, 0.155, 0.8, 0.735)
MOST_RINGS = 60
UNDERLINE = 0.02
MOST_TICKS = 5
DAY_S = 86400
# Values reach this and no further; an axis may.
UPPER_BOUNDS = {"%": 100.0, "ratio": 1.0}
TICK_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY_S)
# Beyond this, arithmetic on an axis overflows; no measurement is there.
LARGEST_DRAWN = 1e200


def series_figure(name: str, series: Series, instants: Sequence[float], onset: float | None) -> str:
    """Draw one series; `name` is unique in the page, instants are Unix seconds."""
    values = [_drawable(value) for value in series.values]
    with drawing(name):
        figure = new_figure(WIDTH, HEIGHT)
        axes = figure.add_axes(PLOT)
        _set_limits(axes, series, values, instants, onset)
        _draw_band(axes, series)
        _draw_values(axes, series, values, instants)
        _draw_onset(axes, onset)
        _style_axes(axes, series.unit)
        if not _levels(series, values):
            axes.set_yticks([])
        return to_svg(figure, name, _description(series, values, onset))


def _drawable(value: float | None) -> float:
    return value if value is not None and abs(value) < LARGEST_DRAWN else math.nan


def _finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _levels(series: Series, values: Sequence[float]) -> list[float]:
    """List what the vertical axis has to hold; nothing for a series without any measurement."""
    healthy = series.healthy
    band = [] if healthy is None else [_drawable(healthy.low), _drawable(healthy.high)]
    return _finite([*values, *band])


def _set_limits(
    axes: Any,
    series: Series,
    values: Sequence[float],
    instants: Sequence[float],
    onset: float | None,
) -> None:
    levels = _levels(series, values) or [0.0, 1.0]
    low, high = min(levels), max(levels)
    room = 0.12 * (high - low) or 0.05 * abs(high) or 1.0
    bottom = low - room
    axes.set_ylim(max(0.0, bottom) if low >= 0 else bottom, high + room)
    times = [*instants, *([onset] if onset is not None else [])] or [0.0]
    side = 0.04 * (max(times) - min(times)) or 60.0
    axes.set_xlim(min(times) - side, max(times) + side)


def _draw_band(axes: Any, series: Series) -> None:
    if series.healthy is None:
        return
    low, middle, high = (
        _drawable(level)
        for level in (series.healthy.low, series.healthy.median, series.healthy.high)
    )
    axes.axhspan(low, high, facecolor=stand_in("band"), edgecolor=stand_in("band"), linewidth=1)
    axes.axhline(middle, color=stand_in("calm"), linewidth=1, linestyle=(0, (5, 3)))


def _draw_values(
    axes: Any, series: Series, values: Sequence[float], instants: Sequence[float]
) -> None:
    """Dot the samples outside the band, ring those within, underline what is missing."""
    axes.plot(instants, values, color=stand_in("ink"), linewidth=1.4)
    pairs = list(zip(instants, values, strict=True))
    outside = [pair for pair in pairs if _is_outside(series, pair[1])]
    within = [pair for pair in pairs if math.isfinite(pair[1]) and not _is_outside(series, pair[1])]
    if len(pairs) <= MOST_RINGS:
        axes.plot(
            [time for time, _ in within],
            [value for _, value in within],
            linestyle="none",
            color=stand_in("ink"),
            marker="o",
            markersize=5,
            markerfacecolor=stand_in("paper"),
            markeredgewidth=1.2,
        )
    # A stroke without length has round ends all the same: a dot of a few bytes.
    dots = [(pair, pair) for pair in outside]
    _draw_strokes(axes, dots, axes.transData, colour="blame", width=6, ends="round")
    missing = [
        ((start, UNDERLINE), (end, UNDERLINE)) for start, end in _missing_spans(values, instants)
    ]
    across = axes.get_xaxis_transform()
    _draw_strokes(axes, missing, across, colour="muted", width=3, ends="butt")
    if not _finite(values):
        write(axes, (0.03, 0.88), "no samples", "muted", transform=axes.transAxes)


def _is_outside(series: Series, value: float) -> bool:
    if series.healthy is None:
        return False
    return value < series.healthy.low or value > series.healthy.high


def _missing_spans(
    values: Sequence[float], instants: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Join consecutive missing samples to spans, each half a step longer on both sides."""
    half_step = min((after - before for before, after in pairwise(instants)), default=120.0) / 2
    pairs = zip(instants, values, strict=True)
    for is_known, run in groupby(pairs, key=lambda pair: math.isfinite(pair[1])):
        if not is_known:
            times = [time for time, _ in run]
            yield times[0] - half_step, times[-1] + half_step


def _draw_strokes(
    axes: Any,
    strokes: Sequence[tuple[tuple[float, float], tuple[float, float]]],
    transform: Any,
    *,
    colour: str,
    width: float,
    ends: str,
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not strokes:
        return
    path = Path(
        [point for stroke in strokes for point in stroke],
        [Path.MOVETO, Path.LINETO] * len(strokes),
    )
    path.should_simplify = False
    axes.add_patch(
        PathPatch(
            path,
            transform=transform,
            fill=False,
            edgecolor=stand_in(colour),
            linewidth=width,
            capstyle=ends,
            zorder=3,
        )
    )


def _draw_onset(axes: Any, onset: float | None) -> None:
    if onset is None:
        return
    axes.axvline(onset, color=stand_in("ink"), linewidth=1, linestyle=(0, (2, 2)))
    place = (onset, 1.07)
    write(axes, place, "onset", align="center", transform=axes.get_xaxis_transform())


def _style_axes(axes: Any, unit: str) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    first, last = axes.get_xlim()
    with_day = last - first > DAY_S
    axes.xaxis.set_major_locator(FixedLocator(_time_ticks(first, last)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: clock(time, with_day=with_day)))
    low, high = axes.get_ylim()
    factor, symbol = scale(high, escape(unit))
    bound = UPPER_BOUNDS.get(unit, math.inf) * 1.000001
    ticks = [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= bound]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: with_unit(number(value * factor, digits=4), symbol))
    )
    axes.set_ylim(low, high)
    axes.tick_params(length=0, labelcolor=stand_in("muted"), labelsize=FONT_SIZE)
    axes.tick_params(axis="x", pad=8)
    axes.grid(axis="y", color=stand_in("rule"), linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_frame_on(False)


def _time_ticks(first: float, last: float) -> list[float]:
    span = last - first
    many_days = DAY_S * math.ceil(span / DAY_S / MOST_TICKS)
    step = next((step for step in TICK_STEPS_S if span / step <= MOST_TICKS), many_days)
    return [step * count for count in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _description(series: Series, values: Sequence[float], onset: float | None) -> str:
    known = _finite(values)
    unit = series.unit
    measured = (
        f"{len(known)} of {len(values)} samples, from {quantity(min(known), unit)} to "
        f"{quantity(max(known), unit)}"
        if known
        else "no samples"
    )
    healthy = series.healthy
    band = (
        "never measured in health"
        if healthy is None
        else f"healthy {quantity(healthy.low, unit)} to {quantity(healthy.high, unit)}"
    )
    return f"{series.feature} of {series.node}: {measured}; {band}; onset {instant(onset)}."
