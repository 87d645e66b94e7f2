"""`x0tta alert heartbeat` as a process: the metric that a shipped rule misses when it ages."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def samples(file):
    return dict(
        line.rsplit(" ", 1) for line in file.read_text().splitlines() if not line.startswith("#")
    )


def test_a_heartbeat_is_a_metric_with_its_interval(alert, tmp_path):
    before = time.time()
    line = ["nightly-backup", "--every", "24h", "--textfile-dir", str(tmp_path)]
    ended = alert("", "heartbeat", *line, "-o", "json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    written = samples(Path(told["file"]))
    stamp = float(written['x0tta_heartbeat_timestamp_seconds{name="nightly-backup"}'])
    assert before <= stamp <= time.time()
    assert float(written['x0tta_heartbeat_interval_seconds{name="nightly-backup"}']) == 86_400
    # The collector runs as another user.
    assert Path(told["file"]).stat().st_mode & 0o444 == 0o444


def test_a_heartbeats_folder_stands_in_the_configuration_or_on_the_line(alert, tmp_path):
    own = f'[alert]\ntextfile_dir = "{tmp_path}"\n'
    assert alert(own, "heartbeat", "a").returncode == 0
    # The line's folder wins, and then a broken configuration is not even read.
    other = tmp_path / "other"
    other.mkdir()
    assert alert("[alert", "heartbeat", "a", "--textfile-dir", str(other)).returncode == 0
    assert [file.name for file in other.iterdir()] == ["x0tta_heartbeat_a.prom"]
    missing = alert("", "heartbeat", "a", "--textfile-dir", str(tmp_path / "none"), "-o", "json")
    assert json.loads(missing.stderr)["code"] == "files.no_such_folder"


@pytest.mark.parametrize("name", ["../etc", "a b", 'a"} 1\n', "", "-a", "ö"])
def test_a_name_that_could_be_no_file_is_refused(alert, tmp_path, name):
    ended = alert("", "heartbeat", "--textfile-dir", str(tmp_path), "-o", "json", "--", name)
    assert ended.returncode == 2
    assert json.loads(ended.stderr)["code"] == "textfile.bad_name"


def test_a_clock_that_was_ahead_is_told_of(alert, tmp_path):
    line = ["a", "--textfile-dir", str(tmp_path)]
    alert("", "heartbeat", *line)
    file = tmp_path / "x0tta_heartbeat_a.prom"
    ahead = time.time() + 3600
    file.write_text(re.sub(r"(seconds\{name=\"a\"\}) \S+", rf"\1 {ahead}", file.read_text()))
    ended = alert("", "heartbeat", *line)
    assert ended.returncode == 0
    assert "from a time to come" in ended.stderr
    assert alert("", "heartbeat", *line).stderr == ""


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Anchorage", "No/Where"])
def test_a_heartbeat_knows_no_time_zone(alert, tmp_path, zone):
    before = time.time()
    alert("", "heartbeat", "a", "--textfile-dir", str(tmp_path), env={"TZ": zone})
    written = samples(tmp_path / "x0tta_heartbeat_a.prom")
    assert before <= float(written['x0tta_heartbeat_timestamp_seconds{name="a"}']) <= time.time()


def test_a_planned_heartbeat_is_not_written(alert, tmp_path):
    ended = alert("", "heartbeat", "a", "--textfile-dir", str(tmp_path), "--dry-run")
    assert ended.returncode == 0
    assert not (tmp_path / "x0tta_heartbeat_a.prom").exists()
