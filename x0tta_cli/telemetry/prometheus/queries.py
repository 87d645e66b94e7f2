"""What to ask Prometheus: which expression measures which feature of which components."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Feature

# It travels in the URL, where each character may take three bytes and servers take 64 KiB.
MAX_EXPRESSION_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class NodeQuery:
    """A PromQL expression with one series per component, named by the label `node_label`.

    Raises UsageError `telemetry.bad_query`.
    """

    feature: Feature
    expression: str
    node_label: str = "instance"

    def __post_init__(self) -> None:
        _check_expression(self.expression)

    @property
    def name(self) -> str:
        """What messages call the query."""
        return self.feature.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that tell whose series it is."""
        return (self.node_label,)

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the query measures."""
        return (self.feature,)


@dataclass(frozen=True, slots=True)
class EdgeQuery:
    """A PromQL expression with one series per edge, named by two labels.

    `feature` is what the source says about the edge. `far_feature` is what the destination says
    about it: the same expression's series with the two labels exchanged. Without both, the query
    tells who is connected and nothing more. Raises UsageError `telemetry.bad_query`.
    """

    expression: str
    feature: Feature | None = None
    far_feature: Feature | None = None
    source_label: str = "source"
    destination_label: str = "destination"

    def __post_init__(self) -> None:
        _check_expression(self.expression)

    @property
    def name(self) -> str:
        """What messages call the query."""
        return self.features[0].name if self.features else f"edges ({self.expression})"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that tell whose series it is."""
        return (self.source_label, self.destination_label)

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the query measures."""
        return tuple(feature for feature in (self.feature, self.far_feature) if feature)


@dataclass(frozen=True, slots=True)
class Queries:
    """All that one reading asks for; the features stand in the order of their queries.

    Raises UsageError `telemetry.duplicate_feature` and ValueError where there is no query at all.
    """

    nodes: tuple[NodeQuery, ...]
    edges: tuple[EdgeQuery, ...] = ()

    def __post_init__(self) -> None:
        if not (self.nodes or self.edges):
            raise ValueError("a reading without a query")
        _check_names(feature for query in self.nodes for feature in query.features)
        _check_names(feature for query in self.edges for feature in query.features)


def node_query(
    name: str, expression: str, *, statistic: str = "", node_label: str = "instance"
) -> NodeQuery:
    """Measure a feature whose name tells role and unit, as in `schema.feature_of`."""
    return NodeQuery(feature_of(name, statistic), expression, node_label)


def edge_query(
    name: str,
    expression: str,
    *,
    both_ends: bool = False,
    source_label: str = "source",
    destination_label: str = "destination",
) -> EdgeQuery:
    """Measure edges by a feature whose name tells role and unit, as in `schema.feature_of`.

    `both_ends` makes two features of it: `rssi_dbm_source` is what the edge's source measures of
    its destination, `rssi_dbm_destination` the other way round.
    """
    near = feature_of(name, "source" if both_ends else "")
    far = feature_of(name, "destination") if both_ends else None
    return EdgeQuery(expression, near, far, source_label, destination_label)


def _check_expression(expression: str) -> None:
    reason = ""
    if not expression.strip():
        reason = "It is empty."
    elif len(expression.encode(errors="replace")) > MAX_EXPRESSION_BYTES:
        reason = f"It is longer than {MAX_EXPRESSION_BYTES >> 10} KiB."
    elif any("\ud800" <= sign <= "\udfff" for sign in expression):
        reason = "It is not text in UTF-8."
    if reason:
        raise UsageError(
            "telemetry.bad_query",
            f"{expression[:60]!r} is no query for Prometheus.",
            reason=reason,
            fix="Write an expression in PromQL, such as rate(requests_total[5m]).",
        )


def _check_names(features: Iterable[Feature]) -> None:
    seen: set[str] = set()
    for feature in features:
        if feature.name in seen:
            raise UsageError(
                "telemetry.duplicate_feature",
                f"Two queries measure the feature {feature.name!r}.",
                fix="Rename or remove one of the two.",
                context={"feature": feature.name},
            )
        seen.add(feature.name)
