"""Tell people: one alert with its explanation, delivered, seen where it went, and resolved.

It goes to the Alertmanagers that the section `[alert]` names, and where there are none to a
receiver of its own on loopback; either way through the library of alerts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.channels.alertmanager import AlertmanagerPeers
from x0tta_cli.alert.direct import DirectNotifier
from x0tta_cli.alert.settings import AlertmanagerChannel, AlertSettings
from x0tta_cli.core import journal
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Delivery, Explanation, Notice, Severity
from x0tta_cli.core.times import format_instant
from x0tta_cli.drill.model import DeliveredAlert
from x0tta_cli.drill.receiver import running_receiver
from x0tta_cli.ml.model import Detection, Evidence, Ranking
from x0tta_cli.telemetry.recordings import Incident
from x0tta_cli.telemetry.target import Symptom

LOOPBACK = "loopback"
TIMEOUT_S = 10.0
SUSPECTS_TOLD = 3


def rehearse(notice: Notice, settings: AlertSettings) -> DeliveredAlert:
    """Fire and resolve the notice, journaled step by step.

    Raises UnavailableError `alert.not_delivered` when a receiver does not show what it took.
    """
    channels = tuple(_alertmanagers(settings))
    with journal.operation("drill.tell", _plan_of(notice, channels)) as operation:
        told = _fire_and_resolve(operation, notice, settings)
    return DeliveredAlert(
        key=notice.key(),
        name=notice.name,
        receiver=str(told.get("receiver", LOOPBACK)),
        state=f"{told['state']}, then resolved",
        labels=wire.legal_labels(notice),
        annotations=dict(notice.annotations),
    )


def resume(operation: journal.Operation, settings: AlertSettings) -> None:
    """Go on with a rehearsal that was interrupted, where it had begun; raises as `rehearse`.

    Raises ConfigurationError `alert.unknown_channel` where its channel is not configured any more.
    """
    _fire_and_resolve(operation, _notice_of(operation.plan), settings)


def leftovers(
    record: journal.OperationRecord, settings: AlertSettings
) -> Iterator[journal.Leftover]:
    """Find the alert where it still fires; a receiver on loopback ended with its process.

    Raises UnavailableError where an Alertmanager can't be asked, and as `resume`.
    """
    notice = _notice_of(record.plan)
    labels = wire.legal_labels(notice)
    for channel in _meant(record.plan, settings):
        with closing(channel):
            firing = [
                peer
                for peer in channel.peers()
                if any(
                    alert.labels == labels
                    for alert in channel.peer(peer).alerts(wire.matchers_for([labels]))
                )
            ]
        if firing:
            yield journal.Leftover(
                "alert",
                f"{notice.name} at {', '.join(firing)}",
                partial(_resolve, notice, channel.name, settings),
            )


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


def _fire_and_resolve(
    operation: journal.Operation, notice: Notice, settings: AlertSettings
) -> Mapping[str, Any]:
    """Take the steps that are not done; gives where and in which state the firing alert was seen.

    Both bear being repeated: Alertmanager merges alerts of equal labels.
    """
    with _channels(operation.plan, settings) as channels:
        notifier = DirectNotifier({channel.name: channel for channel in channels})
        is_own = not operation.plan.get("channels")

        def told(delivery: Delivery) -> dict[str, object]:
            receiver = LOOPBACK if is_own else delivery.peer
            return {"state": delivery.state, "receiver": receiver}

        fired = operation.once("fire", lambda: told(notifier.deliver(notice)))
        operation.once("resolve", lambda: told(notifier.resolve(notice)))
    return fired


def _resolve(notice: Notice, channel: str, settings: AlertSettings) -> None:
    with closing(_open(channel, settings)) as opened:
        DirectNotifier({channel: opened}).resolve(notice)


@contextmanager
def _channels(
    plan: Mapping[str, Any], settings: AlertSettings
) -> Iterator[Sequence[AlertmanagerPeers]]:
    """Open the channels that a plan names, or a receiver on loopback where it names none."""
    with ExitStack() as stack:
        channels = _meant(plan, settings)
        if not channels:
            url = stack.enter_context(running_receiver()).base_url
            own = AlertmanagerChannel(kind="alertmanager", urls=(url,))
            channels = [AlertmanagerPeers(LOOPBACK, own, TIMEOUT_S)]
        for channel in channels:
            stack.enter_context(closing(channel))
        yield channels


def _meant(plan: Mapping[str, Any], settings: AlertSettings) -> list[AlertmanagerPeers]:
    return [_open(name, settings) for name in plan.get("channels", ())]


def _open(name: str, settings: AlertSettings) -> AlertmanagerPeers:
    channels = _alertmanagers(settings)
    if name not in channels:
        raise ConfigurationError(
            "alert.unknown_channel",
            f"There is no channel '{name}' of the kind alertmanager.",
            reason="The operation has begun to tell it, and only there it can be ended.",
            fix=f"Configure [alert.channels.{name}] again.",
            context={"channel": name},
        )
    return AlertmanagerPeers(name, channels[name], TIMEOUT_S)


def _alertmanagers(settings: AlertSettings) -> dict[str, AlertmanagerChannel]:
    return {
        name: channel
        for name, channel in settings.channels.items()
        if isinstance(channel, AlertmanagerChannel)
    }


def _plan_of(notice: Notice, channels: Sequence[str]) -> dict[str, object]:
    return {
        "key": notice.key(),
        "name": notice.name,
        "severity": notice.severity.value,
        "labels": dict(notice.labels),
        "annotations": dict(notice.annotations),
        "starts_at": format_instant(notice.starts_at),
        "channels": list(channels),
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
