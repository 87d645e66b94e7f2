"""Who calls whom: the components of a mesh and the calls between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from x0tta_cli.core.errors import NotFoundError, UsageError


@dataclass(frozen=True, slots=True)
class Topology:
    """A directed graph: `edges` holds (caller index, callee index) into `nodes`.

    The order of `nodes` is the first axis of every array in `Telemetry`. A component may call
    itself: such an edge is kept in `edges`, but `callees`, `callers` and `hops_from` pass it over,
    so that no component counts as its own neighbour.

    Raises UsageError `telemetry.duplicate_node` and `telemetry.unknown_node`, and ValueError
    for an edge that is listed twice.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.nodes)) != len(self.nodes):
            raise _duplicate_node(self.nodes)
        for caller, callee in self.edges:
            for index in (caller, callee):
                if not 0 <= index < len(self.nodes):
                    raise UsageError(
                        "telemetry.unknown_node",
                        f"An edge leads to component number {index}, which does not exist.",
                        reason=f"The topology has {len(self.nodes)} components, counted from 0.",
                        fix="Add the component to the topology, or take the edge out.",
                        context={"edge": [caller, callee]},
                    )
        if len(set(self.edges)) != len(self.edges):
            raise ValueError("an edge is listed twice")

    @classmethod
    def from_calls(cls, nodes: Iterable[str], calls: Iterable[tuple[str, str]]) -> Self:
        """Build a topology from (caller, callee) names; a call that is named twice is one edge.

        Raises UsageError `telemetry.unknown_node` for a name that is not in `nodes`.
        """
        names = tuple(nodes)
        position = {name: index for index, name in enumerate(names)}
        edges: dict[tuple[int, int], None] = {}
        for caller, callee in calls:
            for name in (caller, callee):
                if name not in position:
                    raise UsageError(
                        "telemetry.unknown_node",
                        f"The edge {caller!r} → {callee!r} names an unknown component {name!r}.",
                        fix="Add the component to the topology, or take the edge out.",
                        context={"node": name},
                    )
            edges[position[caller], position[callee]] = None
        return cls(names, tuple(edges))

    def index_of(self, name: str) -> int:
        """Tell a component's index; NotFoundError `telemetry.no_such_node` for another name."""
        try:
            return self.nodes.index(name)
        except ValueError:
            raise NotFoundError(
                "telemetry.no_such_node",
                f"There is no component {name!r}.",
                reason=_nearest(name, self.nodes),
                fix="Check the name: capitals count.",
                context={"node": name},
            ) from None

    def callees(self, index: int) -> tuple[int, ...]:
        """List the components that this one calls, without itself."""
        return tuple(callee for caller, callee in self.edges if caller == index != callee)

    def callers(self, index: int) -> tuple[int, ...]:
        """List the components that call this one, without itself."""
        return tuple(caller for caller, callee in self.edges if callee == index != caller)

    def hops_from(self, index: int) -> tuple[int | None, ...]:
        """Count the calls from this component to each other one; None where no path leads."""
        hops: list[int | None] = [None] * len(self.nodes)
        callees: dict[int, list[int]] = {}
        for caller, callee in self.edges:
            callees.setdefault(caller, []).append(callee)
        hops[index] = 0
        queue = deque([(index, 0)])
        while queue:
            node, distance = queue.popleft()
            for callee in callees.get(node, ()):
                if hops[callee] is None:
                    hops[callee] = distance + 1
                    queue.append((callee, distance + 1))
        return tuple(hops)

    def with_nodes(self, names: Iterable[str]) -> Topology:
        """Add the components that are not known yet at the end, without edges."""
        known = set(self.nodes)
        added = tuple(name for name in dict.fromkeys(names) if name not in known)
        return Topology(self.nodes + added, self.edges) if added else self


def _duplicate_node(nodes: tuple[str, ...]) -> UsageError:
    seen: set[str] = set()
    for name in nodes:
        if name in seen:
            break
        seen.add(name)
    return UsageError(
        "telemetry.duplicate_node",
        f"The component {name!r} is named twice.",
        reason="A component is known by its name alone, so each name may stand once.",
        fix="Rename or remove one of the two.",
        context={"node": name},
    )


def _nearest(name: str, names: tuple[str, ...]) -> str:
    import difflib

    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"{len(names)} components are known."
