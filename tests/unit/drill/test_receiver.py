"""The loopback receiver against the behaviour of Alertmanager 0.25, over a real socket."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from x0tta_cli.drill.receiver import running_receiver


@pytest.fixture
def receiver():
    with running_receiver() as running:
        yield running


def call(receiver, method, path, body=None, content_type="application/json"):
    connection = http.client.HTTPConnection(urlsplit(receiver.base_url).netloc, timeout=5)
    try:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, content, {"Content-Type": content_type})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def alerts(receiver):
    status, body = call(receiver, "GET", "/api/v2/alerts")
    assert status == 200
    return json.loads(body)


def alert(minutes=5, **changes):
    now = datetime.now(UTC)
    return {
        "labels": {"alertname": "Test"},
        "annotations": {"summary": "A test."},
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(minutes=minutes)).isoformat(),
    } | changes


def test_an_alert_is_visible_until_it_is_resolved(receiver):
    assert call(receiver, "POST", "/api/v2/alerts", [alert()])[0] == 200
    (found,) = alerts(receiver)
    assert found["labels"] == {"alertname": "Test"}
    assert found["status"]["state"] == "active"
    assert call(receiver, "POST", "/api/v2/alerts", [alert(minutes=0)])[0] == 200
    assert alerts(receiver) == []


def test_the_earliest_start_and_the_newest_annotations_win(receiver):
    early = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    call(receiver, "POST", "/api/v2/alerts", [alert(startsAt=early)])
    call(receiver, "POST", "/api/v2/alerts", [alert(annotations={})])
    (found,) = alerts(receiver)
    assert datetime.fromisoformat(found["startsAt"]) < datetime.now(UTC) - timedelta(minutes=59)
    assert found["annotations"] == {}


def test_an_end_in_the_past_is_taken_and_shows_nothing(receiver):
    early = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert call(receiver, "POST", "/api/v2/alerts", [alert(-1, startsAt=early)])[0] == 200
    assert alerts(receiver) == []


def test_one_bad_alert_refuses_the_batch_but_stores_the_good_ones(receiver):
    bad = alert(labels={"no-dashes": "x"})
    status, body = call(receiver, "POST", "/api/v2/alerts", [bad, alert()])
    assert status == 400
    assert "no-dashes" in body
    assert len(alerts(receiver)) == 1


@pytest.mark.parametrize(
    ("posted", "status"),
    [
        ([alert(labels={})], 400),
        ([alert(labels={"alertname": ""})], 400),
        ([alert(labels={"alertname": 7})], 400),
        ([alert(annotations=["x"])], 400),
        ([alert(startsAt="yesterday")], 400),
        ([alert(startsAt="2026-01-01T00:00:00")], 400),
        ([alert(startsAt="2099-01-01T00:00:00Z", endsAt=None)], 400),
        ([alert(generatorURL="no uri")], 422),
        ({"labels": {}}, 400),
        (b"not json", 400),
        ([17], 400),
    ],
)
def test_what_alertmanager_refuses_is_refused(receiver, posted, status):
    assert call(receiver, "POST", "/api/v2/alerts", posted)[0] == status
    assert alerts(receiver) == []


def test_other_content_types_and_paths_are_refused(receiver):
    assert call(receiver, "POST", "/api/v2/alerts", [], "text/plain")[0] == 415
    assert call(receiver, "POST", "/api/v1/alerts", [])[0] == 404
    assert call(receiver, "GET", "/nowhere")[0] == 404


def test_health_and_status_answer(receiver):
    assert call(receiver, "GET", "/-/ready") == (200, "OK")
    assert json.loads(call(receiver, "GET", "/api/v2/status")[1])["cluster"]["peers"] == []


def test_the_port_is_free_again_afterwards():
    with running_receiver() as running:
        address = urlsplit(running.base_url)
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(address.netloc, timeout=5).request("GET", "/-/ready")
