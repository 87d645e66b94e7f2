"""Draw the call graph, coloured by root-cause score, with the truth and the symptom marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from x0tta_cli.core.text import escape
from x0tta_cli.drill.model import DrillResult
from x0tta_cli.drill.report.layout import Layout, Route, lay_out, nearest, shortest_path
from x0tta_cli.drill.report.model import ReportData
from x0tta_cli.drill.report.text import in_two_lines, ordinal
from x0tta_cli.drill.report.theme import heat_step
from x0tta_cli.pages.palette import stand_in
from x0tta_cli.pages.svg import FONT_SIZE, drawing, new_axes, new_figure, to_svg, write

# A graph of hundreds of components is read in no page: the nearest to what was found are drawn.
MOST_DRAWN = 80
SUSPECTS_TAGGED = 3
BOX_WIDTH = 158.0
BOX_HEIGHT = 32.0
TAG_HEIGHT = 17.0
COLUMN_GAP = 40.0
MARGIN = 5.0
RING = 3.0
LABEL_WIDTH_EM = (BOX_WIDTH - 10) / FONT_SIZE
LINE_HEIGHT = 13.0
ARROW_LENGTH = 5.0
NAME = "topology"


@dataclass(frozen=True, slots=True)
class TopologyFigure:
    """The drawing, how many of the components it shows, and which of its signs occur."""

    svg: str
    drawn: int
    total: int
    has_way: bool
    has_backward_calls: bool


@dataclass(frozen=True, slots=True)
class _Component:
    name: str
    score: float
    rank: int | None
    is_truth: bool
    is_symptom: bool

    @property
    def place(self) -> str:
        if not self.rank:
            return ""
        # Beside two roles there is no room for the score.
        score = "" if self.is_truth and self.is_symptom else f" · {self.score:.2f}"
        return f"#{self.rank}{score}"

    @property
    def role(self) -> str:
        roles = ["symptom"] * self.is_symptom + ["truth"] * self.is_truth
        return " · ".join(roles)

    @property
    def height(self) -> float:
        return BOX_HEIGHT + (TAG_HEIGHT if self.place or self.role else 0)

    @property
    def description(self) -> str:
        rank = f", ranked {ordinal(self.rank)}" if self.rank else ""
        role = f" ({self.role})" if self.role else ""
        return f"{self.name}{role}: root-cause score {self.score:.2f}{rank}"


@dataclass(frozen=True, slots=True)
class _Box:
    """A component's place: the left edge and the middle of its box, in CSS pixels."""

    component: _Component
    left: float
    middle: float

    @property
    def right(self) -> float:
        return self.left + BOX_WIDTH

    @property
    def top(self) -> float:
        return self.middle - BOX_HEIGHT / 2


def topology_figure(result: DrillResult, data: ReportData) -> TopologyFigure:
    """Draw the components and calls of a mesh, at most `MOST_DRAWN` of them."""
    components = _components(result, data)
    shown = nearest(len(components), _seeds(components), data.edges, MOST_DRAWN)
    place = {node: index for index, node in enumerate(shown)}
    edges = [(place[a], place[b]) for a, b in data.edges if a in place and b in place]
    drawn = [components[node] for node in shown]
    layout = lay_out([component.height for component in drawn], edges)
    boxes = [
        _Box(
            component,
            left=MARGIN + column * (BOX_WIDTH + COLUMN_GAP),
            middle=MARGIN + centre + (component.height - BOX_HEIGHT) / 2,
        )
        for component, column, centre in zip(drawn, layout.columns, layout.centres, strict=True)
    ]
    way = _way_to_first_suspect(drawn, edges)
    return TopologyFigure(
        svg=_draw(layout, boxes, way, _description(components, drawn)),
        drawn=len(drawn),
        total=len(components),
        has_way=bool(way),
        has_backward_calls=any(route.backward for route in layout.routes),
    )


def _components(result: DrillResult, data: ReportData) -> list[_Component]:
    ranks = {suspect.node: rank for rank, suspect in enumerate(result.ranking, 1)}
    return [
        _Component(
            name=escape(node),
            score=score,
            rank=rank if (rank := ranks.get(node, 0)) <= SUSPECTS_TAGGED and rank else None,
            is_truth=node == result.truth,
            is_symptom=node == data.symptom_node,
        )
        for node, score in zip(data.nodes, data.scores, strict=True)
    ]


def _seeds(components: Sequence[_Component]) -> list[int]:
    """Order what must be drawn: the marked components, then those with a score, best first."""
    return sorted(
        (i for i, one in enumerate(components) if one.place or one.role or heat_step(one.score)),
        key=lambda i: (not (components[i].place or components[i].role), -components[i].score, i),
    )


def _way_to_first_suspect(
    components: Sequence[_Component], edges: Sequence[tuple[int, int]]
) -> set[tuple[int, int]]:
    symptom = next((i for i, one in enumerate(components) if one.is_symptom), None)
    suspect = next((i for i, one in enumerate(components) if one.rank == 1), None)
    if symptom is None or suspect is None:
        return set()
    return set(shortest_path(edges, symptom, suspect))


def _description(components: Sequence[_Component], drawn: Sequence[_Component]) -> str:
    marked = [one.description for one in components if one.place or one.role]
    return (
        f"Call graph of {len(drawn)} of {len(components)} components, callers left of callees, "
        f"coloured by root-cause score. {'; '.join(marked) or 'No component is marked'}."
    )


def _draw(
    layout: Layout, boxes: Sequence[_Box], way: set[tuple[int, int]], description: str
) -> str:
    width = 2 * MARGIN + layout.column_count * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP
    height = 2 * MARGIN + layout.height
    with drawing(NAME):
        figure = new_figure(width, height)
        axes = new_axes(figure, width, height)
        on_way = [route for route in layout.routes if (route.caller, route.callee) in way]
        others = [route for route in layout.routes if route not in on_way]
        ahead = [route for route in others if not route.backward]
        back = [route for route in others if route.backward]
        _draw_calls(axes, ahead, boxes, colour="edge", width=1.0)
        _draw_calls(axes, back, boxes, colour="edge", width=1.0, dashes=(4, 3))
        _draw_calls(axes, on_way, boxes, colour="blame", width=2.0)
        for index, box in enumerate(boxes):
            _draw_box(axes, box, gid=f"component-{index}")
        titles = {f"component-{i}": box.component.description for i, box in enumerate(boxes)}
        return to_svg(figure, NAME, description, titles)


def _draw_calls(
    axes: Any,
    routes: Sequence[Route],
    boxes: Sequence[_Box],
    *,
    colour: str,
    width: float,
    dashes: tuple[int, int] | None = None,
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not routes:
        return
    style = "solid" if dashes is None else (0, dashes)
    lines = Path.make_compound_path(*(_line(route, boxes) for route in routes))
    axes.add_patch(
        PathPatch(lines, fill=False, edgecolor=stand_in(colour), linewidth=width, linestyle=style)
    )
    heads = Path.make_compound_path(*(_arrow_head(route, boxes, width) for route in routes))
    axes.add_patch(PathPatch(heads, facecolor=stand_in(colour), edgecolor="none"))


def _line(route: Route, boxes: Sequence[_Box]) -> Any:
    """Lead a call from side to side of the columns it crosses, in curves between columns."""
    from matplotlib.path import Path

    near, far = (0.0, BOX_WIDTH) if route.backward else (BOX_WIDTH, 0.0)
    stops = [(MARGIN + column * (BOX_WIDTH + COLUMN_GAP), MARGIN + y) for column, y in route.points]
    stops[0] = (boxes[route.caller].left, boxes[route.caller].middle)
    stops[-1] = (boxes[route.callee].left, boxes[route.callee].middle)
    points = [(stops[0][0] + near, stops[0][1])]
    codes = [Path.MOVETO]
    for (left, y), (next_left, next_y) in pairwise(stops):
        start, end = left + near, next_left + far
        middle = (start + end) / 2
        points += [(start, y), (middle, y), (middle, next_y), (end, next_y)]
        codes += [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    return Path(points, codes)


def _arrow_head(route: Route, boxes: Sequence[_Box], width: float) -> Any:
    from matplotlib.path import Path

    box = boxes[route.callee]
    tip, base = (box.left, -ARROW_LENGTH) if not route.backward else (box.right, ARROW_LENGTH)
    half = ARROW_LENGTH * (0.4 + 0.15 * width)
    corners = [
        (tip, box.middle),
        (tip + base, box.middle - half),
        (tip + base, box.middle + half),
        (tip, box.middle),
    ]
    return Path(corners, [Path.MOVETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY])


def _draw_box(axes: Any, box: _Box, *, gid: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    component = box.component
    step = heat_step(component.score)
    shape = FancyBboxPatch(
        (box.left, box.top),
        BOX_WIDTH,
        BOX_HEIGHT,
        boxstyle="round,pad=0,rounding_size=4",
        facecolor=stand_in(f"heat{step}"),
        edgecolor=stand_in("edge"),
        linewidth=0.8,
        gid=gid,
    )
    axes.add_patch(shape)
    if component.is_truth:
        ring = FancyBboxPatch(
            (box.left, box.top),
            BOX_WIDTH,
            BOX_HEIGHT,
            boxstyle=f"round,pad={RING},rounding_size=6",
            fill=False,
            edgecolor=stand_in("truth"),
            linewidth=2,
        )
        axes.add_patch(ring)
    lines = in_two_lines(component.name, LABEL_WIDTH_EM)
    first = box.middle - (len(lines) - 1) * LINE_HEIGHT / 2
    for number, line in enumerate(lines):
        place = (box.left + BOX_WIDTH / 2, first + number * LINE_HEIGHT)
        write(axes, place, line, f"on_heat{step}", align="center")
    tag_middle = box.top - RING - (TAG_HEIGHT - RING) / 2 - 1
    role_colour = "truth" if component.is_truth else "ink"
    write(axes, (box.left + 1, tag_middle), component.place, "blame", bold=True)
    write(axes, (box.right - 1, tag_middle), component.role, role_colour, align="right", bold=True)
