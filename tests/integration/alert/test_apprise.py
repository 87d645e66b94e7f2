"""The channel `apprise`, by the library itself, against receivers on loopback."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pytest
from fakes import secrets_used
from fakes.http_server import Answer, Request, serving

from x0tta_cli.alert.channels.protocol import open_channel
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.settings import AlertSettings, AppriseChannel
from x0tta_cli.core import log, secrets
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Notice, Severity

PATH_TOKEN, QUERY_TOKEN = secrets_used.canary("path"), secrets_used.canary("query")
NOTICE = Notice(
    "HighLatency",
    Severity.CRITICAL,
    {"component": "cart<b>"},
    datetime(2026, 11, 25, 3, tzinfo=UTC),
    {"summary": "p95 *is* 812 ms\x1b[2J"},
)


class Service:
    """A service that apprise posts to; `url` as apprise writes it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status, self.base_url = 200, ""

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(self.status, b"no")

    def url(self, scheme: str = "json", more: str = "") -> str:
        address = self.base_url.removeprefix("http://")
        return f"{scheme}://{address}/{PATH_TOKEN}/?+X-Key={QUERY_TOKEN}{more}"


@pytest.fixture
def service():
    service = Service()
    with serving(service.answer) as url:
        service.base_url = url
        yield service


def message(action=Action.FIRE, notice=NOTICE):
    return Message(1, notice.key(), action, notice)


def opened(url):
    return open_channel("chat", AppriseChannel(kind="apprise", url=url), 10.0)


def deliver(url, sent=None):
    channel = opened(url)
    [peer] = channel.peers()
    [outcome] = channel.deliver(peer, [sent or message()], {})
    return outcome


def test_what_a_service_took_is_handed_on_and_no_more_is_said(service):
    outcome = deliver(service.url())
    assert (outcome.state, outcome.detail) == (DeliveryState.HANDED_ON, "json has taken it")
    [request] = service.requests
    assert request.path == f"/{PATH_TOKEN}/"
    posted = request.json()
    assert posted["title"].startswith("[CRITICAL] HighLatency: p95 *is* 812 ms\\x1b[2J")
    assert "component: cart<b>" in posted["message"]
    assert posted["type"] == "failure"


def test_a_resolve_is_a_success(service):
    deliver(service.url(), message(Action.RESOLVE))
    posted = service.requests[0].json()
    assert (posted["title"].split()[0], posted["type"]) == ("[RESOLVED]", "success")


@pytest.mark.parametrize("status", [401, 429, 500])
def test_what_was_not_taken_waits_with_the_reason_and_without_secrets(service, status):
    service.status = status
    outcome = deliver(service.url())
    assert outcome.state is DeliveryState.QUEUED
    assert str(status) in outcome.detail
    assert "hunter" not in outcome.detail
    assert "://" not in outcome.detail


def test_nobody_there_waits_too():
    outcome = deliver(f"json://127.0.0.1:9/{PATH_TOKEN}")
    assert outcome.state is DeliveryState.QUEUED
    assert outcome.detail
    assert "hunter" not in outcome.detail


def test_a_long_text_comes_whole_in_pieces(service):
    # The form plugin takes 32,768 signs: a service with less is made of it.
    channel = opened(service.url("form"))
    [peer] = channel.peers()
    channel._services[peer].body_maxlen = 500
    channel._services[peer].request_rate_per_sec = 0
    lines = [f"line {number}" for number in range(200)]
    long = Notice("Long", Severity.INFO, {}, NOTICE.starts_at, {"output": "\n".join(lines)})
    [outcome] = channel.deliver(peer, [message(notice=long)], {})
    assert outcome.state is DeliveryState.HANDED_ON
    assert len(service.requests) > 3
    from urllib.parse import parse_qs

    pieces = [parse_qs(request.body.decode())["message"][0] for request in service.requests]
    assert all(len(piece) <= 500 for piece in pieces)
    told = "\n".join(pieces)
    assert [line for line in lines if line not in told] == []


def test_several_services_in_one_url_are_told_apart(service):
    one, other = service.url("json"), service.url("form")
    channel = opened(f"{one}, {other}, {one}")
    assert channel.peers() == ("json", "form", "json-2")
    assert [channel.deliver(peer, [message()], {})[0].state for peer in channel.peers()] == [
        DeliveryState.HANDED_ON
    ] * 3
    assert len(service.requests) == 3


@pytest.mark.parametrize("url", ["", "no url", f"nosuchservice://{PATH_TOKEN}", "slack://"])
def test_a_url_that_apprise_cannot_use_is_not_shown(url):
    with pytest.raises(ConfigurationError) as caught:
        opened(url)
    assert caught.value.code == "alert.bad_apprise_url"
    assert "hunter" not in json.dumps(caught.value.problem())


def test_pieces_of_the_url_are_taken_out_wherever_they_show_up(service):
    opened(
        f"json://user:{secrets_used.PASSWORD}@{service.base_url[7:]}/{PATH_TOKEN}?k={QUERY_TOKEN}"
    )
    assert "hunter" not in secrets.redact(
        f"POST /{PATH_TOKEN}/ {QUERY_TOKEN} and {secrets_used.PASSWORD}"
    )


def test_its_own_log_stays_away_from_ours(service):
    written = io.StringIO()
    log.configure(written, level=logging.DEBUG)
    try:
        deliver(service.url())
        logging.getLogger("x0tta_cli").debug("ours")
    finally:
        log.configure(io.StringIO())
    assert "ours" in written.getvalue()
    assert [line for line in written.getvalue().splitlines() if "ours" not in line] == []


def test_the_outbox_keeps_nothing_of_the_url(service, state):
    service.status = 500
    settings = AlertSettings(channels={"chat": AppriseChannel(kind="apprise", url=service.url())})
    with outbox(settings) as box:
        with box.intake() as intake:
            number = intake.fire(NOTICE)
        box.deliver(20.0)
        [waiting] = box.outcome(number)
        assert (waiting.peer, waiting.state) == ("json", DeliveryState.QUEUED)
        service.status = 200
        listing.retry([], 0.0, 4e9)
        box.deliver(20.0)
        assert [each.state for each in box.outcome(number)] == [DeliveryState.HANDED_ON]
    assert list(state.iterdir())
    assert list(secrets_used.leaks_in(state)) == []
