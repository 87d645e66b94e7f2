"""`x0tta alert send`, `resolve`, `list`, `outbox` and `serve` as processes, over real sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from x0tta_cli.drill.receiver import running_receiver

pytestmark = pytest.mark.slow


@pytest.fixture
def receiver():
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
def alert(x0tta, receiver, tmp_path):
    def run(*arguments, **options):
        if "urls" not in options:
            options["urls"] = [receiver.base_url]
        listed = ", ".join(f'"{url}"' for url in options.pop("urls"))
        file = tmp_path / "alert.toml"
        file.write_text(f'[alert.channels.am]\nkind = "alertmanager"\nurls = [{listed}]\n')
        return x0tta("alert", *arguments, "--config", str(file), **options)

    return run


def test_send_tells_what_became_of_it_and_when_the_lease_ends(alert):
    ended = alert("send", "HighLatency", "--severity", "critical", "--label", "component=cart")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "visible" in ended.stdout
    assert "unless alert serve or alert outbox run renews it" in " ".join(ended.stdout.split())
    told = json.loads(alert("send", "HighLatency", "-o", "json").stdout)
    assert {"key", "name", "severity", "deliveries"} <= set(told)
    assert {"channel", "peer", "state", "attempts", "detail"} <= set(told["deliveries"][0])


def test_a_plan_tells_nobody(alert, receiver):
    ended = alert("send", "X", "--dry-run", "--exit-code", "-o", "json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["channels"] == ["am"]
    assert receiver.active() == []
    assert json.loads(alert("outbox", "list", "-o", "json").stdout) == []


def test_what_nobody_takes_waits_in_the_outbox_and_ends_with_10(alert, receiver):
    ended = alert("send", "X", "-o", "json", urls=["http://127.0.0.1:9"])
    assert ended.returncode == 10
    [delivery] = json.loads(ended.stdout)["deliveries"]
    assert delivery["state"] == "queued"
    [row] = json.loads(alert("outbox", "list", "-o", "json").stdout)
    assert (row["name"], row["state"]) == ("X", "queued")
    assert "wait in the outbox" in alert("list").stdout or row["attempts"] >= 1
    dropped = alert("outbox", "drop", str(row["number"]), "--yes", "-o", "json")
    assert json.loads(dropped.stdout) == {"rows": 1, "outcome": "dropped", "would_change": False}


def test_status_says_what_is_open_and_what_waits(alert, x0tta):
    alert("send", "X", urls=["http://127.0.0.1:9"])
    shown = x0tta("status").stdout
    assert "1 deliveries wait in the outbox" in shown
    assert "1 alerts are open" in shown


def test_the_same_key_resolves_what_it_opened(alert, receiver):
    told = json.loads(alert("send", "X", "--dedup-key", "mine", "-o", "json").stdout)
    assert told["key"] == "mine"
    assert alert("resolve", "mine").returncode == 0
    assert receiver.active() == []


def test_the_list_shows_the_key_that_resolves_here_at_the_alertmanager_too(alert, receiver):
    line = ["--dedup-key", "mine", "--label", "größe=1", "-o", "json"]
    assert alert("send", "X", *line).returncode == 0
    rows = json.loads(alert("list", "-o", "json").stdout)
    assert [(row["at"], row["key"]) for row in rows] == [
        (receiver.base_url, "mine"),
        ("this machine", "mine"),
    ]


def test_bytes_that_are_no_text_cost_no_alert(alert, receiver):
    broken = os.fsdecode(b"Z\xfcrich")
    line = ["--label", f"site={broken}", "--annotation", f"where={broken}"]
    told = json.loads(alert("send", "X", *line, "-o", "json").stdout)
    assert [each["state"] for each in told["deliveries"]] == ["visible"]
    [active] = receiver.active()
    assert (active.labels["site"], active.annotations["where"]) == ("Z?rich", "Z?rich")
    assert alert("resolve", told["key"]).returncode == 0
    assert receiver.active() == []
    assert alert("resolve", broken).returncode == 4


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (["send", "X", "--severity", "boom"], 2, "alert.bad_severity"),
        (["send", "X", "--label", "nothing"], 2, "alert.bad_pair"),
        (["send", "X", "--dedup-key", "k" * 256], 2, "alert.bad_key"),
        (["send", ""], 2, "alert.bad_name"),
        (["send", " \t"], 2, "alert.bad_name"),
        (["send", "two\nlines"], 2, "alert.bad_name"),
        (["send", "n" * 201], 2, "alert.bad_name"),
        (["send", "X", "--lasting", "0s"], 2, "alert.bad_duration"),
        (["send", "X", "--lasting", "99999999d"], 2, "alert.bad_duration"),
        (["send", "X", "--lasting", ""], 2, "times.bad_duration"),
        (["send", "X", "--since", "+1h"], 2, "alert.bad_start"),
        (["acknowledge", "k", "--for", "0s"], 2, "alert.bad_duration"),
        (["silence", "add", "a=b", "--for", "99999999d"], 2, "alert.bad_duration"),
        (["outbox", "run", "--within", "0s"], 2, "alert.bad_duration"),
        (["watch", "--every", "0s"], 2, "alert.bad_duration"),
        (["heartbeat", "x", "--every", "0s"], 2, "alert.bad_duration"),
        (["outbox", "drop", "9" * 20, "--yes"], 2, "usage.bad_value"),
        (["resolve", "x0tta-nothing"], 4, "alert.unknown_key"),
        (["outbox", "retry", "17"], 4, "alert.unknown_row"),
        (["silence", "add", "nothing"], 2, "alert.bad_matcher"),
        (["send", "X", "--read-only"], 6, "run.read_only"),
    ],
)
def test_mistakes_have_their_codes(alert, line, status, code):
    ended = alert(*line, "-o", "json")
    assert ended.returncode == status
    assert json.loads(ended.stderr.splitlines()[-1])["code"] == code


@pytest.mark.parametrize("line", [["serve"], ["serve", "--dry-run"]], ids=" ".join)
@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ("", "alert.no_channel"),
        (
            '[alert.channels.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:9/"\n'
            "[[alert.routes]]\nchannels = ['gone']\n",
            "alert.unknown_channel",
        ),
    ],
    ids=["no channel", "a route to nobody"],
)
def test_who_has_nobody_to_tell_says_so_at_once(x0tta, tmp_path, line, configuration, code):
    file = tmp_path / "alert.toml"
    file.write_text(configuration)
    ended = x0tta("alert", *line, "--config", str(file), "-o", "json")
    assert (ended.returncode, ended.stdout) == (9, "")
    assert json.loads(ended.stderr.splitlines()[-1])["code"] == code
    assert not (tmp_path / "state" / "journal.sqlite3").exists()


@pytest.mark.parametrize("configuration", ["[alert", "", "alert = 7\n"], ids=range(3))
def test_what_is_sent_beside_a_broken_configuration_is_kept_until_somebody_can_be_told(
    x0tta, alert, receiver, tmp_path, configuration
):
    file = tmp_path / "broken.toml"
    file.write_text(configuration)
    ended = x0tta("alert", "send", "X", "--config", str(file), "-o", "json")
    assert ended.returncode == 10
    assert "it is kept until the configuration names a channel" in ended.stderr
    [delivery] = json.loads(ended.stdout)["deliveries"]
    assert (delivery["channel"], delivery["state"]) == ("", "queued")
    assert alert("outbox", "run").returncode == 0
    assert [each.labels["alertname"] for each in receiver.active()] == ["X"]


def test_a_mistake_beside_a_channel_keeps_no_alert_from_it(x0tta, receiver, tmp_path):
    file = tmp_path / "broken.toml"
    file.write_text(
        f'[alert]\nlasting = 7\n[alert.channels.am]\nkind = "alertmanager"\n'
        f'urls = ["{receiver.base_url}"]\n[alert.channels.page]\nkind = "pagerduty"\n'
        '[[alert.routes]]\nchannels = ["gone"]\n'
    )
    ended = x0tta("alert", "send", "X", "--config", str(file))
    assert ended.returncode == 0
    assert [each.labels["alertname"] for each in receiver.active()] == ["X"]
    for words in ("a channel is left out", "the default is taken", "a channel that there is not"):
        assert words in ended.stderr


def test_a_channel_that_lacks_its_extra_says_what_installs_it(x0tta, tmp_path):
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(
        "import sys\nsys.modules['apprise'] = None\n"
    )
    file = tmp_path / "alert.toml"
    file.write_text('[alert.channels.chat]\nkind = "apprise"\nurl = { env = "CHAT" }\n')
    machine = {"PYTHONPATH": str(tmp_path / "without"), "CHAT": "json://127.0.0.1:9"}
    for line, status in ((["test"], 3), (["send", "X"], 10)):
        ended = x0tta("alert", *line, "--config", str(file), "-o", "json", env=machine)
        assert ended.returncode == status
        assert "pip install 'x0tta[apprise]'" in ended.stdout


NOTIFICATION = {
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "FromAlertmanager", "severity": "page", "node": "7"},
            "annotations": {"summary": "down"},
            "startsAt": "2026-01-02T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus/graph",
        }
    ],
}


def post(url, payload):
    request = urllib.request.Request(url, json.dumps(payload).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return answer.status


def test_serve_takes_notifications_delivers_them_and_drains_on_sigterm(environment, tmp_path):
    taken = []
    from fakes.http_server import Answer, serving

    def answer(request):
        taken.append(request.json())
        return Answer(200)

    with serving(answer) as hook:
        file = tmp_path / "serve.toml"
        file.write_text(f'[alert.channels.hook]\nkind = "webhook"\nurl = "{hook}/in"\n')
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("x0tta")), "alert", "serve", "--listen",
             "127.0.0.1:0", "--config", str(file)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            url = process.stderr.readline().strip().rpartition("url=")[2]
            assert post(url, NOTIFICATION) == 200
            while not taken:
                time.sleep(0.05)
            over = NOTIFICATION["alerts"][0] | {
                "status": "resolved",
                "endsAt": "2026-01-02T01:00:00Z",
            }
            assert post(url, {"alerts": [over]}) == 200
        finally:
            process.send_signal(signal.SIGTERM)
            errors = process.communicate(timeout=30)[1]
    assert process.returncode == 143, errors
    assert [(each["name"], each["action"]) for each in taken] == [
        ("FromAlertmanager", "fire"),
        ("FromAlertmanager", "resolve"),
    ]
    assert taken[0]["severity"] == "critical"
    assert taken[1]["annotations"] == {"summary": "down"}
