"""The configuration section `[alert.rules]`: metric names, thresholds, and where alerts go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

_FROZEN = ConfigDict(extra="forbid", frozen=True)
# https://prometheus.io/docs/concepts/data_model/ - a name, matchers, or both; what is between the
# braces is left to promtool.
Selector: TypeAlias = Annotated[
    str, Field(pattern=r"^([a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})?|\{[^\n]+\})$")
]
LabelName: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class RuleMetrics(BaseModel):
    """Under which names, and with which matchers, the rules find what they look at."""

    model_config = _FROZEN

    requests: Selector = Field(default="http_requests_total", description="Counter of requests.")
    failed_requests: Selector = Field(
        default='http_requests_total{code=~"5.."}', description="Counter of those that failed."
    )
    request_seconds: Selector = Field(
        default="http_request_duration_seconds",
        description="Histogram of durations, without _bucket.",
    )
    cpu_idle: Selector = Field(
        default='node_cpu_seconds_total{mode="idle"}', description="Counter of idle seconds."
    )
    memory_available: Selector = Field(
        default="node_memory_MemAvailable_bytes", description="Gauge of memory that is free to use."
    )
    memory_total: Selector = Field(
        default="node_memory_MemTotal_bytes", description="Gauge of all memory."
    )
    mesh_node: Selector = Field(
        default='up{job="mesh"}', description="Gauge: 1 while a node of the mesh answers."
    )
    expected_packets: Selector = Field(
        default="x0tta_ebpf_neighbour_expected_packets_total",
        description="Counter of packets that a neighbour sent (x0tta ebpf export).",
    )
    received_packets: Selector = Field(
        default="x0tta_ebpf_neighbour_received_packets_total",
        description="Counter of those that arrived (x0tta ebpf export).",
    )
    ebpf_load_failures: Selector = Field(
        default="x0tta_ebpf_load_failures_total",
        description="Counter of programs that did not load.",
    )
    failed_units: Selector = Field(
        default='node_systemd_unit_state{name=~"x0tta-ebpf.*",state="failed"}',
        description="Gauge: 1 while a unit that loads programs has failed (node_exporter).",
    )
    svid_renewal_failures: Selector = Field(
        default="x0tta_spiffe_svid_renewal_failures_total",
        description="Counter of renewals that failed.",
    )
    svid_expires: Selector = Field(
        default="x0tta_spiffe_svid_expires_timestamp_seconds",
        description="Gauge: when an SVID ends, as Unix time.",
    )
    post_quantum_fallback: Selector = Field(
        default="x0tta_mesh_post_quantum_fallback",
        description="Gauge: 1 while a link has fallen back to classical cryptography.",
    )
    handshake_failures: Selector = Field(
        default="x0tta_mesh_handshake_failures_total",
        description="Counter of handshakes that failed.",
    )
    authentication_failures: Selector = Field(
        default="x0tta_mesh_authentication_failures_total",
        description="Counter of peers that could not prove who they are.",
    )
    recovery_failures: Selector = Field(
        default="x0tta_mesh_recovery_failures_total",
        description="Counter of recoveries that failed.",
    )
    heartbeat: Selector = Field(
        default="x0tta_heartbeat_timestamp_seconds",
        description="Gauge: when something last ran, as Unix time (x0tta alert heartbeat).",
    )
    heartbeat_interval: Selector = Field(
        default="x0tta_heartbeat_interval_seconds",
        description="Gauge: how often it says that it runs.",
    )


class RuleChange(BaseModel):
    """What is other than shipped in one rule."""

    model_config = _FROZEN

    enabled: bool = Field(default=True, description="Whether the rule is written at all.")
    severity: Literal["info", "warning", "error", "critical"] | None = Field(
        default=None, description="How bad it is."
    )
    threshold: float | None = Field(default=None, description="Beyond it the rule holds.")
    after: timedelta | None = Field(
        default=None, description="It fires when it has held this long (Prometheus' `for`)."
    )
    window: timedelta | None = Field(default=None, description="How far a rate looks back.")
    period: timedelta | None = Field(
        default=None, description="How far apart two of the events that it counts may be."
    )
    minimum: float | None = Field(
        default=None, ge=0, description="With less traffic in the window it says nothing."
    )


class RuleSettings(BaseModel):
    """What `alert rules` writes, and for whom."""

    model_config = _FROZEN

    by: tuple[LabelName, ...] = Field(
        default=("job",), min_length=1, description="Labels that tell services apart."
    )
    expects: tuple[Selector, ...] = Field(
        default=(), description="Series whose absence is an alert; nobody misses what never was."
    )
    heartbeat_every: timedelta = Field(
        default=timedelta(days=1), description="For a heartbeat that does not tell its interval."
    )
    runbooks: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = Field(
        default=None,
        description="Your runbooks: the rule's name is put behind this address.",
        examples=["https://wiki.example.org/alerts/"],
    )
    serve_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = Field(
        default=None,
        description="Where Alertmanager reaches `alert serve`; else alert.serve.listen.",
        examples=["http://127.0.0.1:9099"],
    )
    token_file: Path | None = Field(
        default=None, description="File on Alertmanager's machine with the token of alert.serve."
    )
    metrics: RuleMetrics = Field(default=RuleMetrics(), description="Names of metrics.")
    change: dict[str, RuleChange] = Field(
        default_factory=dict, description="Thresholds and times by the rule's name."
    )
