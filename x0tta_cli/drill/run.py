"""Run the loop over recorded incidents: train, detect, explain, rank, tell, judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import NotYetKnownError
from x0tta_cli.core.progress import Progress
from x0tta_cli.drill import judge, tell
from x0tta_cli.drill.clock import StageClock
from x0tta_cli.drill.model import (
    DrillResult,
    DrillSummary,
    JudgedIncident,
    Training,
    Verdict,
)
from x0tta_cli.ml.detector import Detector, detect, train
from x0tta_cli.ml.explanation import explain
from x0tta_cli.ml.model import Detection, Ranking
from x0tta_cli.ml.ranking import largest_robust_z, rank
from x0tta_cli.telemetry.library import Library
from x0tta_cli.telemetry.recordings import Incident


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A drill's result with the material it was found in, for who wants to draw it."""

    result: DrillResult
    incident: Incident
    detector: Detector


@dataclass(slots=True)
class Loop:
    """The loop over the incidents of one library.

    A detector is trained once per healthy recording and serves all its incidents.
    """

    library: Library
    seed: int
    false_alarm_rate: float
    progress: Progress
    alert_settings: AlertSettings
    _detectors: dict[str, Detector] = field(default_factory=dict)

    def run(self, identifier: str) -> Finding:
        """Take one incident from telemetry to a judged, delivered explanation.

        Raises the library's errors for an unknown incident or bad data, and `NotYetKnownError`
        where healthy data does not suffice to train on.
        """
        clock = StageClock(self.progress)
        with clock.stage("load"):
            incident = self.library.load(identifier)
        with clock.stage("train"):
            detector = self._detector_for(incident.healthy_identifier)
        with clock.stage("detect"):
            detected = detect(detector, incident.telemetry)
        with clock.stage("explain"):
            explanations = tuple(
                explain(detector, incident.telemetry, detection.node) for detection in detected
            )
        with clock.stage("rank"):
            ranking = rank(detector, incident.telemetry, incident.symptom)
        with clock.stage("tell"):
            gaps = what_is_not_known(incident, detected)
            notice = tell.notice_about(incident, ranking, detected, gaps)
            alert = tell.rehearse(notice, self.alert_settings) if detected else None
        with clock.stage("judge"):
            order = [suspect.node for suspect in ranking.suspects]
            truth, truth_rank = judge.best_ranked(incident.truths, order)
            verdict = judge.verdict_on(truth, truth_rank, enough=ranking.enough)
        result = DrillResult(
            incident=incident.identifier,
            symptom=tell.symptom_in_words(incident.symptom),
            truth=truth,
            truth_rank=truth_rank,
            verdict=verdict,
            reason=_reason(ranking, truth),
            ranking=ranking.suspects,
            detected=detected,
            explanations=explanations,
            not_known=gaps,
            training=_training(detector, self.seed),
            alert=alert,
            stages=tuple(clock.stages),
        )
        return Finding(result, incident, detector)

    def run_all(self, top_3_floor: float) -> DrillSummary:
        """Run every incident; compare the rankings with the truths and with two baselines.

        Raises `NotYetKnownError` when no incident has a recorded truth to compare with.
        """
        references = self.library.incidents()
        findings, by_deviation = [], []
        for done, reference in enumerate(references):
            self.progress.update(done / len(references), reference.identifier)
            finding = self.run(reference.identifier)
            findings.append(finding.result)
            order = largest_robust_z(
                finding.detector, finding.incident.telemetry, finding.incident.symptom
            )
            by_deviation.append(judge.best_ranked(finding.incident.truths, order)[1])
        known = [number for number, result in enumerate(findings) if result.truth is not None]
        if not known:
            raise NotYetKnownError(
                "drill.no_truth",
                f"No incident in {self.library.root} says what its root cause was.",
                reason="Accuracy is a comparison with recorded root causes.",
                fix='Give each target.json a "root_cause", or run incidents one by one.',
            )
        return self._summary(findings, by_deviation, known, top_3_floor)

    def _summary(
        self,
        findings: Sequence[DrillResult],
        by_deviation: Sequence[int | None],
        known: Sequence[int],
        top_3_floor: float,
    ) -> DrillSummary:
        """Sum up all results; `known` are the places of those with a recorded truth."""
        own = judge.accuracy([_counted_rank(findings[number]) for number in known])
        truths = [str(findings[number].truth) for number in known]
        judged = tuple(map(_judged, findings))
        return DrillSummary(
            verdict=Verdict.HIT if own.top_3 >= top_3_floor else Verdict.MISS,
            top_1=own.top_1,
            top_3=own.top_3,
            avg_5=own.avg_5,
            mrr=own.mrr,
            intervals=own.intervals,
            baselines={
                "largest_robust_z": judge.accuracy([by_deviation[number] for number in known]),
                "frequency_order": judge.accuracy(judge.frequency_ranks(truths)),
            },
            top_3_floor=top_3_floor,
            judged_incidents=len(known),
            distinct_causes=len(set(truths)),
            incidents=judged,
            training={
                name: _training(detector, self.seed) for name, detector in self._detectors.items()
            },
            duration_ms=sum(incident.duration_ms for incident in judged),
        )

    def _detector_for(self, recording: str) -> Detector:
        if recording not in self._detectors:
            self._detectors[recording] = train(
                self.library.healthy(recording),
                seed=self.seed,
                false_alarm_rate=self.false_alarm_rate,
                progress=self.progress,
            )
        return self._detectors[recording]


def what_is_not_known(incident: Incident, detected: Sequence[Detection]) -> tuple[str, ...]:
    """Say what the recording of an incident does not tell: absence of data is not evidence."""
    newcomers = [detection.node for detection in detected if detection.unseen]
    return (
        *_list_of("not measured in this incident", incident.missing_nodes),
        *_list_of("what is usual for a component that healthy time never saw", newcomers),
        *_list_of("metrics missing in this incident", incident.missing_features),
        *_list_of("metrics that healthy time does not have, not used", incident.unknown_features),
    )


def _list_of(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what}: {', '.join(names)}"] if names else []


def _reason(ranking: Ranking, truth: str | None) -> str:
    if not ranking.enough:
        return ranking.reason
    return "" if truth else "the recording does not say what the root cause was"


def _training(detector: Detector, seed: int) -> Training:
    calibration = detector.calibration
    return Training(
        seed=seed,
        stated_false_alarm_rate=calibration.stated_rate,
        measured_false_alarm_rate=calibration.measured_rate,
        measured_interval=calibration.measured_interval,
        measured_samples=calibration.measured_samples,
        threshold=calibration.threshold,
    )


def _counted_rank(result: DrillResult) -> int | None:
    """Count a ranking without enough evidence as a miss, not as an incident less."""
    return None if result.verdict is Verdict.INCONCLUSIVE else result.truth_rank


def _judged(result: DrillResult) -> JudgedIncident:
    return JudgedIncident(
        incident=result.incident,
        truth=result.truth,
        first=result.ranking[0].node if result.ranking else None,
        truth_rank=result.truth_rank,
        verdict=result.verdict,
        duration_ms=round(sum(stage.duration_ms for stage in result.stages), 3),
    )
