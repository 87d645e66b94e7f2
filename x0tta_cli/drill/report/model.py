"""What a page is made from, in plain values: it knows neither readers nor models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthyBand:
    """What a series did in health: its 5 %, 50 % and 95 % quantiles, in its own unit."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """One feature of one component; `values` as many as the page's instants, missing is None.

    `healthy` is None for what was never measured in health; `reason` says in a word or two why
    the series is shown ("symptom", "first suspect").
    """

    node: str
    feature: str
    unit: str
    values: tuple[float | None, ...]
    healthy: HealthyBand | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReportData:
    """The material of one incident's page beside its `DrillResult`.

    `edges` holds (caller index, callee index) into `nodes`; `scores` one root-cause score from
    0 to 1 per node, 0 for what was not ranked. `instants` and `onset` are Unix seconds.
    `attribution` is the data's source and licence, a paragraph per line.

    Raises ValueError for lengths or indices that do not fit together.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    scores: tuple[float, ...]
    symptom_node: str | None
    instants: tuple[float, ...]
    onset: float | None
    series: tuple[Series, ...]
    attribution: str

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.nodes):
            raise ValueError(f"{len(self.scores)} scores for {len(self.nodes)} nodes")
        if any(not 0 <= index < len(self.nodes) for edge in self.edges for index in edge):
            raise ValueError("an edge leads outside the nodes")
        for series in self.series:
            if len(series.values) != len(self.instants):
                raise ValueError(f"{len(series.values)} values for {len(self.instants)} instants")
