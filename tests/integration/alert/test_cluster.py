"""Two Alertmanagers in a cluster, and what restarts of one make of alerts and notifications."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from fakes.http_server import Answer, Request, serving

from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity

from .conftest import Server, free_port

pytestmark = pytest.mark.slow

CONFIGURATION = """\
route: {{receiver: hook, group_by: ['...'], group_wait: 1s, group_interval: {interval}}}
receivers: [{{name: hook, webhook_configs: [{{url: '{url}'}}]}}]
inhibit_rules:
  - source_matchers: ['alertname="NodeDown"']
    target_matchers: ['alertname="Slow"']
    equal: [node]
"""


@dataclass
class Notified:
    """Every notification, as (name, number, status)."""

    came: list[tuple[str, str, str]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        self.came += [
            (a["labels"]["alertname"], a["labels"].get("n", ""), a["status"])
            for a in request.json()["alerts"]
        ]
        return Answer(200)

    def of(self, name: str) -> list[str]:
        return [status for told, _, status in self.came if told == name]


@pytest.fixture
def notified() -> Iterator[tuple[Notified, str]]:
    receiver = Notified()
    with serving(receiver.answer) as url:
        yield receiver, url


@pytest.fixture
def servers(tmp_path, notified) -> Iterator[Callable[..., list[Server]]]:
    """Bring up so many Alertmanagers that notify the receiver, two of them as a cluster."""
    _, url = notified
    running: list[Server] = []

    def up(count: int, interval: str = "2s") -> list[Server]:
        configuration = tmp_path / "alertmanager.yml"
        configuration.write_text(CONFIGURATION.format(url=url, interval=interval))
        ports = [free_port() for _ in range(count)]
        for number in range(count):
            cluster = " ".join(ports[number:] + ports[:number]) if count > 1 else ""
            server = Server(
                tmp_path / f"peer-{number}",
                port=free_port(),
                ALERTMANAGER_CONFIGURATION=str(configuration),
                ALERTMANAGER_CLUSTER=cluster,
            )
            running.append(server)
            server.up()
        return running

    try:
        yield up
    finally:
        for server in running:
            server.down()


def sent(ended) -> dict:
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def wait_until(holds: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_peers_notify_once_that_it_fires_and_once_that_it_is_over(servers, notified, x0tta):
    # Longer than one peer waits for the other: see the echoes of tests/unit/alert/test_serving.py.
    urls = [server.url for server in servers(2, interval="10s")]
    told = sent(x0tta("alert", "send", "Once", "--since", "-1m", "-o", "json", urls=urls))
    wait_until(lambda: notified[0].of("Once") == ["firing"])
    # The second peer would speak after three seconds.
    time.sleep(5)
    sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    wait_until(lambda: "resolved" in notified[0].of("Once"))
    time.sleep(6)
    assert notified[0].of("Once") == ["firing", "resolved"]


def test_an_inhibited_alert_is_shown_as_such_when_it_is_sent(servers, x0tta):
    urls = [server.url for server in servers(1)]
    sent(x0tta("alert", "send", "NodeDown", "--label", "node=7", "-o", "json", urls=urls))
    told = sent(x0tta("alert", "send", "Slow", "--label", "node=7", "-o", "json", urls=urls))
    [delivery] = told["deliveries"]
    assert delivery["detail"].startswith("inhibited by ")
    other = sent(x0tta("alert", "send", "Slow", "--label", "node=8", "-o", "json", urls=urls))
    assert other["deliveries"][0]["detail"] == ""


def test_a_restart_forgets_alerts_and_a_renewal_makes_no_second_notification(
    servers, notified, x0tta
):
    [server] = servers(1)
    sent(x0tta("alert", "send", "Kept", "--since", "-1m", "-o", "json", urls=[server.url]))
    wait_until(lambda: notified[0].of("Kept") == ["firing"])
    server.stop()
    server.up()
    assert server.names() == []
    sent(x0tta("alert", "outbox", "run", "-o", "json", urls=[server.url]))
    assert server.names() == ["Kept"]
    time.sleep(5)
    assert notified[0].of("Kept") == ["firing"]


def test_a_resolve_that_came_just_before_a_restart_is_told_after_it(servers, notified, x0tta):
    # Its end would be told in a minute; by then the server has been stopped, and has forgotten.
    [server] = servers(1, interval="1m")
    urls = [server.url]
    told = sent(x0tta("alert", "send", "Lost", "--since", "-1m", "-o", "json", urls=urls))
    wait_until(lambda: notified[0].of("Lost") == ["firing"])
    sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    server.stop()
    server.up()
    assert notified[0].of("Lost") == ["firing"]
    sent(x0tta("alert", "outbox", "run", "-o", "json", urls=urls))
    wait_until(lambda: notified[0].of("Lost") == ["firing", "resolved"])


def test_silences_are_listed_that_match_nothing_any_more_or_have_just_run_out(servers, x0tta):
    urls = [server.url for server in servers(1)]
    told = sent(x0tta("alert", "send", "Quiet", "-o", "json", urls=urls))
    line = ["alert", "silence", "add", "alertname=Quiet", "-o", "json", "--for"]
    [lasting] = sent(x0tta(*line, "1h", urls=urls))
    [short] = sent(x0tta(*line, "10s", urls=urls))

    def standing() -> dict[str, tuple[str, int]]:
        rows = sent(x0tta("alert", "silence", "list", "-o", "json", urls=urls))
        return {row["id"]: (row["state"], row["matching"]) for row in rows}

    wait_until(lambda: standing()[short["id"]] == ("expired", 0))
    assert standing()[lasting["id"]] == ("active", 1)
    sent(x0tta("alert", "resolve", told["key"], "-o", "json", urls=urls))
    assert standing()[lasting["id"]] == ("active", 0)


def test_a_silence_at_one_peer_is_known_to_the_other_and_shown_by_send(servers, x0tta):
    one, two = servers(2)
    [made] = sent(x0tta("alert", "silence", "add", "alertname=Quiet", "-o", "json", urls=[one.url]))
    wait_until(lambda: [s["id"] for s in two.silences("active")] == [made["id"]])
    told = sent(x0tta("alert", "send", "Quiet", "-o", "json", urls=[one.url, two.url]))
    assert {each["detail"] for each in told["deliveries"]} == {f"silenced by {made['id']}"}


def test_a_peer_that_dies_and_comes_back_loses_and_doubles_nothing(servers, notified, state):
    one, two = servers(2, interval="5s")
    settings = AlertSettings.model_validate(
        {"channels": {"am": {"kind": "alertmanager", "urls": [one.url, two.url]}}}
    )
    ahead_s = 0.0
    outbox = Outbox(settings, clock=lambda: time.time() + ahead_s)
    for first in range(0, 300, 50):
        with outbox.intake() as intake:
            for n in range(first, first + 50):
                intake.fire(Notice("Many", Severity.WARNING, {"n": str(n)}, datetime.now(UTC)))
        if first == 100:
            two.kill()
        outbox.deliver(5)
        if first == 200:
            two.up()
    now = time.time()
    listing.retry((), now, now + 3600)
    outbox.deliver(60)
    ahead_s = 61.0
    outbox.renew()
    outbox.close()
    wanted = {str(n) for n in range(300)}
    for server in (one, two):
        assert {alert["labels"]["n"] for alert in server.alerts()} == wanted
    wait_until(lambda: {n for name, n, _ in notified[0].came if name == "Many"} == wanted)
    time.sleep(6)
    assert len([n for name, n, status in notified[0].came if status == "firing"]) == 300
