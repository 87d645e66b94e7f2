"""The shipped rules: the one typed source from which files are written and compared.

Python and not a file of data: thresholds, windows and metric names are settings, and an
expression that is composed by a function has each trap mended in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from x0tta_cli.alert.rules import expressions as promql
from x0tta_cli.alert.rules.model import Rule, RuleGroup
from x0tta_cli.alert.rules.settings import RuleChange, RuleMetrics, RuleSettings
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Severity

SECONDS, MINUTES = timedelta(seconds=1), timedelta(minutes=1)
NODE = ("job", "instance")
LINK = ("job", "instance", "interface", "neighbour")
HEART = ("job", "instance", "name")
# A machine's clock that is further ahead than this would keep a heartbeat fresh without one.
FUTURE = 5 * MINUTES
WATCHDOG = "Watchdog"


@dataclass(frozen=True, slots=True)
class Settled:
    """What an expression is made of: the shipped values with the configuration's over them."""

    metrics: RuleMetrics
    by: tuple[str, ...]
    heartbeat_every: timedelta
    threshold: float
    window: timedelta
    minimum: float

    def limits(self, by: tuple[str, ...]) -> promql.Limits:
        """Say how a ratio by these labels is measured."""
        return promql.Limits(by, self.window, self.threshold, self.minimum)


@dataclass(frozen=True, slots=True)
class Shipped:
    """One rule as it is shipped; `equal` None stands for the labels that services have."""

    group: str
    name: str
    severity: Severity
    expression: Callable[[Settled], str]
    summary: str
    description: str
    runbook: str
    threshold: float = 0.0
    after: timedelta = timedelta()
    window: timedelta = 5 * MINUTES
    period: timedelta | None = None
    minimum: float = 100.0
    inhibits: tuple[str, ...] = ()
    equal: tuple[str, ...] | None = ()


def groups(settings: RuleSettings) -> tuple[RuleGroup, ...]:
    """Compose all rules; raises ConfigurationError `alert.unknown_rule`."""
    _check_names(settings)
    composed: dict[str, list[Rule]] = {}
    for shipped in SHIPPED:
        change = settings.change.get(shipped.name, RuleChange())
        if change.enabled:
            composed.setdefault(shipped.group, []).append(_rule(shipped, change, settings))
    for selector in settings.expects:
        composed.setdefault("x0tta-watch", []).append(_absent(selector))
    return tuple(RuleGroup(name, tuple(rules)) for name, rules in composed.items())


def _rule(shipped: Shipped, change: RuleChange, settings: RuleSettings) -> Rule:
    settled = Settled(
        settings.metrics,
        settings.by,
        settings.heartbeat_every,
        shipped.threshold if change.threshold is None else change.threshold,
        shipped.window if change.window is None else change.window,
        shipped.minimum if change.minimum is None else change.minimum,
    )
    return Rule(
        name=shipped.name,
        severity=Severity(change.severity or shipped.severity),
        expression=shipped.expression(settled),
        after=shipped.after if change.after is None else change.after,
        summary=shipped.summary,
        description=shipped.description,
        runbook=shipped.runbook,
        window=settled.window,
        period=shipped.period if change.period is None else change.period,
        inhibits=shipped.inhibits,
        equal=settings.by if shipped.equal is None else shipped.equal,
    )


def _absent(selector: str) -> Rule:
    return Rule(
        name="SeriesAbsent",
        severity=Severity.ERROR,
        expression=f"absent({promql.selected(selector)})",
        after=10 * MINUTES,
        summary="Nothing delivers a metric that is expected",
        description="Prometheus has had no series of {{ $labels.metric }} for ten minutes: rules "
        "over it can't fire.",
        runbook="See whether its target is up and still exports it; the configuration names it "
        "in alert.rules.expects.",
        labels={"metric": selector},
    )


def _check_names(settings: RuleSettings) -> None:
    from difflib import get_close_matches

    known = [shipped.name for shipped in SHIPPED]
    for name in settings.change:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise ConfigurationError(
                "alert.unknown_rule",
                f"There is no rule '{name}' to change.",
                reason=f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}.",
                fix="Correct the name in [alert.rules.change].",
                context={"rule": name},
            )


def _svid_expires(at: Settled) -> str:
    expires = promql.selected(at.metrics.svid_expires)
    return f"{expires} - time() < {promql.number(at.threshold)}"


def _ebpf_load_failed(at: Settled) -> str:
    failures = promql.events(at.metrics.ebpf_load_failures, at.window, at.threshold)
    return f"{failures}\nor\n{promql.selected(at.metrics.failed_units)} == 1"


def _node_offline(at: Settled) -> str:
    node = promql.selected(at.metrics.mesh_node)
    return f"{node} == 0\nor\n{promql.vanished(node, at.window)}"


def _cpu(at: Settled) -> str:
    idle = f"rate({promql.selected(at.metrics.cpu_idle)}[{promql.duration(at.window)}])"
    return f"1 - {promql.grouped(NODE, 'avg')} ({idle}) > {promql.number(at.threshold)}"


def _memory(at: Settled) -> str:
    free, all_of_it = (
        promql.selected(each) for each in (at.metrics.memory_available, at.metrics.memory_total)
    )
    return f"1 - {free} / {all_of_it} > {promql.number(at.threshold)}"


def _heartbeat(at: Settled) -> str:
    """Older than it said that it would get, from the future, or gone with its machine."""
    beat, interval = (
        promql.selected(each) for each in (at.metrics.heartbeat, at.metrics.heartbeat_interval)
    )
    newest, same = promql.grouped(HEART, "max"), f"on ({', '.join(HEART)})"
    limit = promql.number(at.threshold)
    default_s = promql.number(at.threshold * at.heartbeat_every.total_seconds())
    back = promql.duration(at.window)
    return (
        f"time() - {newest} ({beat}) > {same} {newest} ({interval}) * {limit}\n"
        "or\n"
        f"(time() - {newest} ({beat}) > {default_s}) unless {same} {newest} ({interval})\n"
        "or\n"
        f"time() - {newest} ({beat}) < -{promql.number(FUTURE.total_seconds())}\n"
        "or\n"
        f"(time() - {newest} (last_over_time({beat}[{back}]))) unless {same} {beat}"
    )


SHIPPED: tuple[Shipped, ...] = (
    Shipped(
        "x0tta-identity",
        "SvidRenewalFailed",
        Severity.ERROR,
        lambda at: promql.events(at.metrics.svid_renewal_failures, at.window, at.threshold),
        "The SVID of {{ $labels.instance }} could not be renewed",
        "{{ $labels.job }} on {{ $labels.instance }} has failed to renew its SVID within the last "
        "45 minutes. When the one that it has ends, its peers refuse it.",
        "See the log of the agent on that machine, and whether its server can be reached.",
        # Renewed at half of an hour's life: one failure in each half-hour is one alert.
        window=45 * MINUTES,
        period=30 * MINUTES,
    ),
    Shipped(
        "x0tta-identity",
        "SvidExpiringSoon",
        Severity.CRITICAL,
        _svid_expires,
        "The SVID of {{ $labels.instance }} ends soon",
        "It ends in {{ $value | humanizeDuration }} and has not been renewed; after that its peers "
        "refuse {{ $labels.job }} on {{ $labels.instance }}.",
        "See why renewing fails (SvidRenewalFailed), and restart the agent before it ends.",
        threshold=600.0,
        after=MINUTES,
    ),
    Shipped(
        "x0tta-mesh",
        "PostQuantumFallback",
        Severity.CRITICAL,
        lambda at: (
            f"max_over_time({promql.selected(at.metrics.post_quantum_fallback)}"
            f"[{promql.duration(at.window)}]) > {promql.number(at.threshold)}"
        ),
        "{{ $labels.instance }} has fallen back to classical cryptography",
        "{{ $labels.job }} on {{ $labels.instance }} has had links without post-quantum key "
        "exchange within the last five minutes.",
        "See which peer does not offer it: an old version, or someone in between.",
    ),
    Shipped(
        "x0tta-mesh",
        "EbpfLoadFailed",
        Severity.ERROR,
        _ebpf_load_failed,
        "An eBPF program did not load on {{ $labels.instance }}",
        "{{ $labels.instance }} runs without a program that it should have"
        "{{ with $labels.name }} (unit {{ . }}){{ end }}.",
        "x0tta doctor ebpf, and journalctl -u 'x0tta-ebpf*' on that machine.",
        window=15 * MINUTES,
        period=10 * MINUTES,
    ),
    Shipped(
        "x0tta-mesh",
        "MeshNodeOffline",
        Severity.CRITICAL,
        _node_offline,
        "The mesh node {{ $labels.instance }} is offline",
        "{{ $labels.instance }} has not answered for two minutes, or is not listed any more since "
        "less than an hour.",
        "See whether its neighbours hear it (x0tta ebpf stats); silence one that was taken out on "
        "purpose for an hour.",
        after=2 * MINUTES,
        window=60 * MINUTES,
    ),
    Shipped(
        "x0tta-mesh",
        "HandshakeFailures",
        Severity.WARNING,
        lambda at: promql.events(at.metrics.handshake_failures, at.window, at.threshold),
        "Handshakes fail on {{ $labels.instance }}",
        "More than five handshakes of {{ $labels.job }} on {{ $labels.instance }} have failed "
        "within ten minutes.",
        "Compare clocks, versions and certificates of both ends.",
        threshold=5.0,
        window=10 * MINUTES,
        period=MINUTES,
    ),
    Shipped(
        "x0tta-mesh",
        "AuthenticationFailures",
        Severity.ERROR,
        lambda at: promql.events(at.metrics.authentication_failures, at.window, at.threshold),
        "Peers of {{ $labels.instance }} can't prove who they are",
        "{{ $labels.job }} on {{ $labels.instance }} has refused more than ten peers within ten "
        "minutes.",
        "See who they are: one address is a wrong configuration or an attack, many are an expired "
        "authority.",
        threshold=10.0,
        window=10 * MINUTES,
        period=MINUTES,
    ),
    Shipped(
        "x0tta-mesh",
        "RecoveryFailed",
        Severity.CRITICAL,
        lambda at: promql.events(at.metrics.recovery_failures, at.window, at.threshold),
        "{{ $labels.instance }} could not recover by itself",
        "A recovery on {{ $labels.instance }} has failed within the last half-hour: what it was to "
        "mend is still broken.",
        "x0tta ops on that machine shows what it tried; go on by hand.",
        window=30 * MINUTES,
        period=10 * MINUTES,
    ),
    Shipped(
        "x0tta-mesh",
        "PacketLoss",
        Severity.WARNING,
        lambda at: promql.lack(
            at.metrics.received_packets,
            at.metrics.expected_packets,
            at.limits(LINK),
        ),
        "Packets from {{ $labels.neighbour }} are lost on the way to {{ $labels.instance }}",
        "{{ $value | humanizePercentage }} of what {{ $labels.neighbour }} sends to "
        "{{ $labels.interface }} of {{ $labels.instance }} does not arrive. A neighbour that is "
        "not heard at all sends nothing to count: that is MeshNodeOffline.",
        "x0tta ebpf stats on that machine: one neighbour is its link, all are this radio.",
        threshold=0.05,
        after=5 * MINUTES,
    ),
    Shipped(
        "x0tta-service",
        "ErrorRate",
        Severity.WARNING,
        lambda at: promql.ratio(
            at.metrics.failed_requests,
            at.metrics.requests,
            at.limits(at.by),
        ),
        "Requests to {{ $labels.job }} fail",
        "{{ $value | humanizePercentage }} of its requests have failed for five minutes.",
        "x0tta drill run with its telemetry names the component that is behind it.",
        threshold=0.01,
        after=5 * MINUTES,
    ),
    Shipped(
        "x0tta-service",
        "ErrorRateCritical",
        Severity.CRITICAL,
        lambda at: promql.ratio(
            at.metrics.failed_requests,
            at.metrics.requests,
            at.limits(at.by),
        ),
        "Many requests to {{ $labels.job }} fail",
        "{{ $value | humanizePercentage }} of its requests have failed for two minutes.",
        "Roll back what was changed last; x0tta drill run with its telemetry names what is behind "
        "it.",
        threshold=0.05,
        after=2 * MINUTES,
        window=2 * MINUTES,
        inhibits=("ErrorRate",),
        equal=None,
    ),
    Shipped(
        "x0tta-service",
        "LatencyP95",
        Severity.WARNING,
        lambda at: promql.quantile(at.metrics.request_seconds, 0.95, at.limits(at.by)),
        "{{ $labels.job }} is slow",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}, for five "
        "minutes now.",
        "x0tta drill run with its telemetry names the component that is behind it.",
        threshold=0.15,
        after=5 * MINUTES,
    ),
    Shipped(
        "x0tta-service",
        "LatencyP95Critical",
        Severity.CRITICAL,
        lambda at: promql.quantile(at.metrics.request_seconds, 0.95, at.limits(at.by)),
        "{{ $labels.job }} is very slow",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}, for two "
        "minutes now.",
        "Roll back what was changed last; x0tta drill run with its telemetry names what is behind "
        "it.",
        threshold=0.2,
        after=2 * MINUTES,
        window=2 * MINUTES,
        inhibits=("LatencyP95",),
        equal=None,
    ),
    Shipped(
        "x0tta-machine",
        "CpuBusy",
        Severity.WARNING,
        _cpu,
        "{{ $labels.instance }} has hardly any processor time left",
        "{{ $value | humanizePercentage }} of its cores have been busy for ten minutes.",
        "top on that machine; a mesh node drops packets before it is slow (x0tta ebpf drops).",
        threshold=0.9,
        after=10 * MINUTES,
    ),
    Shipped(
        "x0tta-machine",
        "MemoryFull",
        Severity.WARNING,
        _memory,
        "{{ $labels.instance }} has hardly any memory left",
        "{{ $value | humanizePercentage }} of it are used, for five minutes now.",
        "ps --sort=-rss on that machine; the kernel ends the largest process when it runs out.",
        threshold=0.85,
        after=5 * MINUTES,
    ),
    Shipped(
        "x0tta-watch",
        "HeartbeatOld",
        Severity.ERROR,
        _heartbeat,
        "{{ $labels.name }} has not run in time",
        "The heartbeat {{ $labels.name }} of {{ $labels.instance }} is "
        "{{ $value | humanizeDuration }} old, or that of a clock that is ahead; what should have "
        "run has not, or has failed, or its machine is gone.",
        "See its last output on that machine, and run it by hand.",
        threshold=1.5,
        after=5 * MINUTES,
        window=timedelta(days=1),
    ),
    Shipped(
        "x0tta-watch",
        WATCHDOG,
        Severity.INFO,
        lambda _at: "vector(1)",
        "Alerts get through",
        "This alert always fires. x0tta alert serve tells when it stays away.",
        "Nothing is to be done.",
    ),
)
