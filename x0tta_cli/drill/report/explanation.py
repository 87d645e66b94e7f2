"""Draw how the parts of a detector score add up, from the base to the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from x0tta_cli.core.text import escape
from x0tta_cli.drill.report.text import quantity, score, shorten, width_of
from x0tta_cli.ml.model import Attribution, Contribution
from x0tta_cli.pages.palette import stand_in
from x0tta_cli.pages.svg import FONT_SIZE, drawing, new_axes, new_figure, to_svg, write

SHOWN = 6
OWN = "own"
WIDTH = 352.0
LABEL_WIDTH = 172.0
VALUE_WIDTH = 50.0
LINE_HEIGHT = 14.0
ROW_HEIGHT = 35.0
END_HEIGHT = 24.0
BAR_HEIGHT = 13.0


@dataclass(frozen=True, slots=True)
class _Bar:
    """One step from `start` to `end`, in units of the score."""

    label: str
    detail: str
    start: float
    end: float

    @property
    def step(self) -> float:
        return self.end - self.start


def explanation_figure(name: str, explanation: Attribution) -> str:
    """Draw base, the largest contributions, the rest in one bar, and the score."""
    bars = _bars(explanation)
    height = 2 * END_HEIGHT + len(bars) * ROW_HEIGHT
    with drawing(name):
        figure = new_figure(WIDTH, height)
        axes = new_axes(figure, WIDTH, height)
        scale = _Scale.over([explanation.base, explanation.score, *(bar.end for bar in bars)])
        _draw_end(axes, END_HEIGHT / 2, "base", explanation.base)
        _draw_end(axes, height - END_HEIGHT / 2, "score", explanation.score, bold=True)
        _draw_levels(axes, scale, explanation, height)
        for index, bar in enumerate(bars):
            _draw_bar(axes, END_HEIGHT + (index + 0.5) * ROW_HEIGHT, bar, scale)
        return to_svg(figure, name, _description(explanation, bars))


@dataclass(frozen=True, slots=True)
class _Scale:
    lowest: float
    pixels_per_unit: float

    @classmethod
    def over(cls, levels: Sequence[float]) -> _Scale:
        room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 8
        return cls(min(levels), room / ((max(levels) - min(levels)) or 1.0))

    def x(self, level: float) -> float:
        return LABEL_WIDTH + (level - self.lowest) * self.pixels_per_unit


def _bars(explanation: Attribution) -> list[_Bar]:
    by_size = sorted(explanation.contributions, key=lambda part: -abs(part.shap))
    # One left over is no shorter than itself.
    shown = by_size if len(by_size) <= SHOWN + 1 else by_size[:SHOWN]
    bars: list[_Bar] = []
    level = explanation.base
    for part in shown:
        bars.append(_Bar(escape(part.feature), _detail(part), level, level + part.shap))
        level += part.shap
    rest = by_size[len(shown) :]
    if rest:
        end = level + sum(part.shap for part in rest)
        bars.append(_Bar(f"{len(rest)} others", "", level, end))
    return bars


def _detail(part: Contribution) -> str:
    if part.source != OWN:
        return f"of {escape(part.source)}"
    measured = quantity(part.value, part.unit)
    if part.healthy_value is None:
        return measured
    return f"{measured}, healthy {quantity(part.healthy_value, part.unit)}"


def _draw_end(axes: Any, middle: float, label: str, value: float, *, bold: bool = False) -> None:
    write(axes, (0, middle), label, bold=bold)
    write(axes, (WIDTH, middle), score(value), align="right", bold=bold)


def _draw_levels(axes: Any, scale: _Scale, explanation: Attribution, height: float) -> None:
    for level, dashes in ((explanation.base, (2, 2)), (explanation.score, (1, 0))):
        axes.plot(
            [scale.x(level)] * 2,
            [END_HEIGHT / 2, height - END_HEIGHT / 2],
            color=stand_in("edge"),
            linewidth=1,
            linestyle=(0, dashes),
        )


def _draw_bar(axes: Any, middle: float, bar: _Bar, scale: _Scale) -> None:
    from matplotlib.patches import Rectangle

    colour = "blame" if bar.step >= 0 else "relief"
    left, right = sorted((scale.x(bar.start), scale.x(bar.end)))
    axes.add_patch(
        Rectangle(
            (left, middle - BAR_HEIGHT / 2),
            max(right - left, 1.0),
            BAR_HEIGHT,
            facecolor=stand_in(colour),
            edgecolor="none",
        )
    )
    offset = LINE_HEIGHT / 2 if bar.detail else 0.0
    write(axes, (0, middle - offset), _fitting(bar.label))
    write(axes, (0, middle + offset), _fitting(bar.detail), "muted")
    sign = "+" if bar.step >= 0 else ""
    write(axes, (WIDTH, middle), f"{sign}{score(bar.step)}", colour, align="right")


def _fitting(text: str) -> str:
    return shorten(text, lambda candidate: width_of(candidate) * FONT_SIZE <= LABEL_WIDTH - 8)


def _description(explanation: Attribution, bars: Sequence[_Bar]) -> str:
    parts = "; ".join(
        f"{bar.label}{f' ({bar.detail})' if bar.detail else ''} {score(bar.step)}" for bar in bars
    )
    return (
        f"Score of {explanation.node}: base {score(explanation.base)}, "
        f"then {parts or 'nothing'}, gives {score(explanation.score)}."
    )
