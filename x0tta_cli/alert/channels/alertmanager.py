"""The channel `alertmanager`: every peer of a cluster holds a lease of every open alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from x0tta_cli.alert.alertmanager import wire
from x0tta_cli.alert.alertmanager.api import HARMFUL_SKEW, Alertmanager, words_of
from x0tta_cli.alert.channels.protocol import Outcome, Traits
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import AlertmanagerChannel
from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.core.secrets import redact
from x0tta_cli.core.times import format_duration, format_instant

# One POST of 500 takes 10 ms; what is read back of them stays below a megabyte.
BATCH_SIZE = 500
# What the channel remembers of each alert: the severity it was told with, and its silence.
TOLD_SEVERITY, ACKNOWLEDGEMENT = "severity", "silence"


def open_channel(name: str, settings: AlertmanagerChannel, timeout_s: float) -> AlertmanagerPeers:
    """Make the channel; raises `http.bad_url` (2) and `http.bad_certificate` (9)."""
    return AlertmanagerPeers(name, settings, timeout_s)


class AlertmanagerPeers:
    """Posts to each peer, and reads back there: a status of 200 is no proof that an alert exists.

    A peer does not tell the others of the alerts that it was given, so each gets all of them.
    """

    kind = "alertmanager"
    traits = Traits(batch_size=BATCH_SIZE, renews=True, takes_every_change=True, acknowledges=True)

    def __init__(self, name: str, settings: AlertmanagerChannel, timeout_s: float) -> None:
        self.name = name
        self._peers = {redact(url): Alertmanager(url, settings, timeout_s) for url in settings.urls}

    def peers(self) -> tuple[str, ...]:
        """Name the peers by their URLs."""
        return tuple(self._peers)

    def peer(self, name: str) -> Alertmanager:
        """Give one peer, for what is read or silenced there; raises `alert.unknown_peer` (4)."""
        try:
            return self._peers[name]
        except KeyError:
            raise NotFoundError(
                "alert.unknown_peer",
                f"The channel {self.name} has no peer {name}.",
                reason=f"It has {', '.join(self._peers)}.",
                fix="Name one of them, or correct `urls` of the channel.",
            ) from None

    def close(self) -> None:
        """Close the connections to all peers."""
        for peer in self._peers.values():
            peer.close()

    def reach(self, peer: str) -> str:
        """Ask for its version; raises as `deliver`."""
        status = self.peer(peer).status()
        version = status.get("versionInfo", {}).get("version", "of an unknown version")
        return f"Alertmanager {version}"

    def deliver(
        self,
        peer: str,
        batch: Sequence[Message],
        memory: Mapping[str, str],  # noqa: ARG002 - the protocol's
    ) -> Sequence[Outcome]:
        """Post a batch to one peer and look for its alerts there.

        Raises UnavailableError `alert.unavailable`, `http.unreachable` and `http.timed_out`, and
        NotPermittedError `alert.not_permitted`, each `retryable`.
        """
        server = self.peer(peer)
        outcomes = {
            message.number: _acknowledge(server, message)
            for message in batch
            if message.action is Action.ACKNOWLEDGE
        }
        others = [message for message in batch if message.action is not Action.ACKNOWLEDGE]
        told = self._post(server, others) if others else []
        following = iter(told)
        return [outcomes.get(message.number) or next(following) for message in batch]

    def _post(self, server: Alertmanager, batch: Sequence[Message]) -> list[Outcome]:
        response = server.post(_alerts(batch, server.correction))
        if response.status != 200:
            return [Outcome(DeliveryState.REJECTED, words_of(response))] * len(batch)
        if all(message.action is Action.RENEW for message in batch):
            return [Outcome(DeliveryState.ACCEPTED)] * len(batch)
        for message in batch:
            _end_acknowledgement(server, message)
        return self._read_back(server, batch)

    def _read_back(self, server: Alertmanager, batch: Sequence[Message]) -> list[Outcome]:
        wanted = [wire.legal_labels(message.notice) for message in batch]
        found = {
            _identity(alert.labels): alert for alert in server.alerts(wire.matchers_for(wanted))
        }
        now = datetime.now(UTC)
        return [
            _outcome(message, found.get(_identity(labels)), now, server)
            for message, labels in zip(batch, wanted, strict=True)
        ]


def _acknowledge(server: Alertmanager, message: Message) -> Outcome:
    """Silence exactly this alert for a while: Alertmanager has no other word for it."""
    # Its peers tell each other of silences, and a kill may have come after it was made.
    comment = f"acknowledged: {message.key}"
    made = [
        each.id for each in server.silences() if each.comment == comment and each.state != "expired"
    ]
    now = datetime.now(UTC) - server.correction
    identifier = server.silence(
        {
            **({"id": made[0]} if made else {}),
            "matchers": [
                {"name": name, "value": value, "isRegex": False, "isEqual": True}
                for name, value in wire.legal_labels(message.notice).items()
            ],
            "startsAt": format_instant(now),
            "endsAt": format_instant(now + timedelta(seconds=message.lasting_s)),
            "createdBy": "x0tta",
            "comment": comment,
        }
    )
    return Outcome(
        DeliveryState.ACKNOWLEDGED,
        f"silenced by {identifier}",
        remember={ACKNOWLEDGEMENT: identifier},
    )


def _end_acknowledgement(server: Alertmanager, message: Message) -> None:
    """End the silence with its alert: the next one of the same labels is news again."""
    identifier = message.memory.get(ACKNOWLEDGEMENT, "")
    if identifier and message.action is Action.RESOLVE:
        with suppress(NotFoundError):
            server.expire_silence(identifier)


def _alerts(batch: Sequence[Message], correction: timedelta) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    alerts = []
    for message in batch:
        before = message.memory.get(TOLD_SEVERITY, "")
        if before and before != message.notice.severity.value:
            # Severity is a label there: what was told with another one is another alert.
            over = Message(message.number, message.key, Action.RESOLVE, message.notice)
            alerts.append(wire.alert_of(over, now, correction, severity=before))
        alerts.append(wire.alert_of(message, now, correction))
    return alerts


def _outcome(
    message: Message, found: wire.ListedAlert | None, now: datetime, server: Alertmanager
) -> Outcome:
    warning = _warning(message, server)
    remember = {TOLD_SEVERITY: message.notice.severity.value}
    if wire.has_ended(message, now):
        if found is not None and found.ends_at - now + server.correction > HARMFUL_SKEW:
            return Outcome(DeliveryState.QUEUED, "it is still firing there", warning)
        return Outcome(
            DeliveryState.ACKNOWLEDGED, "resolved", warning, remember={TOLD_SEVERITY: ""}
        )
    if found is None:
        detail = "the server answered 200 and does not list it: compare the clocks"
        return Outcome(DeliveryState.QUEUED, detail, warning)
    return Outcome(DeliveryState.VISIBLE, found.standing(), warning, remember=remember)


def _warning(message: Message, server: Alertmanager) -> str:
    said = []
    if server.correction:
        direction = "ahead of" if server.skew > timedelta() else "behind"
        distance = format_duration(timedelta(seconds=round(abs(server.skew).total_seconds())))
        said.append(
            f"this clock is {distance} {direction} that of {server.url}; "
            "the times in the alert were corrected by it"
        )
    if names := wire.renamed(message.notice):
        said.append(f"label names were made legal for Alertmanager: {', '.join(names)}")
    return "; ".join(said)


def _identity(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))
