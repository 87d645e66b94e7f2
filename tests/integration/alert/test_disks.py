"""`alert` on disks that are full, or may not be written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from fakes.disks import mounted
from fakes.http_server import Answer, serving

from .conftest import X0TTA

pytestmark = pytest.mark.slow

CONFIGURATION = '[alert.channels.hook]\nkind = "webhook"\nurl = "{url}/in"\n'


@pytest.fixture
def taken():
    return []


@pytest.fixture
def configuration(taken, tmp_path):
    def answer(request):
        taken.append(request.json())
        return Answer(200)

    with serving(answer) as url:
        file = tmp_path / "x0tta.toml"
        file.write_text(CONFIGURATION.format(url=url))
        yield file


@pytest.fixture
def disk(tmp_path):
    with mounted(tmp_path / "disk", "size=1m,mode=700", lazily=True) as folder:
        yield folder


def alert(folder, configuration, *arguments):
    return subprocess.run(
        [X0TTA, "alert", *arguments[:1], "--config", str(configuration), *arguments[1:]],
        env=os.environ | {"X0TTA_STATE_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def fill(folder):
    """Leave no room at all; gives what to remove for some."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def post(url, name):
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": name},
            "startsAt": "2026-01-02T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ]
    request = urllib.request.Request(url, json.dumps({"alerts": alerts}).encode(), method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_serve_outlives_a_full_disk_and_takes_nothing_that_it_can_not_keep(
    disk, configuration, taken
):
    line = [X0TTA, "alert", "serve", "--listen", "127.0.0.1:0", "--config", str(configuration)]
    environ = os.environ | {"X0TTA_STATE_DIR": str(disk / "state")}
    with subprocess.Popen(line, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = process.stderr.readline().strip().rpartition("url=")[2]
            assert post(url, "Before") == 200
            while not taken:
                time.sleep(0.05)
            filler = fill(disk)
            while post(url, "Meanwhile") == 200:
                # The write-ahead log has room of its own left.
                pass
            assert post(url, "Meanwhile") == 503
            assert process.poll() is None
            filler.unlink()
            assert post(url, "After") == 200
            while "After" not in {each["name"] for each in taken}:
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert process.returncode == 143
    # A message may come a second time, under its number, where the disk was filled meanwhile.
    told = {each["number"]: each["name"] for each in taken}
    assert sorted(told.values())[:2] == ["After", "Before"]
    assert len(taken) <= len(told) + 1


def test_a_send_that_can_not_be_kept_is_an_error_and_tells_nobody(disk, configuration, taken):
    fill(disk)
    ended = alert(disk / "state", configuration, "send", "X", "-o", "json")
    assert ended.returncode == 7
    assert json.loads(ended.stderr.splitlines()[-1])["code"] == "state.disk_full"
    assert taken == []


def test_a_run_on_a_full_disk_runs_and_is_told_at_once(disk, configuration, taken):
    fill(disk)
    ended = alert(
        disk / "state", configuration, "run", "nightly", "--", "sh", "-c", "echo ran; exit 3"
    )
    assert (ended.returncode, ended.stdout) == (3, "ran\n")
    assert [(each["name"], each["action"]) for each in taken] == [("nightly", "fire")]


def test_a_run_beside_a_state_that_may_not_be_written_is_told_at_once(
    tmp_path, configuration, taken
):
    with mounted(tmp_path / "read-only", "ro") as folder:
        ended = alert(folder / "state", configuration, "run", "nightly", "--", "false")
    assert ended.returncode == 1
    assert [(each["name"], each["action"]) for each in taken] == [("nightly", "fire")]


def test_what_was_queued_before_the_disk_was_full_is_delivered_when_there_is_room(
    disk, configuration, taken, tmp_path
):
    nobody = tmp_path / "nobody.toml"
    nobody.write_text(CONFIGURATION.format(url="http://127.0.0.1:9"))
    assert alert(disk / "state", nobody, "send", "X").returncode == 10
    filler = fill(disk)
    # The channel rests that long after its first failure.
    time.sleep(1)
    for _ in range(3):
        ended = alert(disk / "state", configuration, "outbox", "retry")
        assert (ended.returncode, "state.disk_full" in ended.stderr) == (7, True)
        ended = alert(disk / "state", configuration, "outbox", "run")
        assert (ended.returncode, "state.disk_full" in ended.stderr) == (7, True)
    assert taken == []
    filler.unlink()
    assert alert(disk / "state", configuration, "outbox", "retry").returncode == 0
    assert alert(disk / "state", configuration, "outbox", "run").returncode == 0
    assert [(each["name"], each["action"]) for each in taken] == [("X", "fire")]
