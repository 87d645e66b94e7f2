"""The fake of PagerDuty answers as its documents say: 202 to any form, 400 to none."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from fakes.pagerduty import REST_TOKEN, ROUTING_KEY, running_pagerduty

PAYLOAD = {"summary": "full", "source": "n-7", "severity": "error"}
TRIGGER = {
    "routing_key": ROUTING_KEY,
    "event_action": "trigger",
    "dedup_key": "k",
    "payload": PAYLOAD,
}
NOT_ALPHANUMERIC = "'routing_key' cannot contain non-alphanumeric characters."


@pytest.fixture
def pagerduty():
    with running_pagerduty() as running:
        yield running


def ask(url, body=None, **headers):
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def enqueue(pagerduty, **members):
    return ask(f"{pagerduty.base_url}/v2/enqueue", json.dumps(TRIGGER | members).encode())


def test_an_event_is_taken_and_one_without_a_key_is_given_one(pagerduty):
    taken = {"status": "success", "message": "Event processed", "dedup_key": "k"}
    assert enqueue(pagerduty) == (202, taken)
    event = {name: value for name, value in TRIGGER.items() if name != "dedup_key"}
    _, answer = ask(f"{pagerduty.base_url}/v2/enqueue", json.dumps(event).encode())
    assert answer["dedup_key"] == pagerduty.alerts[1].key


@pytest.mark.parametrize("action", ["resolve", "acknowledge"])
def test_what_ends_an_unknown_alert_is_answered_with_202_and_dropped(pagerduty, action):
    assert enqueue(pagerduty, event_action=action)[0] == 202
    assert pagerduty.alerts == []
    assert len(pagerduty.dropped) == 1


def test_a_trigger_after_the_end_opens_a_new_alert(pagerduty):
    for action in ("trigger", "trigger", "resolve", "trigger"):
        enqueue(pagerduty, event_action=action)
    assert [alert.actions() for alert in pagerduty.alerts] == [
        ["trigger", "trigger", "resolve"],
        ["trigger"],
    ]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"routing_key": "short"}, "should be 32 characters"),
        ({"routing_key": "-" * 32}, NOT_ALPHANUMERIC),
        ({"routing_key": "0" * 32}, "Invalid routing key"),
        ({"event_action": "boom"}, "'event_action' is invalid"),
        ({"event_action": "resolve", "dedup_key": None}, "'dedup_key' is missing"),
        ({"dedup_key": "k" * 256}, "maximum length of 255"),
        ({"payload": None}, "'payload' is missing"),
        ({"payload": PAYLOAD | {"summary": "s" * 1025}}, "at most 1024"),
        ({"payload": PAYLOAD | {"severity": "fatal"}}, "'payload.severity' is invalid"),
        ({"payload": PAYLOAD | {"source": ""}}, "'payload.source' is missing"),
        ({"payload": PAYLOAD | {"timestamp": "soon"}}, "'payload.timestamp' is invalid"),
        ({"payload": PAYLOAD | {"custom_details": "text"}}, "must be an object"),
        ({"images": [{"src": "http://x/1.png"}]}, "served via HTTPS"),
        ({"links": [{"text": "nowhere"}]}, "'links.href' is missing"),
        ({"client": "c" * 600_000}, "512 KB"),
    ],
)
def test_what_has_the_wrong_form_is_refused_with_the_reason(pagerduty, members, words):
    status, answer = enqueue(pagerduty, **members)
    assert (status, answer["status"]) == (400, "invalid event")
    assert any(words in error for error in answer["errors"])
    assert pagerduty.alerts == []


def test_rest_wants_its_token_and_its_version(pagerduty):
    url = f"{pagerduty.base_url}/incidents"
    accept = {"Accept": "application/vnd.pagerduty+json;version=2"}
    status, answer = ask(url, Authorization=f"Bearer {REST_TOKEN}", **accept)
    assert (status, answer["error"]["code"]) == (401, 2006)
    assert ask(url, Authorization=f"Token token={REST_TOKEN}")[0] == 400
    enqueue(pagerduty)
    _, answer = ask(f"{url}?limit=1", Authorization=f"Token token={REST_TOKEN}", **accept)
    assert [each["status"] for each in answer["incidents"]] == ["triggered"]
    assert answer["more"] is False
