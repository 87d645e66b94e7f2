"""What each shipped rule has to say in seven situations, for `promtool test rules` to play.

A sample a minute. A situation is its series, and how many alerts of the rule fire at which minutes.
What Prometheus sees of a process that ends is a stale marker, and then nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

SEVEN = (
    "fires",
    "does not fire",
    "series absent",
    "born at its first value after a restart",
    "counter reset",
    "no traffic",
    "window against the event's period",
)
NODE = 'job="mesh",instance="n1"'
LINK = f'{NODE},interface="mesh0",neighbour="n2"'
HEART = 'job="node",instance="n1",name="backup"'
GONE = "gone"


@dataclass(frozen=True)
class Situation:
    """`fires` is minute: number of alerts that fire then; `change` what is configured."""

    series: Mapping[str, str]
    fires: Mapping[int, int]
    change: Mapping[str, object] = field(default_factory=dict)


def counter(*phases: tuple[int, float | str | None]) -> str:
    """A counter by phases of (minutes, growth a minute).

    GONE in place of the growth is a process that is down; None one that runs and has not counted
    anything yet, so that there is no series. After either it begins anew.
    """
    values: list[str] = []
    total = 0.0
    for minutes, growth in phases:
        if growth is None or growth == GONE:
            total = 0.0
            values += (["stale"] if values else ["_"]) + ["_"] * (minutes - 1)
            continue
        for _ in range(minutes):
            total += float(growth)
            values.append(f"{total:g}")
    return " ".join(values)


def gauge(*phases: tuple[int, float | str]) -> str:
    """A gauge by phases of (minutes, value)."""
    values: list[str] = []
    for minutes, value in phases:
        if value == GONE:
            values += (["stale"] if values else ["_"]) + ["_"] * (minutes - 1)
        else:
            values += [value if isinstance(value, str) else f"{value:g}"] * minutes
    return " ".join(values)


def never(minutes: Iterable[int]) -> dict[int, int]:
    return dict.fromkeys(minutes, 0)


def events(metric: str, window: int, period: int, more_than: int = 0) -> dict[str, Situation]:
    """A rule that counts events: more than so many within its window (minutes)."""
    name, many = f"{metric}{{{NODE}}}", more_than + 1
    return {
        # Extrapolation makes 6 out of 5 where the event is at the window's edge: not asked there.
        "fires": Situation(
            {name: counter((10, 0), (1, many), (120, 0))}, {9: 0, 12: 1, 11 + window: 0}
        ),
        "does not fire": Situation(
            {name: counter((10, 0), (1, more_than), (120, 0))}, never((9, 15, 40))
        ),
        "series absent": Situation({f"other{{{NODE}}}": gauge((60, 1))}, never((9, 40))),
        "born at its first value after a restart": Situation(
            {name: counter((5, None), (1, many), (120, 0))}, {4: 0, 5: 1, 8: 1, 6 + window: 0}
        ),
        "counter reset": Situation(
            {name: counter((1, 40), (window, 0), (2, GONE), (60, 0))},
            never(range(window, window + 60, 4)),
        ),
        "no traffic": Situation({name: counter((90, 0))}, never((9, 40))),
        "window against the event's period": Situation(
            {name: counter((10, 0), *[(1, many), (period - 1, 0)] * 6)},
            dict.fromkeys(range(12, 10 + 6 * period, max(1, period // 3)), 1),
        ),
    }


def ebpf() -> dict[str, Situation]:
    unit = (
        'node_systemd_unit_state{job="node",instance="n1",name="x0tta-ebpf-keep.service",'
        'state="failed"}'
    )
    return events("x0tta_ebpf_load_failures_total", 15, 10) | {
        "a unit that has failed": Situation({unit: gauge((5, 0), (20, 1))}, {4: 0, 6: 1}),
    }


def errors(percent: float, window: int, after: int) -> dict[str, Situation]:
    """1,000 requests a minute, and failures just above or below the threshold."""
    good, bad = (f'http_requests_total{{job="cart",code="{code}"}}' for code in (200, 500))
    above, below = percent * 13, percent * 7
    done = window + after + 1
    return {
        "fires": Situation(
            {
                good: counter((90, 1000)),
                bad: counter((10, 0), (20, above), (60, 0)),
            },
            {9 + after: 0, 10 + done: 1, 31 + window: 0},
        ),
        "does not fire": Situation(
            {good: counter((60, 1000)), bad: counter((60, below))}, never((done, 40))
        ),
        "series absent": Situation({good: counter((60, 1000))}, never((done, 40))),
        "born at its first value after a restart": Situation(
            {
                good: counter((10, 1000), (3, GONE), (40, 1000)),
                bad: counter((10, None), (3, GONE), (40, above)),
            },
            {9: 0, 14 + done: 1},
        ),
        "counter reset": Situation(
            {
                good: counter((20, 1000), (2, GONE), (30, 1000)),
                bad: counter((20, below), (2, GONE), (30, below)),
            },
            never(range(done, 50)),
        ),
        "no traffic": Situation({good: gauge((60, 70)), bad: gauge((60, 70))}, never((done, 40))),
        "too little traffic": Situation(
            {good: counter((60, 3)), bad: counter((60, 3))}, never((done, 40))
        ),
        # Bursts that are shorter than the rule waits, each forgotten before the next.
        "window against the event's period": Situation(
            {
                good: counter((90, 1000)),
                bad: counter((5, 0), *[(1, 12 * percent), (14, 0)] * 5),
            },
            never(range(80)),
        ),
    }


def latency(limit_ms: int, window: int, after: int) -> dict[str, Situation]:
    """1,000 requests a minute; a share of them is beyond the limit."""
    bounds = ("0.1", "0.15", "0.2", "0.4", "+Inf")

    def histogram(*phases: tuple[int, tuple[float, float] | str]) -> dict[str, str]:
        """Phases of (minutes, (requests a minute, share of slow ones))."""

        def growth(bound: str, traffic: tuple[float, float] | str) -> float | str:
            if isinstance(traffic, str):
                return traffic
            requests, slow = traffic
            is_fast = bound != "+Inf" and float(bound) * 1000 <= limit_ms
            return requests * (1 - slow) if is_fast else requests

        series = {
            f'http_request_duration_seconds_bucket{{job="cart",le="{bound}"}}': counter(
                *[(minutes, growth(bound, traffic)) for minutes, traffic in phases]
            )
            for bound in bounds
        }
        name = 'http_request_duration_seconds_count{job="cart"}'
        return series | {
            name: counter(*[(minutes, growth("+Inf", traffic)) for minutes, traffic in phases])
        }

    fast, slow, done = (1000.0, 0.01), (1000.0, 0.3), window + after + 1
    return {
        "fires": Situation(
            histogram((10, fast), (20, slow), (60, fast)),
            {9 + after: 0, 10 + done: 1, 31 + window: 0},
        ),
        "does not fire": Situation(histogram((60, fast)), never((done, 40))),
        "series absent": Situation({'other{job="cart"}': gauge((60, 1))}, never((done, 40))),
        "born at its first value after a restart": Situation(
            histogram((10, GONE), (40, slow)), {9: 0, 10 + done: 1}
        ),
        "counter reset": Situation(
            histogram((20, fast), (2, GONE), (30, fast)), never(range(done, 50))
        ),
        "no traffic": Situation(
            dict.fromkeys(histogram((1, fast)), gauge((60, 70))), never((done, 40))
        ),
        "too little traffic": Situation(histogram((60, (10.0, 0.9))), never((done, 40))),
        "window against the event's period": Situation(
            histogram((10, fast), (1, slow), (60, fast)),
            never(range(60)),
        ),
    }


def packet_loss() -> dict[str, Situation]:
    sent, arrived = (
        f'x0tta_ebpf_neighbour_{word}_packets_total{{{LINK},program="count",mode="native"}}'
        for word in ("expected", "received")
    )
    return {
        "fires": Situation(
            {sent: counter((70, 100)), arrived: counter((10, 100), (20, 90), (40, 100))},
            {14: 0, 24: 1, 40: 0},
        ),
        "does not fire": Situation(
            {sent: counter((60, 100)), arrived: counter((60, 96))}, never((15, 40))
        ),
        "series absent": Situation({sent: counter((60, 100))}, never((15, 40))),
        "born at its first value after a restart": Situation(
            {
                sent: counter((10, None), (40, 100)),
                arrived: counter((10, None), (40, 90)),
            },
            {9: 0, 25: 1},
        ),
        "counter reset": Situation(
            {
                sent: counter((20, 100), (2, GONE), (30, 100)),
                arrived: counter((20, 99), (2, GONE), (30, 99)),
            },
            never(range(10, 50)),
        ),
        "no traffic": Situation({sent: gauge((60, 9)), arrived: gauge((60, 9))}, never((15, 40))),
        "too little traffic": Situation(
            {sent: counter((60, 3)), arrived: counter((60, 1))}, never((15, 40))
        ),
        "window against the event's period": Situation(
            {sent: counter((90, 100)), arrived: counter(*[(13, 100), (1, 60)] * 6)},
            never(range(80)),
        ),
    }


def svid_expiring() -> dict[str, Situation]:
    name = f"x0tta_spiffe_svid_expires_timestamp_seconds{{{NODE}}}"
    return {
        "fires": Situation({name: gauge((30, 1800), (30, 7200))}, {20: 0, 23: 1, 29: 1, 31: 0}),
        "does not fire": Situation({name: gauge((60, 7200))}, never(range(0, 60, 5))),
        "series absent": Situation({f"other{{{NODE}}}": gauge((60, 1))}, never((5, 40))),
        "born at its first value after a restart": Situation(
            {name: gauge((10, GONE), (40, 900))}, {9: 0, 12: 1}
        ),
        "counter reset": Situation(
            {name: gauge((10, 3000), (2, GONE), (30, 3600))}, never(range(40))
        ),
        "no traffic": Situation({name: gauge((60, "NaN"))}, never((5, 40))),
        # Renewed at half of its life of an hour, again and again.
        "window against the event's period": Situation(
            {name: gauge(*[(30, 3600 + n * 1800) for n in range(4)])}, never(range(0, 120, 5))
        ),
    }


def fallback() -> dict[str, Situation]:
    name = f"x0tta_mesh_post_quantum_fallback{{{NODE}}}"
    return {
        "fires": Situation({name: gauge((5, 0), (3, 1), (30, 0))}, {4: 0, 5: 1, 9: 1, 14: 0}),
        "does not fire": Situation({name: gauge((60, 0))}, never((5, 40))),
        "series absent": Situation({f"other{{{NODE}}}": gauge((60, 1))}, never((5, 40))),
        "born at its first value after a restart": Situation(
            {name: gauge((10, GONE), (3, 1), (30, 0))}, {9: 0, 10: 1, 20: 0}
        ),
        "counter reset": Situation({name: gauge((5, 1), (2, GONE), (30, 0))}, {3: 1, 12: 0, 30: 0}),
        "no traffic": Situation({name: gauge((60, "NaN"))}, never((5, 40))),
        "window against the event's period": Situation(
            {name: gauge(*[(1, 1), (3, 0)] * 10)}, dict.fromkeys(range(1, 38), 1)
        ),
    }


def node_offline() -> dict[str, Situation]:
    name = f"up{{{NODE}}}"
    return {
        "fires": Situation({name: gauge((5, 1), (10, 0), (10, 1))}, {6: 0, 7: 1, 14: 1, 16: 0}),
        "does not fire": Situation({name: gauge((60, 1))}, never((5, 40))),
        # Nobody misses what never was; what was there and is not listed any more is missed.
        "series absent": Situation({'up{job="cart"}': gauge((60, 0))}, never((5, 40))),
        "not listed any more": Situation(
            {name: gauge((10, 1), (90, GONE))}, {9: 0, 11: 0, 13: 1, 60: 1, 75: 0}
        ),
        "born at its first value after a restart": Situation(
            {name: gauge((10, GONE), (10, 0))}, {9: 0, 11: 0, 12: 1}
        ),
        "counter reset": Situation({name: gauge((10, 1), (1, GONE), (30, 1))}, never(range(40))),
        "no traffic": Situation({name: gauge((60, "NaN"))}, never((5, 40))),
        # Every third scrape fails: it answers, if badly.
        "window against the event's period": Situation(
            {name: gauge(*[(2, 1), (1, 0)] * 20)}, never(range(60))
        ),
    }


def cpu() -> dict[str, Situation]:
    names = [
        f'node_cpu_seconds_total{{job="node",instance="n1",cpu="{n}",mode="idle"}}' for n in (0, 1)
    ]

    def both(*phases: tuple[int, float | str | None]) -> dict[str, str]:
        return dict.fromkeys(names, counter(*phases))

    return {
        "fires": Situation(both((10, 30), (30, 3), (30, 30)), {19: 0, 27: 1, 47: 0}),
        "does not fire": Situation(both((60, 12)), never((20, 50))),
        "series absent": Situation({"other": gauge((60, 1))}, never((20, 50))),
        "born at its first value after a restart": Situation(
            both((10, GONE), (40, 3)), {9: 0, 24: 1}
        ),
        "counter reset": Situation(both((20, 12), (2, GONE), (30, 12)), never(range(50))),
        # No idle second at all is the very thing that it is for.
        "no traffic": Situation(both((60, 0)), {5: 0, 20: 1}),
        "window against the event's period": Situation(
            both(*[(4, 0), (6, 40)] * 6), never(range(60))
        ),
    }


def memory() -> dict[str, Situation]:
    free, total = (
        f'node_memory_{word}_bytes{{job="node",instance="n1"}}'
        for word in ("MemAvailable", "MemTotal")
    )

    def used(*phases: tuple[int, float | str], total_bytes: float = 100) -> dict[str, str]:
        minutes = sum(minutes for minutes, _ in phases)
        return {
            free: gauge(*[(m, v if isinstance(v, str) else 100 - v) for m, v in phases]),
            total: gauge((minutes, total_bytes)),
        }

    return {
        "fires": Situation(used((10, 50), (20, 90), (20, 50)), {14: 0, 16: 1, 31: 0}),
        "does not fire": Situation(used((60, 84)), never((20, 50))),
        "series absent": Situation({total: gauge((60, 100))}, never((20, 50))),
        "born at its first value after a restart": Situation(
            used((10, GONE), (20, 90)), {9: 0, 16: 1}
        ),
        "counter reset": Situation(used((10, 80), (2, GONE), (30, 10)), never(range(40))),
        "no traffic": Situation({free: gauge((60, 0)), total: gauge((60, 0))}, never((20, 50))),
        "window against the event's period": Situation(
            used(*[(4, 95), (6, 40)] * 6), never(range(60))
        ),
    }


def heartbeat() -> dict[str, Situation]:
    name = f"x0tta_heartbeat_timestamp_seconds{{{HEART}}}"
    interval = f"x0tta_heartbeat_interval_seconds{{{HEART}}}"
    ten = {interval: gauge((200, 600))}
    beating = gauge(*[(10, 600 * n) for n in range(12)])
    return {
        # The last at minute 20, for ten minutes: late at 35, told at 40.
        "fires": Situation(
            ten | {name: gauge((10, 0), (10, 600), (30, 1200), (30, 3000))},
            {38: 0, 42: 1, 49: 1, 51: 0},
        ),
        "does not fire": Situation(ten | {name: beating}, never(range(0, 118, 3))),
        "series absent": Situation({"other": gauge((60, 1))}, never((20, 50))),
        "gone with its machine": Situation(
            {name: gauge((10, 0), (60, GONE)), interval: gauge((10, 600), (60, GONE))},
            {9: 0, 13: 0, 17: 1, 60: 1},
        ),
        "an interval that it does not tell": Situation(
            {name: gauge((90, 0))}, {20: 0, 80: 1}, {"heartbeat_every": "40m"}
        ),
        "its clock is ahead": Situation(ten | {name: gauge((60, 7200))}, {3: 0, 7: 1, 50: 1}),
        "a label that differs from run to run": Situation(
            ten
            | {
                f'x0tta_heartbeat_timestamp_seconds{{{HEART},head="{n}"}}': gauge(
                    *([(10 * n, GONE)] if n else []), (10, 600 * n), (10, GONE)
                )
                for n in range(6)
            },
            never(range(58)),
        ),
        "born at its first value after a restart": Situation(
            ten | {name: gauge((30, GONE), (60, 0))}, {29: 0, 36: 1}
        ),
        "counter reset": Situation(
            ten | {name: gauge((10, 0), (2, GONE), (10, 720), (10, 1320))}, never(range(31))
        ),
        "no traffic": Situation(ten | {name: gauge((60, "NaN"))}, never((20, 50))),
        "window against the event's period": Situation(
            ten | {name: gauge(*[(14, 840 * n) for n in range(8)])}, never(range(110))
        ),
    }


def watchdog() -> dict[str, Situation]:
    """It fires whatever there is, or is not: only then its absence says something."""
    return {
        name: Situation({"other": gauge((30, 1))}, {0: 1, 20: 1})
        for name in SEVEN
        if name != "does not fire"
    } | {"does not fire": Situation({}, {5: 0}, {"enabled": False})}


SITUATIONS: Mapping[str, Callable[[], dict[str, Situation]]] = {
    "SvidRenewalFailed": lambda: events("x0tta_spiffe_svid_renewal_failures_total", 45, 30),
    "SvidExpiringSoon": svid_expiring,
    "PostQuantumFallback": fallback,
    "EbpfLoadFailed": ebpf,
    "MeshNodeOffline": node_offline,
    "HandshakeFailures": lambda: events("x0tta_mesh_handshake_failures_total", 10, 1, 5),
    "AuthenticationFailures": lambda: events("x0tta_mesh_authentication_failures_total", 10, 1, 10),
    "RecoveryFailed": lambda: events("x0tta_mesh_recovery_failures_total", 30, 10),
    "PacketLoss": packet_loss,
    "ErrorRate": lambda: errors(1, 5, 5),
    "ErrorRateCritical": lambda: errors(5, 2, 2),
    "LatencyP95": lambda: latency(150, 5, 5),
    "LatencyP95Critical": lambda: latency(200, 2, 2),
    "CpuBusy": cpu,
    "MemoryFull": memory,
    "HeartbeatOld": heartbeat,
    "Watchdog": watchdog,
}
