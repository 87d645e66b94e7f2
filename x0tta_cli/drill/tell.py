"""Tell people: one alert with its explanation, delivered over HTTP, seen there, and resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from x0tta_cli.core import journal
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.core.http import Client
from x0tta_cli.core.notices import Delivery, Explanation, Notice, Severity
from x0tta_cli.core.times import format_instant
from x0tta_cli.drill.model import DeliveredAlert
from x0tta_cli.drill.receiver import running_receiver
from x0tta_cli.ml.model import Detection, Evidence, Ranking
from x0tta_cli.telemetry.recordings import Incident
from x0tta_cli.telemetry.target import Symptom

ALERTS_PATH = "/api/v2/alerts"
# An alert that nobody renews ends by itself; a drill resolves it long before.
LASTING = timedelta(hours=1)
SUSPECTS_TOLD = 3


class AlertmanagerNotifier:
    """Delivers notices to one Alertmanager (API v2) and looks for them there afterwards.

    A status of 200 is no proof that an alert exists (one whose end has passed is taken and
    dropped), so every delivery is read back.
    """

    def __init__(self, client: Client, *, base_url: str) -> None:
        self._client = client
        self._base_url = base_url

    def deliver(self, notice: Notice) -> Delivery:
        """Post a firing alert; raises `UnavailableError` when it is not visible afterwards."""
        self._post(notice, ends_at=notice.ends_at or datetime.now(UTC) + LASTING)
        if not self._is_visible(notice):
            raise UnavailableError(
                "alert.not_visible",
                f"The alert {notice.name} was taken by {self._base_url} but is not visible there.",
                reason="The receiver answered 200 and does not list it.",
                fix="Compare the clocks of both machines, then run the command again.",
                retryable=True,
            )
        return Delivery("alertmanager", self._base_url, "visible", 1, "")

    def resolve(self, notice: Notice) -> Delivery:
        """End the alert with all that it was opened with; the newest annotations would win."""
        self._post(notice, ends_at=datetime.now(UTC))
        return Delivery("alertmanager", self._base_url, "acknowledged", 1, "resolved")

    def _post(self, notice: Notice, *, ends_at: datetime) -> None:
        alert = {
            "labels": identifying_labels(notice),
            "annotations": dict(notice.annotations),
            "startsAt": format_instant(notice.starts_at),
            "endsAt": format_instant(ends_at),
            "generatorURL": notice.source_url,
        }
        # Alertmanager merges alerts of equal labels: a repeated post changes nothing.
        response = self._client.request("POST", ALERTS_PATH, json=[alert], idempotent=True)
        if response.status != 200:
            raise UnavailableError(
                "alert.refused",
                f"{self._base_url} refused the alert {notice.name} with status {response.status}.",
                reason=response.text[:300],
                fix="See its log for what it does not take.",
            )

    def _is_visible(self, notice: Notice) -> bool:
        response = self._client.request("GET", ALERTS_PATH)
        listed = response.json() if response.status == 200 else []
        return any(alert.get("labels") == identifying_labels(notice) for alert in listed)


def identifying_labels(notice: Notice) -> dict[str, str]:
    """Give the labels under which Alertmanager knows a notice; it drops empty ones itself."""
    labels = {"alertname": notice.name, "severity": notice.severity.value, **notice.labels}
    return {name: value for name, value in labels.items() if value}


def rehearse(notice: Notice) -> DeliveredAlert:
    """Fire and resolve the notice at a receiver of its own on loopback, journaled step by step.

    Raises `UnavailableError` when the receiver does not show what it took.
    """
    with journal.operation("drill.tell", _plan_of(notice)) as operation:
        state = _fire_and_resolve(operation, notice)
    return DeliveredAlert(
        key=notice.key(),
        name=notice.name,
        receiver="loopback",
        state=f"{state}, then resolved",
        labels=identifying_labels(notice),
        annotations=dict(notice.annotations),
    )


def resume(operation: journal.Operation) -> None:
    """Go on with a rehearsal that was interrupted; raises as `rehearse`."""
    _fire_and_resolve(operation, _notice_of(operation.plan))


def leftovers(_record: journal.OperationRecord) -> Sequence[journal.Leftover]:
    """Find nothing: the receiver on loopback ended with its process, and the alert with it."""
    return ()


def notice_about(
    incident: Incident,
    ranking: Ranking,
    detected: Sequence[Detection],
    not_known: Sequence[str],
) -> Notice:
    """Word what a drill found as one notice that keeps fact, inference and ignorance apart."""
    explanation = explain_ranking(ranking, detected, not_known)
    suspect = ranking.suspects[0].node if ranking.enough else ""
    return Notice(
        name="MeshRootCauseSuspected" if suspect else "MeshAnomalyUnexplained",
        severity=Severity.CRITICAL if suspect else Severity.WARNING,
        labels={"component": suspect, "incident": incident.identifier, "origin": "drill"},
        annotations={
            "summary": f"{symptom_in_words(incident.symptom)}: "
            + (f"{suspect} is the likely root cause" if suspect else "the cause is not known"),
            "observed": "\n".join(explanation.observed),
            "inferred": "\n".join(explanation.inferred),
            "not_known": "\n".join(explanation.unknown),
        },
        starts_at=datetime.now(UTC),
        explanation=explanation,
    )


def symptom_in_words(symptom: Symptom | None) -> str:
    """Say where trouble was noticed: `latency (p95) of frontend`."""
    if symptom is None:
        return "anomaly"
    statistic = f" ({symptom.statistic})" if symptom.statistic else ""
    return f"{symptom.metric or 'trouble'}{statistic} of {symptom.node}"


def explain_ranking(
    ranking: Ranking, detected: Sequence[Detection], not_known: Sequence[str]
) -> Explanation:
    """Sort the evidence of the first suspects by kind and add what the loop inferred itself."""
    told = ranking.suspects[:SUSPECTS_TOLD] if ranking.enough else ()
    inferred = [f"{place}. {s.node}: score {s.score:.2f}" for place, s in enumerate(told, 1)]
    if not ranking.enough:
        inferred.append(f"No ranking: {ranking.reason}")
    inferred.append(f"{len(detected)} components are anomalous")
    pairs = [(suspect.node, evidence) for suspect in told for evidence in suspect.evidence]
    return Explanation(
        observed=_of_kind("observed", pairs),
        inferred=(*inferred, *_of_kind("inferred", pairs)),
        unknown=(*_of_kind("unknown", pairs), *not_known),
    )


def _fire_and_resolve(operation: journal.Operation, notice: Notice) -> str:
    """Take the steps that are not done; gives the state in which the firing alert was seen.

    Both bear being repeated: Alertmanager merges alerts of equal labels.
    """
    with running_receiver() as receiver, Client(receiver.base_url) as client:
        notifier = AlertmanagerNotifier(client, base_url=receiver.base_url)
        fired = operation.once("fire", lambda: {"state": notifier.deliver(notice).state})
        operation.once("resolve", lambda: {"state": notifier.resolve(notice).state})
    return str(fired["state"])


def _plan_of(notice: Notice) -> dict[str, object]:
    return {
        "key": notice.key(),
        "name": notice.name,
        "severity": notice.severity.value,
        "labels": dict(notice.labels),
        "annotations": dict(notice.annotations),
        "starts_at": format_instant(notice.starts_at),
    }


def _notice_of(plan: Mapping[str, Any]) -> Notice:
    return Notice(
        name=plan["name"],
        severity=Severity(plan["severity"]),
        labels=plan["labels"],
        annotations=plan["annotations"],
        starts_at=datetime.fromisoformat(plan["starts_at"]),
    )


def _of_kind(kind: str, pairs: Sequence[tuple[str, Evidence]]) -> tuple[str, ...]:
    return tuple(f"{node}: {item.statement}" for node, item in pairs if item.kind == kind)
