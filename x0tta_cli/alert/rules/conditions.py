"""What each shipped rule holds, in the labels, windows and limits of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from x0tta_cli.alert.rules import expressions as promql
from x0tta_cli.alert.rules.settings import RuleMetrics

NODE = ("job", "instance")
HEART = ("job", "instance", "name")
# A machine's clock that is further ahead than this would keep a heartbeat fresh without one.
FUTURE = timedelta(minutes=5)


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


def svid_expires(at: Settled) -> str:
    """Write that an SVID ends soon."""
    expires = promql.selected(at.metrics.svid_expires)
    return f"{expires} - time() < {promql.number(at.threshold)}"


def ebpf_load_failed(at: Settled) -> str:
    """Write that a program did not load, or a unit that loads one has failed."""
    failures = promql.events(at.metrics.ebpf_load_failures, at.window, at.threshold)
    return f"{failures}\nor\n{promql.selected(at.metrics.failed_units)} == 1"


def node_offline(at: Settled) -> str:
    """Write that a node of the mesh does not answer, or is not listed any more."""
    node = promql.selected(at.metrics.mesh_node)
    return f"{node} == 0\nor\n{promql.vanished(node, at.window)}"


def cpu_busy(at: Settled) -> str:
    """Write that a machine's cores are busy."""
    idle = f"rate({promql.selected(at.metrics.cpu_idle)}[{promql.duration(at.window)}])"
    return f"1 - {promql.grouped(NODE, 'avg')} ({idle}) > {promql.number(at.threshold)}"


def memory_full(at: Settled) -> str:
    """Write that a machine's memory is used up."""
    free, all_of_it = (
        promql.selected(each) for each in (at.metrics.memory_available, at.metrics.memory_total)
    )
    return f"1 - {free} / {all_of_it} > {promql.number(at.threshold)}"


def heartbeat_old(at: Settled) -> str:
    """Write that it is older than it told, from the future, or gone with its machine."""
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
