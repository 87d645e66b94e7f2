"""`x0tta alert serve` under a manager that listens, and `watch` in a pipe and on a terminal."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pexpect
import pytest
from fakes.http_server import Answer, serving
from fakes.screen import Screen

pytestmark = pytest.mark.slow

X0TTA = str(Path(sys.executable).with_name("x0tta"))


class Manager:
    """Listens as systemd does: what the service says of itself, in the order in which it came."""

    def __init__(self, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.address = str(folder / "notify")
        self.socket.bind(self.address)
        self.socket.settimeout(90)
        self.said: list[str] = []

    def wait_for(self, word: str) -> str:
        while True:
            lines = self.socket.recv(65_536).decode().split("\n")
            self.said += lines
            if any(line.startswith(word) for line in lines):
                return "\n".join(lines)


class Serving:
    """A running `alert serve`, and the two receivers that it may be told of."""

    def __init__(self, folder, environment):
        self.file, self.manager = folder / "serve.toml", Manager(folder)
        self._environment = environment | {"NOTIFY_SOCKET": self.manager.address}
        self.process = None

    def start(self, configuration, *arguments):
        self.file.write_text(configuration)
        self.process = subprocess.Popen(
            [X0TTA, "alert", "serve", "--listen", "127.0.0.1:0", "--config", str(self.file),
             *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        ready = self.manager.wait_for("READY=1")
        return re.search(r"http://\S+", ready).group()

    def reload(self, configuration):
        self.file.write_text(configuration)
        self.process.send_signal(signal.SIGHUP)
        self.manager.wait_for("RELOADING=1")
        self.manager.wait_for("READY=1")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, errors = self.process.communicate(timeout=90)
        assert out == ""
        return errors


@pytest.fixture
def running(tmp_path, environment):
    serving = Serving(tmp_path, environment)
    yield serving
    if serving.process and serving.process.poll() is None:
        serving.process.kill()
        serving.process.communicate()
    serving.manager.socket.close()


@pytest.fixture
def receivers():
    """Two servers, and what each has taken as (name, action)."""
    taken = ([], [])

    def answer_of(mine):
        def answer(request):
            told = request.json()
            mine.append((told["name"], told["action"]))
            return Answer(200)

        return answer

    with serving(answer_of(taken[0])) as one, serving(answer_of(taken[1])) as two:
        yield (one, taken[0]), (two, taken[1])


def hook(url):
    return f'[alert.channels.hook]\nkind = "webhook"\nurl = "{url}/in"\n'


def post(url, name, status="firing"):
    alert = {
        "status": status,
        "labels": {"alertname": name, "severity": "critical"},
        "annotations": {},
        "startsAt": "2026-01-02T00:00:00Z",
        "endsAt": "2026-01-02T01:00:00Z",
    }
    body = json.dumps({"version": "4", "alerts": [alert]}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, method="POST")) as answer:
        return answer.status


def wait_until(there):
    end = time.monotonic() + 90
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_says_that_it_is_ready_how_it_stands_and_that_it_ends(running, receivers):
    (one, taken), _ = receivers
    url = running.start(hook(one))
    assert post(url, "A") == 200
    wait_until(lambda: taken == [("A", "fire")])
    assert "1 alerts open" in running.manager.wait_for("STATUS=1 alerts")
    running.stop()
    assert running.process.returncode == 143
    running.manager.wait_for("STOPPING=1")


def test_a_changed_configuration_takes_effect_and_a_broken_one_keeps_the_old(running, receivers):
    (one, first), (two, second) = receivers
    url = running.start(hook(one))
    post(url, "A")
    wait_until(lambda: first == [("A", "fire")])
    running.reload(hook(two))
    post(url, "B")
    wait_until(lambda: second == [("B", "fire")])
    running.reload(hook(one).replace("webhook", "wehbook"))
    post(url, "C")
    wait_until(lambda: second == [("B", "fire"), ("C", "fire")])
    errors = running.stop()
    assert first == [("A", "fire")]
    assert "not reloaded, going on as before" in errors
    assert "wehbook" in errors


def test_what_was_taken_before_the_end_is_told_or_waits_on_the_disk(running, receivers, x0tta):
    (one, taken), _ = receivers
    url = running.start(hook("http://127.0.0.1:9"))
    post(url, "A")
    running.stop()
    [row] = json.loads(x0tta("alert", "outbox", "list", "-o", "json").stdout)
    assert (row["name"], row["state"]) == ("A", "queued")
    # Another start goes on with it, here with the channel's URL corrected.
    running.start(hook(one))
    wait_until(lambda: taken == [("A", "fire")])
    running.stop()


def test_a_watchdog_that_was_missing_before_a_reload_is_known_to_come_again(running, receivers):
    (one, taken), _ = receivers
    watched = f'[alert.serve]\nwatchdog_within = "1s"\n{hook(one)}'
    url = running.start(watched)
    wait_until(lambda: taken == [("WatchdogMissing", "fire")])
    running.reload(watched + "\n")
    post(url, "Watchdog")
    wait_until(lambda: len(taken) >= 2)
    running.stop()
    assert taken[:2] == [("WatchdogMissing", "fire"), ("WatchdogMissing", "resolve")]


def test_a_manager_that_is_gone_is_no_reason_to_stop(running, receivers):
    (one, taken), _ = receivers
    url = running.start(hook(one))
    running.manager.socket.close()
    Path(running.manager.address).unlink()
    post(url, "A")
    wait_until(lambda: taken == [("A", "fire")])
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(60) == 143


@pytest.fixture
def machine(x0tta, tmp_path):
    """Run `x0tta alert …`, with a channel on which nobody answers."""
    file = tmp_path / "alert.toml"
    file.write_text(hook("http://127.0.0.1:9"))

    def run(*arguments):
        return x0tta("alert", *arguments, "--config", str(file))

    return run


def test_watch_in_a_pipe_gives_a_line_of_json_for_each_change_at_once(machine, environment):
    machine("send", "Before")
    process = subprocess.Popen(
        [X0TTA, "alert", "watch", "--every", "200ms", "-o", "json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first = json.loads(process.stdout.readline())
        assert (first["name"], first["state"]) == ("Before", "queued")
        machine("send", "After")
        second = json.loads(process.stdout.readline())
        while second["name"] == "Before":
            second = json.loads(process.stdout.readline())
        assert (second["name"], second["state"]) == ("After", "queued")
        machine("outbox", "drop", str(second["number"]), "--yes")
        third = json.loads(process.stdout.readline())
        while third["number"] != second["number"] or third["state"] == "queued":
            third = json.loads(process.stdout.readline())
        assert (third["state"], third["detail"]) == ("superseded", "dropped by hand")
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=90)
    assert process.returncode == 130, errors


def test_watch_shows_that_an_alert_came_again(machine, environment):
    machine("send", "Again")
    process = subprocess.Popen(
        [X0TTA, "alert", "watch", "--every", "200ms", "-o", "jsonl", "--fields", "name,count"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert json.loads(process.stdout.readline()) == {"name": "Again", "count": 1}
    machine("send", "Again")
    told = json.loads(process.stdout.readline())
    while told["count"] == 1:
        told = json.loads(process.stdout.readline())
    assert told == {"name": "Again", "count": 2}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=90)
    assert process.returncode == 143


def test_watch_on_a_terminal_is_redrawn_until_ctrl_c(machine, environment):
    machine("send", "Before")
    screen = Screen(30, 100)
    shown = pexpect.spawn(
        X0TTA, ["alert", "watch", "--every", "200ms"], env=environment, dimensions=(30, 100),
        encoding="utf-8", timeout=90,
    )  # fmt: skip

    def read_until(words):
        while words not in screen.text:
            screen.feed(shown.read_nonblocking(65_536, timeout=60))

    read_until("1 alerts are open, 1 deliveries wait, 0 dead letters")
    assert re.search(r"1 Before +fire +hook +queued +POST", screen.text)
    machine("send", "After")
    read_until("2 alerts are open, 2 deliveries wait")
    machine("outbox", "drop", "1", "--yes")
    read_until("1 Before  fire    hook  superseded  dropped by hand")
    assert "1 deliveries wait" in screen.text
    assert screen.text.count("WAITS") == screen.text.count("LATEST") == 1
    shown.sendintr()
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.exitstatus == 130


def test_watch_waits_for_an_outbox_that_is_not_there_yet(machine, environment):
    process = subprocess.Popen(
        [X0TTA, "alert", "watch", "--every", "200ms", "-o", "json"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    machine("send", "First")
    assert json.loads(process.stdout.readline())["name"] == "First"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=90)


def test_watch_ends_when_nobody_reads_it(machine, environment):
    machine("send", "Before")
    line = f"{X0TTA} alert watch --every 200ms -o json | head -n 1; echo ${{PIPESTATUS[0]}}"
    process = subprocess.Popen(
        ["bash", "-c", line], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert json.loads(process.stdout.readline())["name"] == "Before"
    # It gets to know it with the next row.
    machine("send", "After")
    assert process.communicate(timeout=90)[0].strip() == "141"
