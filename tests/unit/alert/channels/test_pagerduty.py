"""The channel `pagerduty` against an Events API that refuses what the real one refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes.http_server import Answer
from fakes.pagerduty import REST_TOKEN, ROUTING_KEY, running_pagerduty

from x0tta_cli.alert.channels.protocol import open_channel
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import PagerDutyChannel
from x0tta_cli.core.errors import NotPermittedError, UnavailableError
from x0tta_cli.core.notices import Explanation, Notice, Severity

pytestmark = pytest.mark.slow

STARTS_AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
OTHER_KEY = "hunter2other00000123456789abcdef"


def message(action=Action.FIRE, severity="critical", labels=None, key="", **members):
    ended = STARTS_AT + timedelta(minutes=12) if action is Action.RESOLVE else None
    of_message = {
        name: members.pop(name) for name in ("count", "note", "attempts") if name in members
    }
    notice = Notice(
        "HighLatency",
        Severity(severity),
        {"component": "cart", "node": "n-7"} if labels is None else labels,
        STARTS_AT,
        members.pop("annotations", {"summary": "cart answers slowly"}),
        ended,
        **members,
    )
    return Message(1, key or notice.key(), action, notice, **of_message)


@pytest.fixture
def pagerduty():
    with running_pagerduty(ROUTING_KEY, OTHER_KEY) as running:
        yield running


@pytest.fixture
def channel(pagerduty):
    opened = []

    def make(rest_token="", routing_key=ROUTING_KEY):
        settings = PagerDutyChannel(
            kind="pagerduty",
            base_url=pagerduty.base_url,
            routing_key=routing_key,
            rest_base_url=pagerduty.base_url,
            rest_token=rest_token or None,
        )
        opened.append(open_channel("page", settings, 2.0))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def send(channel, sent):
    [outcome] = channel.deliver(channel.peers()[0], [sent], {})
    return outcome


def test_an_alert_is_opened_acknowledged_and_resolved_under_its_key(pagerduty, channel):
    page = channel()
    for action in (Action.FIRE, Action.ACKNOWLEDGE, Action.RESOLVE):
        outcome = send(page, message(action))
        # Nobody knows what became of it: no more is said.
        assert (outcome.state, outcome.detail) == (DeliveryState.ACCEPTED, "202 Event processed")
    [alert] = pagerduty.alerts
    assert alert.key == message().key
    assert alert.actions() == ["trigger", "acknowledge", "resolve"]


def test_what_ends_an_alert_has_the_payload_and_the_key_of_its_opening(pagerduty, channel):
    page = channel()
    for action in (Action.FIRE, Action.ACKNOWLEDGE, Action.RESOLVE):
        send(page, message(action))
    opening, *others = pagerduty.events
    for event in others:
        assert {**event, "event_action": "trigger"} == opening


@pytest.mark.parametrize("severity", Severity)
def test_every_severity_is_one_of_pagerdutys_own(pagerduty, channel, severity):
    send(channel(), message(severity=severity))
    assert pagerduty.events[0]["payload"]["severity"] == severity.value


def test_an_event_says_what_where_since_when_and_why(pagerduty, channel):
    told = Explanation(("p95 612 ms", "limit 150 ms"), ("the deployment",), ("the disk",))
    send(
        channel(),
        message(
            explanation=told,
            runbook_url="https://runbooks.example.org/latency",
            source_url="http://prometheus:9090/graph",
            count=4,
            note="It is flapping.",
        ),
    )
    [event] = pagerduty.events
    payload = event["payload"]
    assert payload["summary"] == "HighLatency: cart answers slowly"
    assert (payload["source"], payload["component"], payload["class"]) == (
        "n-7",
        "cart",
        "HighLatency",
    )
    assert payload["timestamp"] == "2026-11-25T03:00:00Z"
    assert payload["custom_details"] == {
        "observed": "p95 612 ms\nlimit 150 ms",
        "inferred": "the deployment",
        "not_known": "the disk",
        "labels": {"component": "cart", "node": "n-7"},
        "annotations": {"summary": "cart answers slowly"},
        "runbook": "https://runbooks.example.org/latency",
        "source": "http://prometheus:9090/graph",
        "note": "It is flapping.",
        "received": "4 times",
    }
    assert event["links"] == [
        {"href": "https://runbooks.example.org/latency", "text": "Runbook"},
        {"href": "http://prometheus:9090/graph", "text": "Source"},
    ]
    assert (event["client"], event["client_url"]) == ("x0tta", "http://prometheus:9090/graph")


def test_without_a_summary_the_labels_say_what_it_is(pagerduty, channel):
    send(channel(), message(annotations={}))
    assert pagerduty.events[0]["payload"]["summary"] == "HighLatency (component cart, node n-7)"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://graphs.example.org/1.png", [{"src": "https://graphs.example.org/1.png"}]),
        ("http://graphs.example.org/1.png", []),
        ("javascript:alert(1)", []),
    ],
)
def test_only_images_by_https_are_sent_and_what_is_left_out_is_said(pagerduty, channel, url, shown):
    send(channel(), message(annotations={"image_url": url}))
    [event] = pagerduty.events
    assert event["images"] == [{**each, "alt": "HighLatency"} for each in shown]
    assert ("image_left_out" in event["payload"]["custom_details"]) == (not shown)


def test_limits_are_kept_and_what_was_cut_is_said(pagerduty, channel):
    labels = {f"label{number:05}": "\U0001f525" * 400 for number in range(3000)}
    outcome = send(
        channel(),
        message(
            key="k" * 300,
            labels=labels,
            annotations={"summary": "s" * 5000, "log": "\u20ac" * 2_000_000},
            runbook_url="https://example.org/" + "x" * 5000,
        ),
    )
    assert outcome.state is DeliveryState.ACCEPTED
    [event] = pagerduty.events
    assert len(event["dedup_key"]) <= 255
    assert len(event["payload"]["summary"]) == 1024
    assert "longer than the 512 KB" in event["payload"]["custom_details"]["left_out"]
    assert event["links"] == []
    send(channel(), message(Action.RESOLVE, key="k" * 300, labels=labels))
    assert pagerduty.open_alerts() == []


def test_a_long_log_beside_short_texts_is_cut_alone(pagerduty, channel):
    send(channel(), message(annotations={"summary": "short", "log": "l" * 600_000}))
    annotations = pagerduty.events[0]["payload"]["custom_details"]["annotations"]
    assert annotations["summary"] == "short"
    assert len(annotations["log"]) == 65_536


def test_signs_that_steer_a_terminal_are_made_visible(pagerduty, channel):
    send(channel(), message(labels={"node": "n\u202e7"}, annotations={"summary": "a\x1b[31m\nb"}))
    payload = pagerduty.events[0]["payload"]
    assert payload["source"] == "n\\u202e7"
    assert payload["summary"] == "HighLatency: a\\x1b[31m\\nb"


def test_a_refused_event_is_refused_for_good_with_the_servers_words(pagerduty, channel):
    pagerduty.on_request = lambda _: Answer(
        400, b'{"status":"invalid event","message":"Event object is invalid","errors":["odd"]}'
    )
    outcome = send(channel(), message())
    assert outcome.state is DeliveryState.REJECTED
    assert outcome.detail == "400 Event object is invalid; odd"


@pytest.mark.parametrize("key", ["hunter2short", "hunter2unknown00123456789abcdef0"])
def test_a_refused_routing_key_disables_the_channel_and_buries_nothing(pagerduty, channel, key):
    outcome = send(channel(routing_key=key), message())
    assert (outcome.state, outcome.disables) == (DeliveryState.QUEUED, True)
    assert "routing" in outcome.detail
    assert "hunter2" not in outcome.detail


def test_a_429_backs_off_by_minutes_and_longer_each_time(pagerduty, channel):
    page = channel()
    pagerduty.fail(429, times=9)
    waits = [send(page, message(attempts=attempts)).retry_after_s for attempts in (0, 1, 2, 8)]
    assert 120 <= waits[0] <= 150 <= 240 <= waits[1] <= 300 <= 480 <= waits[2] <= 600
    assert 900 <= waits[3] <= 1125
    pagerduty._failures.clear()
    pagerduty.fail(429, Retry_After="2000")
    assert send(page, message()).retry_after_s == 2000


@pytest.mark.parametrize(
    ("status", "state", "disables"),
    [
        (500, DeliveryState.QUEUED, False),
        (503, DeliveryState.QUEUED, False),
        (408, DeliveryState.QUEUED, False),
        (413, DeliveryState.REJECTED, False),
        (403, DeliveryState.QUEUED, True),
        (404, DeliveryState.QUEUED, True),
    ],
)
def test_what_may_pass_is_tried_again(pagerduty, channel, status, state, disables):
    pagerduty.fail(status)
    outcome = send(channel(), message())
    assert (outcome.state, outcome.disables) == (state, disables)


def test_with_a_rest_token_the_incident_is_read_back(pagerduty, channel):
    page = channel(REST_TOKEN)
    # It takes a moment until what was accepted is to be seen.
    pagerduty.looks_before_shown = 2
    outcome = send(page, message())
    assert outcome.state is DeliveryState.VISIBLE
    assert outcome.detail == ("incident 1 triggered, https://example.pagerduty.com/incidents/Q1")
    outcome = send(page, message(Action.ACKNOWLEDGE))
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert outcome.detail.startswith("incident 1 acknowledged by Ada, ")
    outcome = send(page, message(Action.RESOLVE))
    assert (outcome.state, outcome.detail) == (DeliveryState.ACKNOWLEDGED, "resolved")
    assert pagerduty.open_alerts() == []


def test_an_event_that_was_dropped_behind_its_202_is_accepted_and_no_more(pagerduty, channel):
    pagerduty.hides = True
    outcome = send(channel(REST_TOKEN), message())
    assert outcome.state is DeliveryState.ACCEPTED
    assert "no incident is to be seen" in outcome.warning


def test_a_resolve_under_another_routing_key_is_seen_to_have_ended_nothing(pagerduty, channel):
    send(channel(), message())
    outcome = send(channel(REST_TOKEN, OTHER_KEY), message(Action.RESOLVE))
    assert outcome.state is DeliveryState.ACCEPTED
    assert "still open" in outcome.warning


def test_an_alert_that_shares_an_incident_is_resolved_though_the_incident_stays(pagerduty, channel):
    pagerduty.groups = True
    page = channel(REST_TOKEN)
    send(page, message())
    send(page, message(labels={"node": "n-8"}))
    outcome = send(page, message(Action.RESOLVE))
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert outcome.detail.startswith("resolved; others keep incident 1 triggered")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500, b"oops"), "500 oops"),
        (Answer(200, b"<html>"), "not JSON"),
        (Answer(200, b"{}"), "no incidents"),
        (Answer(200, b'{"incidents":[{"id":"Q1"}]}'), "KeyError"),
        (Answer(cut=True), "had no answer"),
    ],
)
def test_what_was_accepted_stays_so_where_it_can_not_be_read_back(
    pagerduty, channel, answer, words
):
    page = channel(REST_TOKEN)
    pagerduty.on_request = lambda request: answer if request.method == "GET" else None
    outcome = send(page, message())
    assert outcome.state is DeliveryState.ACCEPTED
    assert words in outcome.warning


def test_a_wrong_rest_token_is_a_warning_and_is_not_shown(pagerduty, channel):
    outcome = send(channel("hunter2-wrong-token"), message())
    assert outcome.state is DeliveryState.ACCEPTED
    assert "does not let us in" in outcome.warning
    assert "hunter2" not in outcome.warning


def test_no_error_shows_the_routing_key(pagerduty, channel):
    pagerduty.on_request = lambda request: Answer(400, request.body)
    outcome = send(channel(), message())
    assert "hunter2" not in outcome.detail
    pagerduty.on_request = lambda _: Answer(cut=True)
    with pytest.raises(UnavailableError) as caught:
        send(channel(), message())
    assert "hunter2" not in f"{caught.value} {caught.value.reason} {caught.value.problem()}"


def test_limits_and_peers_have_no_secret(channel):
    page = channel()
    [limit] = page.traits.limits
    assert limit.scope.startswith("pagerduty:")
    assert "hunter" not in f"{limit.scope} {page.peers()}"
    assert channel(routing_key=OTHER_KEY).traits.limits[0].scope != limit.scope


def test_reaching_tells_nobody(pagerduty, channel):
    assert "answers 405" in channel().reach("pagerduty")
    assert "the REST API knows us" in channel(REST_TOKEN).reach("pagerduty")
    with pytest.raises(NotPermittedError):
        channel("hunter2-wrong-token").reach("pagerduty")
    assert pagerduty.events == []
