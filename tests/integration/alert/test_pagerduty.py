"""PagerDuty by whole commands: what is open there, and what ends there whatever the routes say."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fakes.http_server import Answer
from fakes.pagerduty import REST_TOKEN, ROUTING_KEY, running_pagerduty
from fakes.secrets_used import heard

from x0tta_cli.alert import firing, sending
from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import NotFoundError, NotPermittedError
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.times import parse_instant
from x0tta_cli.drill.receiver import running_receiver

X0TTA = str(Path(sys.executable).with_name("x0tta"))


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def page(state):
    with running_pagerduty() as running:
        yield running


def settings(page, rest_token=REST_TOKEN, **others):
    channel = {
        "kind": "pagerduty",
        "base_url": page.base_url,
        "routing_key": ROUTING_KEY,
        "rest_base_url": page.base_url,
        **({"rest_token": rest_token} if rest_token else {}),
    }
    return AlertSettings.model_validate({"channels": {"page": channel}, **others})


def notice(severity="critical", **labels):
    return Notice(
        "DiskFull", Severity(severity), labels, parse_instant("-10m"), {"summary": "93 % of /srv"}
    )


@pytest.mark.parametrize("shows_keys", [True, False])
def test_what_is_open_there_is_listed_with_its_keys(page, shows_keys):
    page.shows_keys = shows_keys
    sent = sending.send(notice(node="n-7"), settings(page))
    other = sending.send(notice("info", node="n-8"), settings(page))
    sending.resolve(other.key, settings(page))
    [there, here] = firing.open_alerts(settings(page))
    assert (there.key, there.name) == (sent.key, "DiskFull: 93 % of /srv")
    assert (there.severity, there.state, there.at) == ("critical", "triggered", page.base_url)
    assert there.labels == {"service": "Mesh", "urgency": "high"}
    assert there.detail == (
        "incident 1, assigned to Ada, https://example.pagerduty.com/incidents/Q1"
    )
    assert (here.key, here.at) == (sent.key, firing.HERE)


def test_all_pages_are_read_and_grouped_alerts_stand_side_by_side(page):
    page.groups = True
    for number in range(3):
        sending.send(notice(node=str(number)), settings(page, storm={"alerts": 1000}))
    [there] = [row for row in firing.open_alerts(settings(page)) if row.at != firing.HERE]
    assert there.count == 3
    assert len(there.key.split(", ")) == 3
    page.groups = False
    event = page.events[0]
    for number in range(250):
        page._apply({**event, "dedup_key": f"k{number}"})
    rows = [row for row in firing.open_alerts(settings(page)) if row.at != firing.HERE]
    assert len(rows) == 253
    # More than a hundred are listed by what the list itself says of them.
    assert {row.key for row in rows} >= {f"k{number}" for number in range(250)}


def test_one_server_that_can_not_be_asked_is_a_warning_and_all_are_an_error(page, caplog):
    with pytest.raises(NotPermittedError) as caught:
        firing.open_alerts(settings(page, "hunter2-wrong"))
    assert "hunter2" not in str(caught.value.problem())
    with running_receiver() as receiver:
        both = settings(page, "hunter2-wrong").model_dump()
        both["channels"]["am"] = {"kind": "alertmanager", "urls": (receiver.base_url,)}
        both["channels"]["page"]["routing_key"] = ROUTING_KEY
        assert firing.open_alerts(AlertSettings.model_validate(both)) == []
    assert "not asked" in caplog.text


def test_the_command_lists_what_is_open_at_pagerduty(page, tmp_path):
    sending.send(notice(), settings(page))
    file = tmp_path / "x0tta.toml"
    file.write_text(
        f'[alert.channels.page]\nkind = "pagerduty"\nbase_url = "{page.base_url}"\n'
        f'routing_key = {{ env = "KEY" }}\nrest_base_url = "{page.base_url}"\n'
        'rest_token = { env = "REST" }\n'
    )
    ended = subprocess.run(
        [X0TTA, "alert", "list", "-o", "json", "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"KEY": ROUTING_KEY, "REST": REST_TOKEN},
    )
    heard("alert list", ended.stdout + ended.stderr)
    assert ended.returncode == 0, ended.stderr
    assert [row["at"] for row in json.loads(ended.stdout)] == [page.base_url, firing.HERE]


def test_what_was_opened_is_resolved_though_the_route_to_it_was_taken_away(page):
    before = settings(page)
    sent = sending.send(notice(), before)
    with running_receiver() as receiver:
        channels = {
            "page": before.channels["page"],
            "am": {"kind": "alertmanager", "urls": (receiver.base_url,)},
        }
        # The rule was disabled while it fired: nothing leads to PagerDuty any more.
        after = AlertSettings.model_validate(
            {"channels": channels, "routes": [{"channels": ("am",)}]}
        )
        ended = sending.resolve(sent.key, after)
    assert page.open_alerts() == []
    assert {each.channel for each in ended.deliveries} == {"page", "am"}


def test_an_alert_that_gets_better_is_updated_and_resolved_where_it_was_worse(page):
    with running_receiver() as receiver:
        both = {
            "page": settings(page).channels["page"],
            "am": {"kind": "alertmanager", "urls": (receiver.base_url,)},
        }
        routes = [
            {"match": {"severity": ("critical",)}, "channels": ("page",)},
            {"channels": ("am",)},
        ]
        routed = AlertSettings.model_validate({"channels": both, "routes": routes})
        sent = sending.send(notice("critical"), routed)
        better = sending.send(notice("warning"), routed)
        assert {each.channel for each in better.deliveries} == {"page", "am"}
        [alert] = page.open_alerts()
        severities = [event["payload"]["severity"] for event in alert.events]
        assert severities == ["critical", "warning"]
        sending.resolve(sent.key, routed)
        assert page.open_alerts() == []
        assert len(page.alerts) == 1
        assert receiver.active() == []


def test_what_fires_again_after_its_end_is_a_new_incident(page):
    for _ in range(2):
        sent = sending.send(notice(), settings(page))
        assert sent.deliveries[0].state is DeliveryState.VISIBLE
        ended = sending.resolve(sent.key, settings(page))
        assert ended.deliveries[0].state is DeliveryState.ACKNOWLEDGED
    assert [alert.actions() for alert in page.alerts] == [["trigger", "resolve"]] * 2


def test_an_acknowledged_alert_is_acknowledged_there_and_pages_nobody_meanwhile(page):
    sent = sending.send(notice(), settings(page))
    told = sending.acknowledge(sent.key, 3600.0, settings(page))
    assert told.deliveries[0].state is DeliveryState.ACKNOWLEDGED
    # It goes on meanwhile, and nobody is paged again.
    sending.send(notice(), settings(page))
    [alert] = page.open_alerts()
    assert (alert.status, alert.actions()) == ("acknowledged", ["trigger", "acknowledge"])


@pytest.mark.slow
def test_alerts_over_a_bad_line_open_and_end_an_incident_each(page):
    """Errors, cuts before the work and after it, throttling: each event has one chance in four."""
    chance = random.Random(5)

    def disturb(request):
        fate = chance.random()
        if fate < 0.08:
            return Answer(503)
        if fate < 0.16:
            return Answer(cut=True)
        if fate < 0.24:
            # It is taken, and the sender never hears of it.
            page._enqueue(request)
            return Answer(cut=True)
        return Answer(429) if fate < 0.25 else None

    page.on_request = disturb
    clock = Clock()
    quiet = settings(page, "", storm={"alerts": 10_000}, expires_after="P300D")
    with closing(Outbox(quiet, 5.0, clock, clock.advance)) as box:
        notices = [notice(n=str(number)) for number in range(300)]
        with box.intake() as intake:
            for each in notices:
                intake.fire(each)
        with box.intake() as intake:
            for each in notices:
                intake.resolve(each.key())
        while listing.counts().queued:
            box.deliver(3600)
            clock.advance(300)
    assert len(page.events) > 600
    assert sorted(alert.key for alert in page.alerts) == sorted(each.key() for each in notices)
    assert page.open_alerts() == []
    assert listing.counts().dead == 0


def test_what_another_machine_opened_is_ended_by_the_key_that_the_list_shows(
    page, monkeypatch, tmp_path
):
    sent = sending.send(notice(), settings(page))
    monkeypatch.setenv("X0TTA_STATE_DIR", str(tmp_path / "another machine"))
    [there] = firing.open_alerts(settings(page))
    assert there.key == sent.key
    acknowledged = sending.acknowledge(there.key, 3600.0, settings(page))
    assert acknowledged.deliveries[0].state is DeliveryState.ACKNOWLEDGED
    ended = sending.resolve(there.key, settings(page))
    assert ended.deliveries[0].detail == "resolved"
    assert page.open_alerts() == []
    with pytest.raises(NotFoundError) as caught:
        sending.resolve(there.key, settings(page))
    assert caught.value.code == "alert.unknown_key"
