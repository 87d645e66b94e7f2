"""Real commands over a network that fails: nothing is lost, and no incident is opened twice."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from fakes.bot_api import running_bot_api
from fakes.bot_api_text import RefusedError
from fakes.fault_proxy import Fault, running_proxy
from fakes.pagerduty import ROUTING_KEY, running_pagerduty
from fakes.secrets_used import heard

from x0tta_cli.alert.outbox import listing

pytestmark = pytest.mark.slow

X0TTA = str(Path(sys.executable).with_name("x0tta"))
TOKEN = "987654321:hunter2-telegram-0123456789abcdef"
CONFIGURATION = """
[alert.channels.page]
kind = "pagerduty"
base_url = "{page}"
routing_key = {{ env = "ROUTING_KEY" }}

[alert.channels.chat]
kind = "telegram"
base_url = "{chat}"
token = {{ env = "BOT_TOKEN" }}
chat_id = {chat_id}
"""


class Machine:
    """A machine that tells PagerDuty and Telegram over networks that can fail."""

    def __init__(self, folder, state, page, page_way, api, chat_way):
        self.page, self.page_way, self.api, self.chat_way = page, page_way, api, chat_way
        self.chat = api.add_private()
        self.file = folder / "x0tta.toml"
        self.file.write_text(
            CONFIGURATION.format(page=page_way.url, chat=chat_way.url, chat_id=self.chat)
        )
        secrets = {"ROUTING_KEY": ROUTING_KEY, "BOT_TOKEN": TOKEN}
        self.environment = os.environ | secrets | {"X0TTA_STATE_DIR": str(state)}

    def start(self, *arguments):
        return subprocess.Popen(
            [X0TTA, "alert", *arguments, "--config", str(self.file)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments):
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=90)
        heard(f"{arguments}", stdout + stderr)
        return process.returncode, stdout, stderr

    def send(self, name, *options):
        status, stdout, _ = self.run("send", name, *options, "-o", "json")
        told = json.loads(stdout)
        states = {each["channel"]: each["state"] for each in told["deliveries"]}
        return status, told["key"], states

    def deliver(self):
        """Deliver all that waits, at once."""
        self.hurry()
        status, stdout, stderr = self.run("outbox", "run", "--within", "60s", "--yes")
        assert status == 0, stdout + stderr

    def hurry(self):
        """Let nothing wait for its next try."""
        now = time.time()
        listing.retry((), now, now + 3600)

    def network(self, fault):
        self.page_way.fault = self.chat_way.fault = fault

    def heads(self):
        """The first line of each message in the chat."""
        return [text.split("\n")[0].partition(" ")[2] for text in self.api.texts(self.chat)]


@pytest.fixture
def machine(tmp_path, state):
    with (
        running_pagerduty() as page,
        running_bot_api(TOKEN) as api,
        running_proxy(page.base_url) as page_way,
        running_proxy(api.base_url) as chat_way,
    ):
        yield Machine(tmp_path, state, page, page_way, api, chat_way)


def test_errors_for_a_while_delay_an_alert_and_neither_lose_nor_double_it(machine):
    machine.page.fail(500, times=2)
    machine.api.fail(RefusedError(500, "Internal Server Error"), times=2)
    status, key, states = machine.send("DiskFull", "--severity", "critical")
    assert (status, states) == (10, {"page": "queued", "chat": "queued"})
    machine.hurry()
    assert machine.run("outbox", "run", "--yes")[0] == 10
    machine.deliver()
    assert [alert.actions() for alert in machine.page.alerts] == [["trigger"]]
    assert machine.heads() == ["CRITICAL \u00b7 DiskFull"]
    assert machine.run("resolve", key)[0] == 0
    assert machine.page.open_alerts() == []
    assert machine.heads() == ["RESOLVED \u00b7 DiskFull"] * 2


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.DROP, Fault.TRUNCATE, Fault.CUT])
def test_a_network_that_fails_loses_nothing_and_opens_one_incident(machine, fault):
    machine.network(fault)
    status, key, states = machine.send("DiskFull", "--severity", "critical")
    assert (status, states) == (10, {"page": "queued", "chat": "queued"})
    machine.network(Fault.NONE)
    machine.deliver()
    [alert] = machine.page.alerts
    # Where the answer alone was lost, the server had taken it: told twice there, opened once here.
    told = 2 if fault in {Fault.TRUNCATE, Fault.CUT} else 1
    assert alert.actions() == ["trigger"] * told
    assert machine.heads() == ["CRITICAL \u00b7 DiskFull"] * told
    machine.network(fault)
    assert machine.run("resolve", key)[0] == 10
    machine.network(Fault.NONE)
    machine.deliver()
    assert machine.page.open_alerts() == []
    assert len(machine.page.alerts) == 1
    assert machine.heads()[-1] == "RESOLVED \u00b7 DiskFull"


def test_trying_both_channels_shows_how_far_each_confirms_and_leaves_nothing_open(machine):
    status, stdout, stderr = machine.run("test", "-o", "json")
    assert status == 0, stdout + stderr
    rows = {row["channel"]: row for row in json.loads(stdout)["tests"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "page": "accepted",
        "chat": "acknowledged",
    }
    assert [alert.actions() for alert in machine.page.alerts] == [["trigger", "resolve"]]
    assert machine.heads() == ["RESOLVED \u00b7 X0ttaTest"]


def test_a_group_that_moved_is_followed_and_the_operator_is_told_by_whoever_delivers(machine):
    machine.network(Fault.REFUSE)
    assert machine.send("DiskFull")[0] == 10
    machine.network(Fault.NONE)
    new = machine.api.migrate(machine.chat)
    machine.hurry()
    status, _, stderr = machine.run("outbox", "run", "--yes")
    assert status == 0
    assert f"Set chat_id = {new}" in stderr
    assert f"has become the supergroup {new}" in machine.api.texts(new)[0]


def test_a_slow_network_is_waited_for(machine):
    machine.network(Fault.DELAY)
    assert machine.send("DiskFull")[0] == 0
    assert len(machine.page.alerts) == len(machine.heads()) == 1


def killed_when(machine, arrange, *arguments):
    """Run a command that is killed at an instant that the server chooses."""
    started = []
    arrange(lambda *_: started[0].kill() if started else None)
    started.append(machine.start(*arguments))
    assert started[0].wait(30) == -signal.SIGKILL
    heard(f"{arguments}", "".join(started[0].communicate()))
    arrange(lambda *_: None)


@pytest.mark.parametrize("victim", ["page", "chat"])
def test_a_kill_between_the_servers_work_and_its_answer_opens_one_incident(machine, victim):
    def arrange(kill):
        if victim == "page":
            machine.page.on_event = kill
        else:
            machine.api.on_call = kill

    killed_when(machine, arrange, "send", "DiskFull", "--severity", "critical")
    machine.deliver()
    [alert] = machine.page.alerts
    assert 1 <= len(alert.actions()) <= 2
    assert 1 <= len(machine.heads()) <= 2
    [key] = {alert.key for alert in machine.page.alerts}
    killed_when(machine, arrange, "resolve", key)
    machine.deliver()
    assert machine.page.open_alerts() == []
    assert len(machine.page.alerts) == 1
    # Whether it was killed before or after its answer: nothing of it stays open in the chat.
    assert machine.heads()[-1] == "RESOLVED \u00b7 DiskFull"


def test_a_kill_in_the_middle_of_a_long_text_repeats_no_other_alert(machine):
    lines = "\n".join(f"{number:05} a line of the log" for number in range(400))
    assert machine.send("Before")[0] == 0
    calls = []

    def arrange(kill):
        def second(method):
            calls.append(method)
            if len(calls) == 2:
                kill()

        machine.api.on_call = second

    killed_when(machine, arrange, "send", "Long", "--annotation", f"description={lines}")
    machine.deliver()
    heads = Counter(machine.heads())
    assert heads["WARNING \u00b7 Before"] == 1
    assert heads["WARNING \u00b7 Long"] == 2
    text = "\n".join(machine.api.texts(machine.chat))
    # Once before the kill as far as it came, and once whole.
    assert all(1 <= text.count(f"{number:05} a line") <= 2 for number in range(400))
    assert len(machine.page.alerts) == 2


def test_a_service_that_is_killed_goes_on_where_it_stopped(machine):
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "NodeDown", "severity": "critical", "node": str(number)},
            "annotations": {"summary": "down"},
            "startsAt": "2026-01-02T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
        for number in range(6)
    ]
    machine.network(Fault.CUT)
    service = machine.start("serve", "--listen", "127.0.0.1:0")
    url = service.stderr.readline().strip().rpartition("url=")[2]
    body = json.dumps({"version": "4", "alerts": alerts}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, method="POST")) as answer:
        assert answer.status == 200
    service.kill()
    heard("serve", "".join(service.communicate()))
    machine.network(Fault.NONE)
    machine.hurry()
    service = machine.start("serve", "--listen", "127.0.0.1:0")
    try:
        deadline = time.monotonic() + 60
        while len(set(nodes(machine))) < 6 and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        service.send_signal(signal.SIGTERM)
        heard("serve", "".join(service.communicate(timeout=30)))
    assert service.returncode == 143
    assert sorted(nodes(machine)) == [str(number) for number in range(6)]
    told = Counter(text.partition("node: ")[2][:1] for text in machine.api.texts(machine.chat))
    assert set(told) == {str(number) for number in range(6)}
    # One batch of one was under way when it was killed.
    assert sum(told.values()) <= 7


def nodes(machine):
    return [
        alert.events[0]["payload"]["custom_details"]["labels"]["node"]
        for alert in machine.page.alerts
    ]


def test_random_faults_and_kills_lose_nothing_and_open_nothing_twice(machine):
    chance = random.Random(11)
    faults = [Fault.NONE, Fault.NONE, Fault.CUT, Fault.REFUSE, Fault.TRUNCATE]
    killed, started = 0, []

    def kill(*_):
        started[-1].kill()

    # Whether a kill comes before the command has ended is a matter of moments.
    while len(started) < 10 or (killed < 2 and len(started) < 60):
        machine.page_way.fault, machine.chat_way.fault = chance.choices(faults, k=2)
        number = len(started)
        started.append(machine.start("send", "Many", "--label", f"n={number}"))
        machine.page.on_event = kill if chance.random() < 0.3 else lambda _: None
        machine.api.on_call = kill if chance.random() < 0.3 else lambda _: None
        heard("send", "".join(started[-1].communicate(timeout=60)))
        killed += started[-1].returncode == -signal.SIGKILL
    machine.page.on_event = machine.api.on_call = lambda _: None
    machine.network(Fault.NONE)
    machine.deliver()
    assert killed > 1
    labels = [
        alert.events[0]["payload"]["custom_details"]["labels"]["n"] for alert in machine.page.alerts
    ]
    assert sorted(labels) == sorted(map(str, range(len(started))))
    told = {
        found[1]
        for text in machine.api.texts(machine.chat)
        if (found := re.search(r"n: (\d+)", text))
    }
    assert told == set(labels)


@pytest.mark.parametrize(
    "refusal",
    [
        RefusedError(403, "Forbidden: bot was blocked by the user"),
        RefusedError(401, "Unauthorized"),
    ],
)
def test_a_chat_that_refuses_us_is_left_alone_and_told_of_by_the_other_channel(machine, refusal):
    machine.api.fail(refusal, times=99)
    status, _, states = machine.send("DiskFull", "--severity", "critical")
    assert (status, states) == (10, {"page": "accepted", "chat": "queued"})
    calls = len(machine.api.calls)
    for _ in range(2):
        machine.run("outbox", "run", "--yes")
    assert len(machine.api.calls) == calls
    [ours, down] = machine.page.alerts
    assert down.events[0]["payload"]["class"] == "AlertChannelDown"
    assert refusal.description in down.events[0]["payload"]["summary"]
    machine.api._failures.clear()
    machine.deliver()
    machine.run("outbox", "run", "--yes")
    assert [alert.key for alert in machine.page.open_alerts()] == [ours.key]
    assert machine.heads() == ["CRITICAL \u00b7 DiskFull"]


def test_a_429_is_waited_for_and_the_alert_arrives_once(machine):
    machine.api.fail(RefusedError(429, "Too Many Requests: retry after 2", retry_after=2))
    assert machine.send("DiskFull")[2] == {"page": "accepted", "chat": "queued"}
    first = time.monotonic()
    while not machine.heads():
        assert time.monotonic() - first < 30
        machine.run("outbox", "run", "--yes")
    assert machine.heads() == ["WARNING \u00b7 DiskFull"]
    assert len(machine.api.called("sendmessage")) == 2


def test_no_output_and_no_file_has_a_secret(machine, tmp_path):
    machine.network(Fault.REFUSE)
    outputs = [machine.run("send", "DiskFull", "--debug", "-o", form) for form in ("json", "table")]
    machine.network(Fault.NONE)
    machine.api.fail(RefusedError(400, f"Bad Request: {TOKEN}"))
    machine.page.fail(400)
    machine.hurry()
    outputs += [machine.run(*line) for line in (["outbox", "run", "--yes", "--debug"], ["list"])]
    outputs.append(machine.run("outbox", "list", "-o", "json"))
    assert "dead" in outputs[-1][1]
    assert "hunter2" not in "".join(map(str, outputs))
    for file in (tmp_path / "state").rglob("*"):
        assert file.is_dir() or b"hunter2" not in file.read_bytes()
