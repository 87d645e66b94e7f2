"""The channel `webhook` against a receiver that checks signatures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fakes.http_server import Answer
from fakes.webhook import running_webhook

from x0tta_cli.alert.channels.protocol import open_channel
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import WebhookChannel
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.core.notices import Notice, Severity

NOTICE = Notice(
    "MeshNodeOffline",
    Severity.CRITICAL,
    {"node": "n\u202e7"},
    datetime(2026, 11, 25, 3, tzinfo=UTC),
    {"summary": "gone\x1b[31m"},
)


def message(number=1, action=Action.FIRE):
    return Message(number, NOTICE.key(), action, NOTICE)


@pytest.fixture
def receiver():
    with running_webhook("a-shared-secret") as running:
        yield running


def deliver(receiver, sent, secret="a-shared-secret"):
    settings = WebhookChannel(kind="webhook", url=receiver.url, secret=secret)
    channel = open_channel("hook", settings, 2.0)
    try:
        (outcome,) = channel.deliver(channel.peers()[0], [sent], {})
    finally:
        channel.close()
    return outcome


def test_a_signed_message_is_taken_and_a_repeated_one_counts_once(receiver):
    for _ in range(2):
        assert deliver(receiver, message()).state is DeliveryState.ACKNOWLEDGED
    (taken,) = receiver.taken.values()
    assert (taken["key"], taken["action"]) == (NOTICE.key(), "fire")
    assert taken["labels"] == {"node": "n\\u202e7"}
    assert taken["annotations"] == {"summary": "gone\\x1b[31m"}


def test_opening_and_end_are_two_messages_without_an_outbox_too(receiver):
    for action in (Action.FIRE, Action.RESOLVE):
        for _ in range(2):
            deliver(receiver, message(number=0, action=action))
    assert [taken["action"] for taken in receiver.taken.values()] == ["fire", "resolve"]


def test_a_wrong_secret_disables_the_channel_and_loses_nothing(receiver):
    outcome = deliver(receiver, message(), secret="another-secret")
    assert (outcome.state, outcome.disables) == (DeliveryState.QUEUED, True)


@pytest.mark.parametrize(
    ("status", "state"),
    [(500, DeliveryState.QUEUED), (429, DeliveryState.QUEUED), (422, DeliveryState.REJECTED)],
)
def test_what_may_pass_is_tried_again_and_what_is_refused_is_not(receiver, status, state):
    receiver.answers.append(Answer(status, b"T0KENINQUERY", {"Retry-After": "7"}))
    outcome = deliver(receiver, message())
    assert outcome.state is state
    assert outcome.retry_after_s == (7.0 if state is DeliveryState.QUEUED else None)
    assert "T0KEN" not in outcome.detail


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_is_not_followed_and_buries_nothing(receiver, status):
    receiver.answers.append(Answer(status, b"", {"Location": "https://elsewhere.example/in"}))
    outcome = deliver(receiver, message())
    assert (outcome.state, outcome.disables) == (DeliveryState.QUEUED, True)
    assert "pointing to https://elsewhere.example/in" in outcome.detail
    assert not receiver.taken


def test_no_error_shows_the_tokens_in_the_url(receiver):
    receiver.answers.append(Answer(cut=True))
    with pytest.raises(UnavailableError) as caught:
        deliver(receiver, message())
    shown = f"{caught.value} {caught.value.reason} {caught.value.problem()}"
    assert "T0KEN" not in shown
