"""What `alert serve` makes of notifications, and of their absence."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox
from x0tta_cli.alert.serving import Reception, Watchdog
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.listener import Request
from x0tta_cli.core.notices import Notice, Severity


@pytest.fixture
def outbox(state):
    settings = AlertSettings.model_validate(
        {
            "channels": {
                "am": {"kind": "alertmanager", "urls": ("http://127.0.0.1:9",)},
                "hook": {"kind": "webhook", "url": "http://127.0.0.1:9/in"},
            },
            "serve": {"watchdog_within": "PT60S"},
        }
    )
    outbox = Outbox(settings)
    yield outbox
    outbox.close()


def reception(outbox, now=0.0):
    return Reception(outbox, Watchdog(outbox.lineup.settings, now), lambda: None)


def posted(*alerts, method="POST", path="/alertmanager"):
    body = json.dumps({"alerts": list(alerts)}).encode()
    return Request(method, path, {}, {}, body)


def alert(name, status="firing"):
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "critical"},
        "startsAt": "2026-01-02T00:00:00Z",
        "endsAt": "2026-01-02T01:00:00Z",
    }


def test_what_came_from_alertmanager_is_not_sent_back_there(outbox):
    assert reception(outbox).answer(posted(alert("X"))).status == 200
    assert [(row.name, row.channel) for row in listing.rows()] == [("X", "hook")]


def test_a_resolve_of_what_is_not_known_is_taken(outbox):
    assert reception(outbox).answer(posted(alert("X", "resolved"))).status == 200
    assert listing.rows() == []


def test_the_watchdog_is_not_told_of_and_its_absence_is(outbox):
    taking = reception(outbox)
    taking.watchdog.check(outbox, 59.0)
    assert listing.incidents() == []
    taking.watchdog.check(outbox, 61.0)
    [missing] = listing.incidents()
    assert (missing.notice.name, missing.notice.severity) == ("WatchdogMissing", "critical")
    assert "every other alert" in missing.notice.annotations["summary"]
    assert [row.channel for row in listing.rows()] == ["hook"]
    taking.answer(posted(alert("Watchdog")))
    taking.watchdog.check(outbox, 62.0)
    assert listing.incidents() == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_address_is_no_sign_of_life(outbox, method):
    taking = reception(outbox)
    assert taking.answer(posted(alert("Watchdog"), method=method)).status == 405
    taking.watchdog.check(outbox, 61.0)
    assert len(listing.incidents()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"alerts": [{"labels": 7}]}',
        b"\xff",
        b"[" * 100_000,
        json.dumps({"alerts": [alert("X", "unknown")]}).encode(),
        json.dumps({"alerts": [alert("X") | {"startsAt": "soon"}]}).encode(),
        json.dumps({"alerts": [alert("X") | {"startsAt": "0001-01-01T00:00:00+05:00"}]}).encode(),
    ],
    ids=range(8),
)
def test_what_is_no_notification_is_refused(outbox, body):
    with pytest.raises(UsageError) as caught:
        reception(outbox).answer(Request("POST", "/alertmanager", {}, {}, body))
    assert caught.value.code == "alert.bad_webhook"


@pytest.mark.parametrize(
    ("changes", "still_open"),
    [
        ({"endsAt": "2026-01-02T01:00:00", "status": "resolved"}, 0),
        ({"annotations": None, "generatorURL": None}, 1),
        ({"labels": {"alertname": ""}}, 2),
        ({"labels": {"alertname": "half a pair \ud800", "größe": "\x00"}}, 2),
    ],
    ids=["no zone", "null", "no name", "no text"],
)
def test_what_other_senders_leave_out_or_write_otherwise_is_taken(outbox, changes, still_open):
    taking = reception(outbox)
    assert taking.answer(posted(alert("X"))).status == 200
    assert taking.answer(posted(alert("X") | changes)).status == 200
    assert listing.counts().open == still_open


def test_notifications_that_come_at_once_are_all_taken(outbox):
    taking = reception(outbox)
    start = threading.Barrier(25)

    def post(number):
        start.wait(10)
        return taking.answer(posted(alert(f"N{number}"))).status

    with ThreadPoolExecutor(25) as pool:
        assert list(pool.map(post, range(25))) == [200] * 25
    assert sorted(row.name for row in listing.rows()) == sorted(f"N{n}" for n in range(25))


def test_an_escalation_is_an_alert_of_its_own_that_routes_can_tell(state):
    escalated = {"match": {"escalated": ["yes"]}, "channels": ["boss"]}
    settings = AlertSettings.model_validate(
        {
            "channels": {
                name: {"kind": "webhook", "url": f"http://127.0.0.1:9/{name}"}
                for name in ("hook", "boss")
            },
            "routes": [escalated, {"channels": ["hook"]}],
        }
    )
    outbox = Outbox(settings)
    taking = reception(outbox)
    taking.answer(posted(alert("X")))
    taking.answer(posted(alert("X"), path="/alertmanager/escalated"))
    assert sorted((row.name, row.channel) for row in listing.rows()) == [
        ("X", "boss"),
        ("X", "hook"),
    ]
    taking.answer(posted(alert("X", "resolved"), path="/alertmanager/escalated"))
    [still] = listing.incidents()
    assert "escalated" not in still.notice.labels
    outbox.close()


def test_an_echo_of_the_other_peer_is_held_until_it_says_that_it_is_over(outbox):
    taking = reception(outbox)
    taking.answer(posted(alert("X")))
    taking.answer(posted(alert("X", "resolved")))
    before = [row.number for row in listing.rows()]
    taking.answer(posted(alert("X")))
    [held] = [row for row in listing.rows() if row.number not in before]
    assert held.due_at - held.created_at == timedelta(seconds=60)
    taking.answer(posted(alert("X", "resolved")))
    assert [row.number for row in listing.rows()] == before


def test_what_begins_anew_after_its_end_is_no_echo(outbox):
    taking = reception(outbox)
    taking.answer(posted(alert("X")))
    taking.answer(posted(alert("X", "resolved")))
    taking.answer(posted(alert("X") | {"startsAt": "2026-01-02T01:00:01Z"}))
    assert all(row.due_at == row.created_at for row in listing.rows())


@pytest.mark.parametrize("key", [None, "a key of one's own"])
def test_what_was_sent_from_here_is_known_again_when_alertmanager_tells_of_it(outbox, key):
    labels = {"disk usage": "1", "7up": "x", "token": ""}
    sent = Notice("Böse", Severity.CRITICAL, labels, datetime(2026, 1, 2, tzinfo=UTC))
    with outbox.intake() as intake:
        intake.fire(sent, key=key)
    taking = reception(outbox)
    listed = {"alertname": "Böse", "severity": "critical", "disk_usage": "1", "_7up": "x"}
    taking.answer(posted(alert("") | {"labels": listed}))
    [known] = listing.incidents()
    assert (known.key, known.count, known.notice.labels) == (key or sent.key(), 2, labels)
    taking.answer(posted(alert("", "resolved") | {"labels": listed}))
    assert listing.incidents() == []


def test_the_notification_that_both_peers_send_is_told_once(outbox):
    taking = reception(outbox)
    for _ in range(2):
        taking.answer(posted(alert("X")))
    assert [(row.name, row.count) for row in listing.rows()] == [("X", 2)]
