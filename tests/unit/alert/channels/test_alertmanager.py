"""The channel `alertmanager` over real sockets, where a real server can't be made to be so."""

from __future__ import annotations

import re
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest
from fakes.http_server import Answer, Request, json_answer, serving

from x0tta_cli.alert.channels.alertmanager import AlertmanagerPeers
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import AlertmanagerChannel
from x0tta_cli.core.errors import NotPermittedError, UnavailableError
from x0tta_cli.core.listener.handler import Handler
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.times import parse_duration
from x0tta_cli.drill import receiver as loopback


def message(name="HighLatency"):
    starts_at = datetime.now(UTC) - timedelta(minutes=1)
    return Message(1, "k", Action.FIRE, Notice(name, Severity.WARNING, {"a": "b"}, starts_at))


def channel(url, **settings):
    made = {"kind": "alertmanager", "urls": (url,), **settings}
    return closing(AlertmanagerPeers("am", AlertmanagerChannel.model_validate(made), 5.0))


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_that_is_wrong_is_corrected_and_told(monkeypatch, minutes):
    ahead_s = minutes * 60
    monkeypatch.setattr(
        Handler,
        "date_time_string",
        lambda _self, _timestamp=None: formatdate(time.time() - ahead_s, usegmt=True),
    )
    with loopback.running_receiver() as receiver, channel(receiver.base_url) as am:
        sent = message()
        [outcome] = am.deliver(receiver.base_url, [sent], {})
        [alert] = receiver.active()
    expected = sent.notice.starts_at - timedelta(minutes=minutes)
    assert abs(alert.starts_at - expected) < timedelta(seconds=3)
    direction = "ahead of" if minutes > 0 else "behind"
    # The server's clock has whole seconds, and a busy machine takes one or two to answer.
    told = re.search(rf"this clock is (\S+) {direction}", outcome.warning)
    assert told is not None
    assert abs(parse_duration(told[1]) - timedelta(minutes=10)) <= timedelta(seconds=3)
    assert outcome.state is DeliveryState.VISIBLE


def test_a_200_without_the_alert_is_not_delivered():
    def answer(request: Request) -> Answer:
        if request.path == "/api/v2/status":
            return json_answer(200, {})
        return json_answer(200, [])

    with serving(answer) as url, channel(url) as am:
        [outcome] = am.deliver(url, [message()], {})
    assert outcome.state is DeliveryState.QUEUED
    assert "does not list it" in outcome.detail


@pytest.mark.parametrize(("status", "error"), [(401, NotPermittedError), (503, UnavailableError)])
def test_who_is_not_let_in_or_has_to_wait_tries_again(status, error):
    with serving(lambda _: Answer(status, b"words")) as url, channel(url) as am:
        with pytest.raises(error) as caught:
            am.deliver(url, [message()], {})
        assert caught.value.retryable
        assert "words" in caught.value.reason


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"username": "ops", "password": "hunter2-x"}, "Basic b3BzOmh1bnRlcjIteA=="),
        ({"token": "t0ken-t0ken"}, "Bearer t0ken-t0ken"),
    ],
)
def test_every_request_says_who_we_are(settings, expected):
    seen = []

    def answer(request: Request) -> Answer:
        seen.append(request.headers.get("authorization"))
        return Answer(503)

    with serving(answer) as url, channel(url, **settings) as am:
        with pytest.raises(UnavailableError):
            am.deliver(url, [message()], {})
        with pytest.raises(UnavailableError):
            am.reach(url)
    assert set(seen) == {expected}


def test_something_else_than_an_alertmanager_is_said_to_be_so():
    with serving(lambda _: json_answer(200, [{"labels": 7}])) as url, channel(url) as am:
        with pytest.raises(UnavailableError) as caught:
            am.peer(url).alerts()
        assert caught.value.code == "alert.not_an_alertmanager"
