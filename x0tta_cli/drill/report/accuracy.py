"""Draw how good the ranking was beside its baselines, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from x0tta_cli.drill.model import Accuracy, DrillSummary
from x0tta_cli.drill.report.text import shorten, width_of
from x0tta_cli.pages.palette import stand_in
from x0tta_cli.pages.svg import FONT_SIZE, drawing, new_axes, new_figure, to_svg, write

MEASURES = {
    "top_1": "Top-1",
    "top_3": "Top-3",
    "avg_5": "Avg@5",
    "mrr": "Mean reciprocal rank",
}
NAME = "accuracy"
WIDTH = 390.0
LABEL_WIDTH = 136.0
VALUE_WIDTH = 40.0
HEADING_HEIGHT = 24.0
ROW_HEIGHT = 19.0
AXIS_HEIGHT = 20.0
PLOT_LEFT = LABEL_WIDTH
PLOT_RIGHT = WIDTH - VALUE_WIDTH - 8
MARKS = "osD^v"


@dataclass(frozen=True, slots=True)
class Method:
    """One way of ranking and how good it was over all incidents."""

    name: str
    accuracy: Accuracy


def methods_of(summary: DrillSummary) -> tuple[Method, ...]:
    """Put the drill's own accuracy first, the baselines after it."""
    own = Accuracy(
        summary.top_1, summary.top_3, summary.avg_5, summary.mrr, dict(summary.intervals)
    )
    baselines = (
        Method(name.replace("_", " "), accuracy) for name, accuracy in summary.baselines.items()
    )
    return (Method("x0tta drill", own), *baselines)


def accuracy_figure(methods: Sequence[Method], top_3_floor: float) -> str:
    """Draw every measure of every method as a mark on a line from 0 to 1 with its interval."""
    height = len(MEASURES) * (HEADING_HEIGHT + ROW_HEIGHT * len(methods)) + AXIS_HEIGHT
    with drawing(NAME):
        figure = new_figure(WIDTH, height)
        axes = new_axes(figure, WIDTH, height)
        for level in (0.0, 0.25, 0.5, 0.75, 1.0):
            axes.plot(
                [_x(level)] * 2,
                [HEADING_HEIGHT / 2, height - AXIS_HEIGHT],
                color=stand_in("rule"),
                linewidth=0.8,
            )
            write(axes, (_x(level), height - 8), f"{level:g}", "muted", align="center")
        top = 0.0
        for measure, title in MEASURES.items():
            write(axes, (0, top + HEADING_HEIGHT / 2), title, bold=True)
            floor = top_3_floor if measure == "top_3" else None
            _draw_rows(axes, top + HEADING_HEIGHT, methods, measure, floor)
            top += HEADING_HEIGHT + ROW_HEIGHT * len(methods)
        return to_svg(figure, NAME, _description(methods))


def _x(share: float) -> float:
    return PLOT_LEFT + share * (PLOT_RIGHT - PLOT_LEFT)


def _draw_rows(
    axes: Any, top: float, methods: Sequence[Method], measure: str, floor: float | None
) -> None:
    if floor is not None:
        bottom = top + ROW_HEIGHT * len(methods)
        axes.plot([_x(floor)] * 2, [top, bottom], color=stand_in("ink"), linewidth=1.2)
        write(axes, (_x(floor), top - 7), "floor", align="center")
    for index, method in enumerate(methods):
        middle = top + (index + 0.5) * ROW_HEIGHT
        colour = "muted" if index else "blame"
        value: float = getattr(method.accuracy, measure)
        low, high = method.accuracy.intervals.get(measure, (value, value))
        axes.plot([_x(low), _x(high)], [middle] * 2, color=stand_in(colour), linewidth=2)
        axes.plot(
            [_x(value)],
            [middle],
            linestyle="none",
            color=stand_in(colour),
            marker=MARKS[index % len(MARKS)],
            markersize=7,
            markerfacecolor=stand_in("paper" if index else colour),
            markeredgecolor=stand_in(colour),
            markeredgewidth=1.5,
        )
        write(axes, (0, middle), _fitting(method.name), "muted" if index else "ink")
        write(axes, (WIDTH, middle), f"{value:.2f}", align="right", bold=not index)


def _fitting(text: str) -> str:
    return shorten(text, lambda candidate: width_of(candidate) * FONT_SIZE <= LABEL_WIDTH - 12)


def _description(methods: Sequence[Method]) -> str:
    parts = (f"{method.name}: {_in_words(method.accuracy)}" for method in methods)
    return f"Accuracy with 95 % intervals. {'; '.join(parts)}."


def _in_words(accuracy: Accuracy) -> str:
    return ", ".join(
        f"{title} {getattr(accuracy, measure):.2f}" for measure, title in MEASURES.items()
    )
