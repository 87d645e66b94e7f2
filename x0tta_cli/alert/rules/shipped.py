"""The shipped rules: the one typed source from which files are written and compared.

Python and not a file of data: thresholds, windows and metric names are settings, and an
expression that is composed by a function has each trap mended in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from x0tta_cli.alert.rules import conditions
from x0tta_cli.alert.rules import expressions as promql
from x0tta_cli.alert.rules.conditions import Settled
from x0tta_cli.alert.rules.model import Rule, RuleGroup
from x0tta_cli.alert.rules.settings import RuleChange, RuleSettings
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Severity

MINUTES = timedelta(minutes=1)
LINK = ("job", "instance", "interface", "neighbour")
WATCHDOG = "Watchdog"


@dataclass(frozen=True, slots=True)
class Shipped:
    """One rule as it is shipped; `equal` None stands for the labels that services have.

    In `summary` and `description` stand %(service)s, %(after)s, %(window)s and %(threshold)s for
    what is configured.
    """

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
    after = shipped.after if change.after is None else change.after
    words = {
        "service": " ".join(f"{{{{ $labels.{label} }}}}" for label in settings.by),
        "after": promql.duration(after),
        "window": promql.duration(settled.window),
        "threshold": promql.number(settled.threshold),
    }
    return Rule(
        name=shipped.name,
        severity=Severity(change.severity or shipped.severity),
        expression=shipped.expression(settled),
        after=after,
        summary=shipped.summary % words,
        description=shipped.description % words,
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


SHIPPED: tuple[Shipped, ...] = (
    Shipped(
        "x0tta-identity",
        "SvidRenewalFailed",
        Severity.ERROR,
        lambda at: promql.events(at.metrics.svid_renewal_failures, at.window, at.threshold),
        "The SVID of {{ $labels.instance }} could not be renewed",
        "{{ $labels.job }} on {{ $labels.instance }} has failed to renew its SVID within the last "
        "%(window)s. When the one that it has ends, its peers refuse it.",
        "See the log of the agent on that machine, and whether its server can be reached.",
        # Renewed at half of an hour's life: one failure in each half-hour is one alert.
        window=45 * MINUTES,
        period=30 * MINUTES,
    ),
    Shipped(
        "x0tta-identity",
        "SvidExpiringSoon",
        Severity.CRITICAL,
        conditions.svid_expires,
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
        "exchange within the last %(window)s.",
        "See which peer does not offer it: an old version, or someone in between.",
    ),
    Shipped(
        "x0tta-mesh",
        "EbpfLoadFailed",
        Severity.ERROR,
        conditions.ebpf_load_failed,
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
        conditions.node_offline,
        "The mesh node {{ $labels.instance }} is offline",
        "{{ $labels.instance }} has not answered for %(after)s, or is not listed any more since "
        "less than %(window)s.",
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
        "More than %(threshold)s handshakes of {{ $labels.job }} on {{ $labels.instance }} have "
        "failed within %(window)s.",
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
        "{{ $labels.job }} on {{ $labels.instance }} has refused more than %(threshold)s peers "
        "within %(window)s.",
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
        "A recovery on {{ $labels.instance }} has failed within the last %(window)s: what it was "
        "to mend is still broken.",
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
        "Requests to %(service)s fail",
        "{{ $value | humanizePercentage }} of its requests have failed for %(after)s.",
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
        "Many requests to %(service)s fail",
        "{{ $value | humanizePercentage }} of its requests have failed for %(after)s.",
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
        "%(service)s is slow",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}, for %(after)s "
        "now.",
        "x0tta drill run with its telemetry names the component that is behind it.",
        threshold=0.15,
        after=5 * MINUTES,
    ),
    Shipped(
        "x0tta-service",
        "LatencyP95Critical",
        Severity.CRITICAL,
        lambda at: promql.quantile(at.metrics.request_seconds, 0.95, at.limits(at.by)),
        "%(service)s is very slow",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}, for %(after)s "
        "now.",
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
        conditions.cpu_busy,
        "{{ $labels.instance }} has hardly any processor time left",
        "{{ $value | humanizePercentage }} of its cores have been busy for %(after)s.",
        "top on that machine; a mesh node drops packets before it is slow (x0tta ebpf drops).",
        threshold=0.9,
        after=10 * MINUTES,
    ),
    Shipped(
        "x0tta-machine",
        "MemoryFull",
        Severity.WARNING,
        conditions.memory_full,
        "{{ $labels.instance }} has hardly any memory left",
        "{{ $value | humanizePercentage }} of it are used, for %(after)s now.",
        "ps --sort=-rss on that machine; the kernel ends the largest process when it runs out.",
        threshold=0.85,
        after=5 * MINUTES,
    ),
    Shipped(
        "x0tta-watch",
        "HeartbeatOld",
        Severity.ERROR,
        conditions.heartbeat_old,
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
