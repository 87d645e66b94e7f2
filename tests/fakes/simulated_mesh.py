"""A mesh of services that call each other, with faults that can be put in: truth by construction.

Requests enter at the entrance in a daily cycle and spread along a random graph of calls. A service
waits for what it calls (except where a call is fire and forget), fails with it (except where it has
a fallback), queues under load, and is measured as real ones are: averages and percentiles over a
finite number of requests, holes in the data, services that show no latency, calls that the recorded
graph does not have. Other numbers than those of any recording: none of the rules were made on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from x0tta_cli.telemetry.schema import feature_of
from x0tta_cli.telemetry.target import Symptom
from x0tta_cli.telemetry.telemetry import Telemetry
from x0tta_cli.telemetry.topology import Topology

HEALTHY_SAMPLES = 400
BEFORE, AFTER = 3, 5
START = 1_700_000_000.0
DAY_S = 86_400.0
FEATURES = tuple(
    feature_of(metric, statistic)
    for metric, statistic in (
        ("latency", "Average"),
        ("latency", "p95"),
        ("requests", "Sum"),
        ("availability", "Average"),
        ("cpu_percent", "Average"),
        ("in_flight", "Average"),
    )
)
LATENCY, P95, REQUESTS, AVAILABILITY, CPU, IN_FLIGHT = range(len(FEATURES))
GOLDEN = (LATENCY, P95, REQUESTS, AVAILABILITY, CPU)
RESOURCES = (CPU, IN_FLIGHT)


@dataclass(frozen=True)
class Mesh:
    """What stays the same: `calls` [N, N] calls of the column per request to the row."""

    names: tuple[str, ...]
    calls: np.ndarray
    waits: np.ndarray
    fails_with: np.ndarray
    own_latency_s: np.ndarray
    capacity: np.ndarray
    failing: np.ndarray
    step_s: float
    entrance_per_s: float
    hidden_latency: np.ndarray
    recorded: np.ndarray


@dataclass(frozen=True)
class Fault:
    """What goes wrong while an incident lasts, and what the truth then is."""

    kind: str
    node: int
    slower: float = 1.0
    failing: float = 0.0
    surge: float = 1.0
    retries: bool = False
    lost: bool = False
    dead: bool = False
    aborts: bool = False
    time_out_s: float = 0.0
    cpu: float = 0.0
    newcomer: int | None = None


@dataclass(frozen=True)
class SimulatedIncident:
    """Telemetry of an incident with its symptom and its true cause."""

    telemetry: Telemetry
    symptom: Symptom | None
    truth: str
    fault: Fault


@dataclass(frozen=True)
class Simulation:
    """A mesh with its healthy time; `incident` adds any number of incidents to it."""

    mesh: Mesh
    healthy: Telemetry
    seed: int
    features: tuple[int, ...]

    def incident(self, kind: str, number: int = 0) -> SimulatedIncident:
        """Put in a fault of this kind at a random place, the same for the same number."""
        generator = np.random.default_rng([self.seed, number, *kind.encode()])
        fault = FAULTS[kind](self.mesh, generator)
        start = START + DAY_S * generator.uniform(3, 5)
        instants = start + self.mesh.step_s * np.arange(BEFORE + AFTER)
        values = np.concatenate(
            [
                measure(self.mesh, instants[:BEFORE], generator, None),
                measure(self.mesh, instants[BEFORE:], generator, fault),
            ],
            axis=1,
        )
        recorded = self.mesh.recorded.copy()
        if fault.newcomer is not None:
            recorded[fault.node, fault.newcomer] = True
        failed = fault.failing and not fault.time_out_s
        metric = "availability" if failed else "latency"
        symptom = Symptom(self.mesh.names[0], metric, "Average", float(instants[BEFORE]))
        return SimulatedIncident(
            telemetry_of(self.mesh.names, recorded, instants, values, self.features),
            symptom if LATENCY in self.features else None,
            self.mesh.names[fault.node],
            fault,
        )


def simulate(seed: int, *, services: int = 16, features: tuple[int, ...] = GOLDEN) -> Simulation:
    """Draw a mesh and its healthy time."""
    generator = np.random.default_rng(seed)
    mesh = draw_mesh(generator, services)
    instants = START + mesh.step_s * np.arange(HEALTHY_SAMPLES)
    values = measure(mesh, instants, generator, None)
    healthy = telemetry_of(mesh.names, mesh.recorded, instants, values, features)
    return Simulation(mesh, healthy, seed, features)


def draw_mesh(generator: np.random.Generator, services: int) -> Mesh:
    """Service 0 is the entrance; each other is called by one to three earlier ones.

    The last is called in faults only.
    """
    count = services + 1
    calls = np.zeros((count, count))
    for callee in range(1, services):
        earlier = generator.permutation(callee)[: generator.integers(1, 4)]
        # Mostly near the front: call graphs are broad rather than deep.
        for caller in earlier:
            calls[caller, callee] = generator.choice([0.3, 0.5, 1.0, 1.0, 1.0, 2.0])
    present = calls > 0
    waits = present & (generator.random(calls.shape) > 0.1)
    fails_with = present & (generator.random(calls.shape) > 0.2)
    recorded = present & (generator.random(calls.shape) > 0.05)
    rate = np.zeros(count)
    rate[0] = entrance = float(np.exp(generator.uniform(np.log(1.0), np.log(50.0))))
    for node in range(1, services):
        rate[node] = (rate[:node] * calls[:node, node]).sum()
    own = np.exp(generator.normal(np.log(0.02), 1.0, count))
    busy = generator.uniform(0.1, 0.6, count)
    hidden = generator.random(count) < 0.08
    hidden[0] = False
    return Mesh(
        names=tuple(f"s{number}" for number in generator.permutation(1000)[:count]),
        calls=calls,
        waits=waits,
        fails_with=fails_with,
        own_latency_s=own,
        capacity=np.maximum(rate, 0.01) / busy,
        failing=np.where(generator.random(count) < 0.3, generator.uniform(0, 0.01, count), 0.0),
        step_s=float(generator.choice([15.0, 60.0, 300.0])),
        entrance_per_s=entrance,
        hidden_latency=hidden,
        recorded=recorded,
    )


def measure(
    mesh: Mesh, instants: np.ndarray, generator: np.random.Generator, fault: Fault | None
) -> np.ndarray:
    """What monitoring shows: float64[N, T, F]."""
    count, samples = len(mesh.names), len(instants)
    calls, own, failing = with_fault(mesh, fault)
    cycle = 1.0 + 0.3 * np.sin(2 * np.pi * instants / DAY_S)
    rate = np.zeros((count, samples))
    rate[0] = mesh.entrance_per_s * cycle * np.exp(generator.normal(0, 0.05, samples))
    rate[0] *= fault.surge if fault else 1.0
    for node in range(1, count):
        rate[node] = (rate[:node] * calls[:node, node, None]).sum(axis=0)
        if fault is not None and fault.dead and node == fault.node:
            rate[node] = 0.0
    busy = np.clip(rate / mesh.capacity[:, None], 0.0, 0.97)
    own_now = own[:, None] / (1.0 - busy) * np.exp(generator.normal(0, 0.08, (count, samples)))
    latency, success = propagate(mesh, calls, own_now, failing)
    if fault is not None and fault.time_out_s:
        # Callers wait for an answer that does not come; the callee knows nothing of it.
        waiting = mesh.waits[:, fault.node] * calls[:, fault.node] * fault.failing
        own_now = own_now + (waiting * fault.time_out_s)[:, None]
        latency, success = propagate(mesh, calls, own_now, failing)
    requests = generator.poisson(rate * mesh.step_s)
    values = observe(mesh, generator, requests, latency, success, busy)
    return with_holes(mesh, generator, values, fault)


def with_fault(mesh: Mesh, fault: Fault | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    calls, own, failing = mesh.calls.copy(), mesh.own_latency_s.copy(), mesh.failing.copy()
    if fault is None:
        return calls, own, failing
    own[fault.node] *= fault.slower
    if fault.newcomer is None:
        failing[fault.node] = max(failing[fault.node], fault.failing)
    else:
        calls[fault.node, fault.newcomer] = fault.failing
        failing[fault.newcomer] = 1.0
    if fault.aborts:
        calls[fault.node] *= 1.0 - fault.failing
    if fault.retries:
        calls[:, fault.node] *= 1.0 + fault.failing
    return calls, own, failing


def propagate(
    mesh: Mesh, calls: np.ndarray, own: np.ndarray, failing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Latency and share of success of each service [N, T], from the last callee up."""
    latency, success = own.copy(), np.repeat(1.0 - failing[:, None], own.shape[1], axis=1)
    for caller in reversed(range(len(own))):
        for callee in np.flatnonzero(calls[caller]):
            known = mesh.calls[caller, callee] > 0
            if mesh.waits[caller, callee] or not known:
                latency[caller] += calls[caller, callee] * latency[callee]
            if mesh.fails_with[caller, callee] or not known:
                often = min(1.0, calls[caller, callee])
                success[caller] *= 1.0 - often * (1.0 - success[callee])
    return latency, success


def observe(
    mesh: Mesh,
    generator: np.random.Generator,
    requests: np.ndarray,
    latency: np.ndarray,
    success: np.ndarray,
    busy: np.ndarray,
) -> np.ndarray:
    """Statistics over the requests of a step: the fewer, the noisier."""
    values = np.full((*requests.shape, len(FEATURES)), np.nan)
    many = np.maximum(requests, 1)
    for feature, level, spread in ((LATENCY, 1.0, 0.7), (P95, 2.5, 1.5)):
        noise = generator.normal(0, spread, requests.shape) / np.sqrt(many)
        values[:, :, feature] = level * latency * np.exp(noise)
    values[:, :, AVAILABILITY] = 100.0 * generator.binomial(requests, success) / many
    values[requests == 0, LATENCY : AVAILABILITY + 1] = np.nan
    values[:, :, REQUESTS] = requests
    values[:, :, CPU] = 100.0 * busy + generator.normal(0, 2, busy.shape)
    # Little's law: requests under way are their rate times the time that each takes.
    under_way = requests / mesh.step_s * latency
    values[:, :, IN_FLIGHT] = under_way * np.exp(generator.normal(0, 0.1, busy.shape))
    return values


def with_holes(
    mesh: Mesh, generator: np.random.Generator, values: np.ndarray, fault: Fault | None
) -> np.ndarray:
    """Missing values, services that never show a latency, and what the fault does to metrics."""
    values[mesh.hidden_latency, :, LATENCY : P95 + 1] = np.nan
    values[generator.random(values.shape) < 0.01] = np.nan
    if fault is not None:
        values[fault.node, :, CPU] += fault.cpu
        if fault.lost:
            values[fault.node] = np.nan
    values[:, :, CPU] = np.clip(values[:, :, CPU], 0.0, 100.0)
    if fault is None or fault.newcomer is None:
        values[-1] = np.nan
    return values


def telemetry_of(
    names: tuple[str, ...],
    recorded: np.ndarray,
    instants: np.ndarray,
    values: np.ndarray,
    features: tuple[int, ...],
) -> Telemetry:
    edges = tuple((int(caller), int(callee)) for caller, callee in np.argwhere(recorded))
    shown = tuple(FEATURES[index] for index in features)
    return Telemetry(Topology(names, edges), instants, shown, values[:, :, list(features)])


def _felt(mesh: Mesh, generator: np.random.Generator) -> int:
    """A service whose trouble the entrance feels: all on the way wait and fail with it."""
    felt = {0}
    for caller in range(len(mesh.names) - 1):
        if caller in felt:
            felt |= set(map(int, np.flatnonzero(mesh.waits[caller] & mesh.fails_with[caller])))
    return int(generator.choice(sorted(felt - {0}) or [0]))


def _slow(mesh: Mesh, generator: np.random.Generator) -> Fault:
    """An incident is what somebody notices: the entrance takes 1.3 to 3 times as long."""
    node = _felt(mesh, generator)
    none = np.zeros((len(mesh.names), 1))
    usual = propagate(mesh, mesh.calls, mesh.own_latency_s[:, None], none[:, 0])[0][0, 0]
    alone = none.copy()
    alone[node] = mesh.own_latency_s[node]
    felt_s = propagate(mesh, mesh.calls, alone, none[:, 0])[0][0, 0]
    return Fault("slow", node, slower=1.0 + generator.uniform(0.3, 2.0) * usual / felt_s)


def _failing(mesh: Mesh, generator: np.random.Generator) -> Fault:
    """The entrance fails 3 to 30 % of its requests, or as much as the service can make it."""
    node = _felt(mesh, generator)
    wanted = generator.uniform(0.03, 0.3)
    for failing in np.geomspace(0.03, 1.0, 30):
        ill = mesh.failing.copy()
        ill[node] = failing
        success = propagate(mesh, mesh.calls, mesh.own_latency_s[:, None], ill)[1]
        if 1.0 - success[0, 0] >= wanted:
            break
    return Fault("failing", node, failing=float(failing))


def _retried(mesh: Mesh, generator: np.random.Generator) -> Fault:
    return replace(_failing(mesh, generator), kind="retried", retries=True)


def _newcomer(mesh: Mesh, generator: np.random.Generator) -> Fault:
    spare = len(mesh.names) - 1
    return replace(_failing(mesh, generator), kind="newcomer", newcomer=spare)


def _dead(mesh: Mesh, generator: np.random.Generator) -> Fault:
    """No call arrives: only the callers see it."""
    return replace(_failing(mesh, generator), kind="dead", failing=1.0, dead=True)


def _aborting(mesh: Mesh, generator: np.random.Generator) -> Fault:
    """It fails before it calls anything: traffic drops behind it."""
    return replace(_failing(mesh, generator), kind="aborting", aborts=True)


def _timing_out(mesh: Mesh, generator: np.random.Generator) -> Fault:
    fault = _failing(mesh, generator)
    usual = propagate(mesh, mesh.calls, mesh.own_latency_s[:, None], mesh.failing)[0][0, 0]
    return replace(fault, kind="timing out", time_out_s=5.0 * float(usual))


def _lost(mesh: Mesh, generator: np.random.Generator) -> Fault:
    return replace(_slow(mesh, generator), kind="lost", lost=True)


def _cpu(mesh: Mesh, generator: np.random.Generator) -> Fault:
    return replace(_slow(mesh, generator), kind="cpu", cpu=generator.uniform(25, 60))


def _surge(mesh: Mesh, generator: np.random.Generator) -> Fault:
    return Fault("surge", 0, surge=generator.uniform(2.0, 4.0))


FAULTS: dict[str, Callable[[Mesh, np.random.Generator], Fault]] = {
    "slow": _slow,
    "failing": _failing,
    "retried": _retried,
    "dead": _dead,
    "aborting": _aborting,
    "timing out": _timing_out,
    "newcomer": _newcomer,
    "lost": _lost,
    "cpu": _cpu,
    "surge": _surge,
}
