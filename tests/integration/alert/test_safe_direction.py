"""Ending, acknowledging and silencing go on where the journal or the configuration is broken."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess

import pytest
from fakes import secrets_used
from fakes.disks import mounted
from fakes.pagerduty import ROUTING_KEY, running_pagerduty

from .conftest import X0TTA

pytestmark = pytest.mark.slow


class Machine:
    """Runs `x0tta alert` with an Alertmanager and PagerDuty, in a state folder of its own."""

    def __init__(self, folder, am_url, page_url):
        self.file, self.state = folder / "alert.toml", folder / "state"
        self.channels = (
            f'[alert.channels.am]\nkind = "alertmanager"\nurls = ["{am_url}"]\n'
            f'[alert.channels.page]\nkind = "pagerduty"\nbase_url = "{page_url}"\n'
            'routing_key = { env = "PAGE" }\n'
        )
        self.configure("")

    def configure(self, more):
        self.file.write_text(more + self.channels)

    def run(self, *arguments, state=None):
        variables = {"X0TTA_STATE_DIR": str(state or self.state), "PAGE": ROUTING_KEY, "TZ": "UTC"}
        ended = subprocess.run(
            [X0TTA, "alert", *arguments, "--config", str(self.file), "-o", "json"],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        secrets_used.heard(f"{arguments}", ended.stdout + ended.stderr)
        return ended

    def opened(self, name, *arguments):
        ended = self.run("send", name, *arguments)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)["key"]


@pytest.fixture
def page():
    with running_pagerduty() as running:
        yield running


@pytest.fixture
def machine(tmp_path, alertmanager, page):
    return Machine(tmp_path, alertmanager.url, page.base_url)


def corrupt(machine):
    (machine.state / "journal.sqlite3").write_bytes(b"no database at all" * 1000)


def newer(machine):
    with sqlite3.connect(machine.state / "journal.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def in_the_way(machine):
    for file in sorted(machine.state.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    machine.state.rmdir()
    machine.state.write_text("a file where the folder should be")


BREAKAGES = pytest.mark.parametrize("break_it", [corrupt, newer, in_the_way])


@BREAKAGES
def test_a_resolve_reaches_every_server_beside_a_broken_journal(
    machine, alertmanager, page, break_it
):
    name = f"Resolved{break_it.__name__.title().replace('_', '')}"
    key = machine.opened(name)
    break_it(machine)
    ended = machine.run("resolve", key)
    assert ended.returncode == 0, ended.stderr
    assert "the outbox can't be used" in ended.stderr
    assert name not in alertmanager.names()
    assert page.open_alerts() == []
    told = json.loads(ended.stdout)
    assert {each["channel"] for each in told["deliveries"]} == {"am", "page"}


@BREAKAGES
def test_an_acknowledgement_does_too(machine, alertmanager, page, break_it):
    name = f"Acknowledged{break_it.__name__.title().replace('_', '')}"
    key = machine.opened(name)
    break_it(machine)
    ended = machine.run("acknowledge", key, "--for", "1h")
    assert ended.returncode == 0, ended.stderr
    assert [alert.status for alert in page.open_alerts()] == ["acknowledged"]
    assert [each for each in alertmanager.silences("active") if key in each["comment"]]


@BREAKAGES
def test_a_silence_does_too_and_ends_too(machine, alertmanager, break_it):
    machine.opened("Anything")
    break_it(machine)
    made = machine.run("silence", "add", f"alertname={break_it.__name__}", "--for", "1h", "--yes")
    assert made.returncode == 0, made.stderr
    assert "the journal can't be used" in made.stderr
    [row] = json.loads(made.stdout)
    over = machine.run("silence", "expire", row["id"], "--yes")
    assert over.returncode == 0, over.stderr
    assert row["id"] not in {each["id"] for each in alertmanager.silences("active")}


def test_a_disk_that_takes_no_writes_is_a_warning(tmp_path, machine, alertmanager, page):
    with mounted(tmp_path / "disk", "size=8m", lazily=True) as disk:
        machine.state = disk / "state"
        key = machine.opened("ReadOnlyDisk")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        ended = machine.run("resolve", key)
    assert ended.returncode == 0, ended.stderr
    assert "the outbox can't be used" in ended.stderr
    assert "ReadOnlyDisk" not in alertmanager.names()
    assert page.open_alerts() == []


def test_a_key_of_ones_own_ends_where_servers_know_keys(machine, page):
    machine.opened("OwnKey", "--dedup-key", "mine")
    corrupt(machine)
    ended = machine.run("resolve", "mine")
    assert ended.returncode == 0, ended.stderr
    assert page.open_alerts() == []
    # Alertmanager has no keys: it ends the alert with its lease.
    assert {each["channel"] for each in json.loads(ended.stdout)["deliveries"]} == {"page"}


def test_what_another_machine_opened_is_found_and_ended(machine, alertmanager, page, tmp_path):
    key = machine.opened("Elsewhere")
    ended = machine.run("resolve", key, state=tmp_path / "another")
    assert ended.returncode == 0, ended.stderr
    assert "Elsewhere" not in alertmanager.names()
    assert page.open_alerts() == []


def test_a_key_that_nobody_knows_is_still_unknown(machine, page):
    ended = machine.run("resolve", "x0tta-nothing")
    assert ended.returncode == 4
    assert json.loads(ended.stderr.splitlines()[-1])["code"] == "alert.unknown_key"
    assert page.events == []


def test_a_server_that_does_not_answer_then_is_no_success(machine, alertmanager, page):
    key = machine.opened("Unheard")
    corrupt(machine)
    page.fail(500, times=10)
    ended = machine.run("resolve", key)
    assert ended.returncode == 3
    states = {each["channel"]: each["state"] for each in json.loads(ended.stdout)["deliveries"]}
    assert states == {"am": "acknowledged", "page": "dead"}


MISTAKES = {
    "a wrong value": "[alert]\nlasting = 7\n",
    "a broken channel": '[alert.channels.chat]\nkind = "telegram"\n',
    "an unknown key": "[alert]\nlastign = '4h'\n",
    "a route to a broken channel": '[[alert.routes]]\nchannels = ["chat", "am", "page"]\n'
    '[alert.channels.chat]\nkind = "telegram"\n',
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_broken_configuration_is_a_warning(machine, alertmanager, page, mistake):
    key = machine.opened("Misconfigured")
    machine.configure(mistake)
    acknowledged = machine.run("acknowledge", key)
    assert acknowledged.returncode == 0, acknowledged.stderr
    assert "the section [alert] is not valid" in acknowledged.stderr
    silenced = machine.run("silence", "add", "alertname=Misconfigured", "--for", "1m", "--yes")
    assert silenced.returncode == 0, silenced.stderr
    ended = machine.run("resolve", key)
    assert ended.returncode == 0, ended.stderr
    assert "Misconfigured" not in alertmanager.names()
    assert page.open_alerts() == []


def test_beside_what_is_no_configuration_at_all_an_end_is_kept_and_told_later(
    machine, alertmanager, page
):
    key = machine.opened("Unreadable")
    right = machine.file.read_text()
    machine.file.write_text("[alert")
    for line in (["acknowledge", key], ["resolve", key]):
        kept = machine.run(*line)
        assert kept.returncode == 10, kept.stderr
        assert "it is kept until the configuration names a channel" in kept.stderr
    assert machine.run("resolve", "x0tta-nothing").returncode == 4
    machine.file.write_text(right)
    assert machine.run("outbox", "run").returncode == 0
    assert "Unreadable" not in alertmanager.names()
    assert page.open_alerts() == []
