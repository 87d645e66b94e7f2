"""What is measured of a radio mesh: eight features of each node, and links seen from both ends.

Other meshes have other features: any name is one, with role and unit by `schema.feature_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from x0tta_cli.telemetry.prometheus.queries import EdgeQuery, NodeQuery, edge_query, node_query
from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.telemetry import Alignment, Feature, Telemetry, Unit

NODE_FEATURE_NAMES = (
    "rssi_dbm",
    "snr_db",
    "loss_rate",
    "link_age_s",
    "latency_ms",
    "throughput_mbps",
    "cpu_ratio",
    "memory_ratio",
)
LINK_FEATURE_NAMES = NODE_FEATURE_NAMES[:6]
ENDS = ("source", "destination")

# What a receiver can tell. The weakest that is decoded is about -148 dBm at -20 dB (LoRa, SX1276
# data sheet); nothing arrives stronger than 1 W. A signal strength in percent is out of it.
UNITS = {"rssi_dbm": Unit("dBm", -150.0, 30.0), "snr_db": Unit("dB", -30.0, 100.0)}


def mesh_feature(name: str, statistic: str = "") -> Feature:
    """Make a feature of a mesh; of the eight that are known, with the range that is possible."""
    feature = feature_of(name, statistic)
    return replace(feature, unit=UNITS.get(name, feature.unit))


NODE_FEATURES = tuple(mesh_feature(name) for name in NODE_FEATURE_NAMES)
EDGE_FEATURES = tuple(mesh_feature(name, end) for name in LINK_FEATURE_NAMES for end in ENDS)


def node_queries(
    expressions: Mapping[str, str] | None = None, *, node_label: str = "node"
) -> tuple[NodeQuery, ...]:
    """Say how the nodes of a mesh are asked for: feature name to PromQL expression.

    The eight come first, in their order; those that are not named are left out, others follow in
    the order given. Without `expressions`, each of the eight is a metric of its own name.
    """
    asked = {name: name for name in NODE_FEATURE_NAMES} if expressions is None else expressions
    return tuple(
        replace(node_query(name, asked[name], node_label=node_label), feature=mesh_feature(name))
        for name in _in_order(asked)
    )


def edge_queries(
    expressions: Mapping[str, str],
    *,
    source_label: str = "source",
    destination_label: str = "destination",
) -> tuple[EdgeQuery, ...]:
    """Say how the links of a mesh are asked for; each is measured at both of its ends.

    The source is who measures, the destination whom it hears. `rssi_dbm` becomes the features
    `rssi_dbm_source` and `rssi_dbm_destination`: what either end of a link says about the other.
    """
    return tuple(
        replace(
            edge_query(
                name,
                expressions[name],
                both_ends=True,
                source_label=source_label,
                destination_label=destination_label,
            ),
            feature=mesh_feature(name, "source"),
            far_feature=mesh_feature(name, "destination"),
        )
        for name in _in_order(expressions)
    )


def as_mesh(telemetry: Telemetry) -> Alignment:
    """Bring telemetry into the order of the eight features, and hold it to their ranges.

    What is not measured becomes NaN and is listed; other features follow in their own order.
    Raises UsageError `telemetry.wrong_unit`.
    """
    known = {feature.name: feature for feature in NODE_FEATURES}
    features = tuple(
        known[feature.name] if _is_same(feature, known.get(feature.name)) else feature
        for feature in telemetry.features
    )
    others = tuple(feature for feature in features if feature.name not in known)
    ranged = replace(telemetry, features=features)
    return ranged.aligned_to(telemetry.topology, NODE_FEATURES + others)


def with_both_ends(telemetry: Telemetry, names: Iterable[str] = LINK_FEATURE_NAMES) -> Telemetry:
    """Make edge features of what the nodes at both ends of each edge measure of themselves.

    For meshes whose links are not measured one by one: an edge gets `NAME_source` and
    `NAME_destination` for each name, and loses the edge features that it had. Raises
    NotFoundError `telemetry.no_such_feature`.
    """
    indices = [telemetry.feature_index(name) for name in names]
    measured = [telemetry.features[index] for index in indices]
    edges = np.array(telemetry.topology.edges, dtype=np.int64).reshape(-1, 2)
    # [edge, end, instant, feature] → [edge, instant, feature, end]: the ends stand side by side.
    values = np.moveaxis(telemetry.values[edges][..., indices], 1, -1)
    return replace(
        telemetry,
        edge_features=tuple(
            replace(feature, name=f"{feature.name}_{end}", statistic=end)
            for feature in measured
            for end in ENDS
        ),
        edge_values=values.reshape(*values.shape[:2], len(measured) * len(ENDS)),
    )


def _in_order(names: Iterable[str]) -> list[str]:
    given = list(names)
    known = [name for name in NODE_FEATURE_NAMES if name in given]
    return known + [name for name in given if name not in known]


def _is_same(feature: Feature, known: Feature | None) -> bool:
    return known is not None and feature.unit.symbol == known.unit.symbol
