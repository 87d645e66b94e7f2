"""The nouns of a drill: what was found, what it rests on, and how it compares with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from x0tta_cli.core.errors import ExitStatus
from x0tta_cli.ml.model import Attribution, Detection, Suspect


class Verdict(StrEnum):
    """How a ranking compares with the recorded root cause."""

    HIT = "hit"
    MISS = "miss"
    INCONCLUSIVE = "inconclusive"


EXIT_STATUS_OF = {
    Verdict.HIT: ExitStatus.DONE,
    Verdict.MISS: ExitStatus.NO,
    Verdict.INCONCLUSIVE: ExitStatus.NOT_YET_KNOWN,
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One timed part of the loop."""

    name: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Training:
    """How the detector was trained and calibrated; rates are per component and sample."""

    seed: int
    stated_false_alarm_rate: float
    measured_false_alarm_rate: float
    measured_interval: tuple[float, float]
    measured_samples: int
    threshold: float


@dataclass(frozen=True, slots=True)
class DeliveredAlert:
    """The one alert of a drill and what its receiver made of it."""

    key: str
    name: str
    receiver: str
    state: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class DrillResult:
    """One incident, from telemetry to a judged, delivered explanation.

    `truth_rank` counts from 1 and is None where the truth is not recorded or was not ranked;
    `reason` says why a ranking could not be trusted, and is empty where it can.
    """

    incident: str
    symptom: str
    truth: str | None
    truth_rank: int | None
    verdict: Verdict
    reason: str
    ranking: tuple[Suspect, ...]
    detected: tuple[Detection, ...]
    explanations: tuple[Attribution, ...]
    not_known: tuple[str, ...]
    training: Training
    alert: DeliveredAlert | None
    stages: tuple[Stage, ...]

    @property
    def rows(self) -> tuple[Suspect, ...]:
        """What a table or CSV shows: the ranking."""
        return self.ranking

    @property
    def exit_status(self) -> ExitStatus:
        """0 within the first three, 3 not, 10 not enough evidence."""
        return EXIT_STATUS_OF[self.verdict]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Ranking accuracy over a set of incidents.

    `top_1`, `top_3`: share of incidents whose truth is among the first 1, 3. `avg_5`: mean of the
    shares for 1 to 5. `mrr`: mean reciprocal rank, 0 where the truth was not ranked. Intervals are
    95 %: Wilson's score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953) for the shares,
    the percentile bootstrap over incidents (Efron 1979, doi:10.1214/aos/1176344552) for the means.
    """

    top_1: float
    top_3: float
    avg_5: float
    mrr: float
    intervals: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class JudgedIncident:
    """One incident of a summary: what came first, and where the truth came."""

    incident: str
    truth: str | None
    first: str | None
    truth_rank: int | None
    verdict: Verdict
    duration_ms: float


@dataclass(frozen=True, slots=True)
class DrillSummary:
    """All incidents of a library against their truths, beside two plain baselines."""

    verdict: Verdict
    top_1: float
    top_3: float
    avg_5: float
    mrr: float
    intervals: dict[str, tuple[float, float]]
    baselines: dict[str, Accuracy]
    top_3_floor: float
    judged_incidents: int
    distinct_causes: int
    incidents: tuple[JudgedIncident, ...]
    training: dict[str, Training]
    duration_ms: float

    @property
    def rows(self) -> tuple[JudgedIncident, ...]:
        """What a table or CSV shows: a row per incident."""
        return self.incidents

    @property
    def exit_status(self) -> ExitStatus:
        """0 when Top-3 reaches its floor, 3 when not, 10 when nothing could be judged."""
        return EXIT_STATUS_OF[self.verdict]
