"""Place a call graph in columns, callers left of callees, with few crossings.

The layered method of Sugiyama, Tagawa and Toda (1981, doi:10.1109/TSMC.1981.4308636): break
cycles, assign columns, order each column by the mean place of its neighbours, then move boxes
towards their neighbours without changing the order. Equal input gives an equal layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP = 10.0
ROUTE_HEIGHT = 4.0
ORDER_SWEEPS = 10
PLACE_SWEEPS = 24
NONE_LEFT = -1


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one edge from caller to callee: (column, y) of both and of what lies between.

    `backward` edges close a cycle and run from right to left.
    """

    caller: int
    callee: int
    points: tuple[tuple[int, float], ...]
    backward: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where every node stands: its column, and the y of its centre from 0 down to `height`."""

    columns: tuple[int, ...]
    centres: tuple[float, ...]
    routes: tuple[Route, ...]
    column_count: int
    height: float


def lay_out(heights: Sequence[float], edges: Sequence[tuple[int, int]]) -> Layout:
    """Place nodes of given heights; an edge of a node to itself has no route."""
    forward, backward = _break_cycles(len(heights), edges)
    acyclic = list(dict.fromkeys([*forward, *(edge[::-1] for edge in backward)]))
    columns = _columns(len(heights), acyclic)
    grid = _Grid(list(heights), list(columns))
    chains = {edge: grid.add_chain(*edge) for edge in acyclic}
    grid.fill()
    for sweep in range(ORDER_SWEEPS):
        grid.order(leftwards=sweep % 2 == 1)
    centres = grid.place()
    points = {
        edge: tuple((grid.columns[item], centres[item]) for item in chain)
        for edge, chain in chains.items()
    }
    ahead = [Route(*edge, points[edge], backward=False) for edge in forward]
    back = [Route(*edge, points[edge[::-1]][::-1], backward=True) for edge in backward]
    return Layout(
        columns=tuple(columns),
        centres=tuple(centres[: len(heights)]),
        routes=(*ahead, *back),
        column_count=max(columns, default=0) + 1,
        height=grid.height(centres),
    )


def nearest(
    count: int, seeds: Sequence[int], edges: Sequence[tuple[int, int]], limit: int
) -> list[int]:
    """Choose at most `limit` of `count` nodes: the seeds first, then who is nearest to them."""
    neighbours = _neighbours(count, edges)
    chosen = dict.fromkeys(seeds)
    queue = list(chosen)
    for node in queue:
        queue.extend(other for other in neighbours[node] if other not in chosen)
        chosen.update(dict.fromkeys(neighbours[node]))
    chosen.update(dict.fromkeys(range(count)))
    return sorted(list(chosen)[:limit])


def shortest_path(edges: Sequence[tuple[int, int]], start: int, goal: int) -> list[tuple[int, int]]:
    """Find the edges of a shortest way along the calls; none where there is no way."""
    came_from = {start: start}
    queue = [start]
    for node in queue:
        for caller, callee in edges:
            if caller == node and callee not in came_from:
                came_from[callee] = node
                queue.append(callee)
    path = []
    while goal != start and goal in came_from:
        path.append((came_from[goal], goal))
        goal = came_from[goal]
    return path[::-1]


@dataclass(slots=True)
class _Grid:
    """Nodes, and the invisible items that lead long edges through the columns between."""

    heights: list[float]
    columns: list[int]
    links: list[tuple[int, int]] = field(default_factory=list)
    stacks: list[list[int]] = field(default_factory=list)

    def add_chain(self, caller: int, callee: int) -> list[int]:
        chain = [caller]
        for column in range(self.columns[caller] + 1, self.columns[callee]):
            chain.append(len(self.columns))
            self.columns.append(column)
            self.heights.append(ROUTE_HEIGHT)
        chain.append(callee)
        self.links.extend(pairwise(chain))
        return chain

    def fill(self) -> None:
        self.stacks = [[] for _ in range(max(self.columns, default=0) + 1)]
        for item, column in enumerate(self.columns):
            self.stacks[column].append(item)

    def order(self, *, leftwards: bool) -> None:
        """Sort each column by the mean place of its neighbours in the column passed before."""
        before = _neighbours(
            len(self.columns),
            [link[::-1] if leftwards else link for link in self.links],
            both=False,
        )
        place = {item: i for stack in self.stacks for i, item in enumerate(stack)}
        for stack in self.stacks[::-1] if leftwards else self.stacks:
            share = {
                item: sum(place[other] for other in before[item]) / len(before[item])
                if before[item]
                else place[item]
                for item in stack
            }
            stack.sort(key=lambda item: (share[item], place[item]))
            place.update({item: i for i, item in enumerate(stack)})

    def place(self) -> list[float]:
        """Move items towards the mean of their neighbours as far as order and gaps allow."""
        neighbours = _neighbours(len(self.columns), self.links)
        centres = [0.0] * len(self.columns)
        for stack in self.stacks:
            self._settle(stack, [0.0] * len(stack), centres)
        for sweep in range(PLACE_SWEEPS):
            for stack in self.stacks[:: 1 if sweep % 2 else -1]:
                wanted = [
                    sum(centres[other] for other in neighbours[item]) / len(neighbours[item])
                    if neighbours[item]
                    else centres[item]
                    for item in stack
                ]
                self._settle(stack, wanted, centres)
        tops = [centre - height / 2 for centre, height in zip(centres, self.heights, strict=True)]
        return [centre - min(tops) for centre in centres]

    def height(self, centres: Sequence[float]) -> float:
        ends = [centre + height / 2 for centre, height in zip(centres, self.heights, strict=True)]
        return max(ends, default=0.0)

    def _settle(self, stack: list[int], wanted: list[float], centres: list[float]) -> None:
        """Least squares under minimum distances: pool adjacent violators (Ayer et al., 1955)."""
        offsets = [0.0]
        for above, item in pairwise(stack):
            offsets.append(offsets[-1] + (self.heights[above] + self.heights[item]) / 2 + GAP)
        pools: list[tuple[float, int]] = []
        for target, offset in zip(wanted, offsets, strict=False):
            mean, size = target - offset, 1
            while pools and pools[-1][0] >= mean:
                other, count = pools.pop()
                mean, size = (mean * size + other * count) / (size + count), size + count
            pools.append((mean, size))
        levels = [mean for mean, size in pools for _ in range(size)]
        for item, level, offset in zip(stack, levels, offsets, strict=False):
            centres[item] = level + offset


def _break_cycles(
    count: int, edges: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Part the edges into those that run forward and those that would close a cycle."""
    callees: list[list[int]] = [[] for _ in range(count)]
    called = [False] * count
    for caller, callee in dict.fromkeys(edges):
        if caller != callee:
            callees[caller].append(callee)
            called[callee] = True
    forward: dict[tuple[int, int], None] = {}
    backward: list[tuple[int, int]] = []
    state = [0] * count
    for start in sorted(range(count), key=lambda node: called[node]):
        if state[start]:
            continue
        state[start] = 1
        stack = [(start, iter(callees[start]))]
        while stack:
            node, following = stack[-1]
            callee = next(following, NONE_LEFT)
            if callee == NONE_LEFT:
                state[node] = 2
                stack.pop()
            elif state[callee] == 1:
                backward.append((node, callee))
            else:
                forward[node, callee] = None
                if not state[callee]:
                    state[callee] = 1
                    stack.append((callee, iter(callees[callee])))
    return list(forward), backward


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Longest way from a source; sources move next to what they call, loners fill up columns."""
    callers = [0] * count
    callees: list[list[int]] = [[] for _ in range(count)]
    for caller, callee in edges:
        callers[callee] += 1
        callees[caller].append(callee)
    columns = [0] * count
    waiting = list(callers)
    queue = [node for node in range(count) if not waiting[node]]
    for node in queue:
        for callee in callees[node]:
            columns[callee] = max(columns[callee], columns[node] + 1)
            waiting[callee] -= 1
            if not waiting[callee]:
                queue.append(callee)
    for node in range(count):
        if not callers[node] and callees[node]:
            columns[node] = min(columns[callee] for callee in callees[node]) - 1
    loners = [node for node in range(count) if not callers[node] and not callees[node]]
    _fill_up(columns, loners)
    return columns


def _fill_up(columns: list[int], loners: Sequence[int]) -> None:
    """Put nodes without edges where columns are shortest, in a block if there is nothing else."""
    fullness = [0] * max(max(columns, default=0) + 1, min(6, round(len(loners) ** 0.5)))
    alone = set(loners)
    for node, column in enumerate(columns):
        fullness[column] += node not in alone
    for node in loners:
        columns[node] = fullness.index(min(fullness))
        fullness[columns[node]] += 1


def _neighbours(
    count: int, links: Sequence[tuple[int, int]], *, both: bool = True
) -> list[list[int]]:
    """List who is linked with each node: those before it, or on both sides."""
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for first, second in links:
        neighbours[second].append(first)
        if both:
            neighbours[first].append(second)
    return neighbours
