"""The nouns of detection and root-cause ranking, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EvidenceKind = Literal["observed", "inferred", "unknown"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often a detector cries wolf; rates are per component and sample.

    `measured_rate` was found on `measured_samples` healthy values that neither training nor the
    choice of `threshold` saw; `measured_interval` is its 95 % interval.
    """

    stated_rate: float
    threshold: float
    measured_rate: float
    measured_interval: tuple[float, float]
    measured_samples: int


@dataclass(frozen=True, slots=True)
class Detection:
    """A component whose score passed the threshold, or that health never saw (`unseen`).

    `score` is its largest, `first_instant` (Unix seconds) the first sample that passed, `samples`
    how many did; of an unseen component, the samples in which it shows anything.
    """

    node: str
    score: float
    threshold: float
    first_instant: float
    samples: int
    unseen: bool


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one input added to a detector score (its SHAP value, in units of the score).

    `source` is "own" or the neighbour whose input it is ("other neighbours" for those beyond a
    dozen), `feature` a feature of its own or a neighbour's quantity with all its statistics, for
    which the one farthest from health stands; `value` and `healthy_value` are in `unit`,
    None where missing; `deviation` is the distance from health in robust standard deviations.
    """

    feature: str
    source: str
    shap: float
    value: float | None
    healthy_value: float | None
    deviation: float | None
    unit: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """A detector score taken apart: `base` plus all SHAP values is `score`, within 1e-3.

    `missing` names the features of the component that were not measured.
    """

    node: str
    base: float
    score: float
    contributions: tuple[Contribution, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a rank: observed (numbers), inferred (by a rule) or unknown (missing data)."""

    kind: EvidenceKind
    statement: str
    feature: str | None = None
    value: float | None = None
    healthy_value: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A component as root cause: a score from 0 to 1 within its ranking, and what speaks for it."""

    node: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Suspects, likeliest first; `enough` says whether the evidence allows to rank at all.

    Where it does not, `reason` says why, and `suspects` may still show what there is.
    """

    suspects: tuple[Suspect, ...]
    enough: bool
    reason: str = ""
