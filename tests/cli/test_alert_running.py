"""`x0tta alert run` and `heartbeat` as cron starts them: the command comes first, whatever else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from fakes.http_server import Answer, serving
from fakes.secrets_used import TOKEN

X0TTA = str(Path(sys.executable).with_name("x0tta"))
pytestmark = pytest.mark.slow

NOBODY = '[alert.channels.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:9/in"\n'


@pytest.fixture
def taken():
    return []


@pytest.fixture
def hook(taken):
    def answer(request):
        taken.append(request.json())
        return Answer(200)

    with serving(answer) as url:
        yield f'[alert.channels.hook]\nkind = "webhook"\nurl = "{url}/in"\n'


@pytest.fixture
def alert(x0tta, tmp_path):
    """Run `x0tta alert …` with a configuration."""

    def run(configuration, name, *arguments, **options):
        file = tmp_path / "alert.toml"
        file.write_text(configuration)
        return x0tta("alert", name, "--config", str(file), *arguments, **options)

    return run


def rows(alert):
    return json.loads(alert(NOBODY, "outbox", "list", "--all", "-o", "json").stdout)


def test_output_and_status_are_the_commands_own(alert, hook, taken):
    script = "echo out; echo err >&2; exit 7"
    ended = alert(hook, "run", "nightly", "--", "sh", "-c", script)
    assert (ended.returncode, ended.stdout) == (7, "out\n")
    assert ended.stderr.startswith("err\n")
    assert "nightly ended with status 7" in ended.stderr
    [told] = taken
    assert (told["name"], told["severity"], told["action"]) == ("nightly", "error", "fire")
    assert told["annotations"]["status"] == "7"
    assert told["annotations"]["command"] == f"sh -c '{script}'"
    assert sorted(told["annotations"]["output"].split("\n")) == ["err", "out"]
    assert {"started_at", "duration"} <= set(told["annotations"])


def test_success_says_nothing_and_ends_what_failed_before(alert, hook, taken):
    ended = alert(hook, "run", "nightly", "--", "echo", "fine")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "fine\n", "")
    assert taken == []
    alert(hook, "run", "nightly", "--label", "site=a", "--", "false")
    alert(hook, "run", "nightly", "--", "true")
    assert [each["action"] for each in taken] == ["fire"], "another alert is not ended"
    alert(hook, "run", "nightly", "--label", "site=a", "--", "true")
    assert [each["action"] for each in taken] == ["fire", "resolve"]
    assert taken[1]["labels"] == taken[0]["labels"]
    assert taken[1]["annotations"]["status"] == "1"
    assert "It succeeded after" in taken[1]["annotations"]["recovered"]


@pytest.mark.parametrize(
    ("line", "status", "summary"),
    [
        (["sh", "-c", "kill -SEGV $$"], 139, "was killed by SIGSEGV"),
        (["no-such-command"], 127, "could not be started (no-such-command: No such file"),
        (["/etc"], 126, "could not be started (/etc: Permission denied)"),
    ],
)
def test_every_way_to_fail_is_told(alert, hook, taken, line, status, summary):
    ended = alert(hook, "run", "nightly", "--severity", "critical", "--", *line)
    assert ended.returncode == status
    assert summary in taken[0]["annotations"]["summary"]
    assert taken[0]["severity"] == "critical"


def test_at_most_ends_it(alert, hook, taken):
    ended = alert(hook, "run", "nightly", "--at-most", "300ms", "--", "sleep", "1000")
    assert ended.returncode == 124
    assert "was not done within 300ms" in taken[0]["annotations"]["summary"]


def test_the_timeout_of_x0tta_ends_it_too_and_is_told(alert, hook, taken):
    ended = alert(hook, "run", "nightly", "--timeout", "8s", "--", "sleep", "1000")
    assert ended.returncode == 7
    assert "run.timed_out" in ended.stderr
    assert "was not done in time" in taken[0]["annotations"]["summary"]


def test_the_end_of_much_output_is_told_and_made_safe(alert, hook, taken):
    script = r"seq 1 50000; printf '\033[2J50%%\rall\342\200\256 done\n'; exit 1"
    ended = alert(hook, "run", "nightly", "--", "sh", "-c", script)
    assert len(ended.stdout.split("\n")) == 50_003
    output = taken[0]["annotations"]["output"].split("\n")
    assert re.fullmatch(r"… \(\d+ lines before\)", output[0])
    assert output[-1] == "all\\u202e done"
    assert output[-2] == "50000"
    assert len(output) == 21


def test_the_alert_is_on_the_disk_where_nobody_answers(alert):
    ended = alert(NOBODY, "run", "nightly", "--", "false")
    assert ended.returncode == 1
    [row] = rows(alert)
    assert (row["name"], row["action"], row["state"]) == ("nightly", "fire", "queued")


def test_for_programs_the_result_is_alone_on_stdout(alert, hook):
    script = "echo out; echo err >&2; exit 3"
    ended = alert(hook, "run", "nightly", "-o", "json", "--", "sh", "-c", script)
    assert ended.returncode == 3
    result = json.loads(ended.stdout)
    assert (result["ending"], result["status"], result["alert"]) == ("failed", 3, "fired")
    assert [each["state"] for each in result["deliveries"]] == ["acknowledged"]
    assert "out\n" in ended.stderr
    assert "err\n" in ended.stderr


BROKEN = {
    "no TOML": "[alert",
    "no channel": "",
    "a missing secret": NOBODY.replace("webhook", "pagerduty") + 'routing_key = {env = "NONE"}\n',
}


@pytest.mark.parametrize("configuration", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize(("command", "status"), [("true", 0), ("false", 1)])
def test_a_broken_configuration_keeps_no_command_from_running(
    alert, configuration, command, status
):
    ended = alert(configuration, "run", "nightly", "--", "sh", "-c", f"echo ran; {command}")
    assert (ended.returncode, ended.stdout) == (status, "ran\n")
    assert ("level=error" in ended.stderr) == (status != 0 or configuration == "[alert")


def test_a_mistake_beside_a_channel_keeps_it_from_nothing(alert, hook, taken):
    wrong = f"[alert]\nlasting = 7\n{hook}[alert.channels.page]\nkind = 'pagerduty'\n"
    ended = alert(wrong, "run", "nightly", "--", "false")
    assert ended.returncode == 1
    assert [each["name"] for each in taken] == ["nightly"]
    assert "a channel is left out" in ended.stderr
    assert "the default is taken" in ended.stderr


def test_a_damaged_outbox_is_passed_by(alert, hook, taken, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.sqlite3").write_bytes(b"no database" * 1000)
    ended = alert(hook, "run", "nightly", "--", "sh", "-c", "echo ran; exit 2")
    assert (ended.returncode, ended.stdout) == (2, "ran\n")
    assert "the outbox can't be used" in ended.stderr
    assert [(each["name"], each["action"]) for each in taken] == [("nightly", "fire")]


def test_secrets_in_output_and_command_are_not_told(alert, hook, taken):
    # Built by the shell, so that the secret is in no line that this test writes down.
    script = 'echo "password=$SECRET"; exit 1'
    ended = alert(hook, "run", "nightly", "--", "sh", "-c", script, env={"SECRET": "swordfish9"})
    assert ended.returncode == 1
    assert "swordfish9" not in json.dumps(taken)
    assert "password=[redacted]" in taken[0]["annotations"]["output"]
    assert TOKEN not in json.dumps(taken)


def test_a_run_that_overlaps_the_one_before_says_so(alert, hook, taken, environment, tmp_path):
    go = tmp_path / "go"
    os.mkfifo(go)
    first = subprocess.Popen(
        [X0TTA, "alert", "run", "nightly", "--config", str(tmp_path / "alert.toml"), "--",
         "sh", "-c", f"echo on; cat {go}"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    (tmp_path / "alert.toml").write_text(hook)
    assert first.stdout.readline() == "on\n"
    ended = alert(hook, "run", "nightly", "-o", "json", "--", "false")
    go.write_text("")
    first.communicate(timeout=30)
    assert json.loads(ended.stdout)["overlapped"] is True
    assert "the run before has not ended yet" in ended.stderr
    assert "overlap" in taken[0]["annotations"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_go_to_the_command_which_says_how_it_ends(
    environment, hook, taken, tmp_path, number
):
    (tmp_path / "alert.toml").write_text(hook)
    name = signal.Signals(number).name.removeprefix("SIG")
    script = f"trap 'echo cleaned; exit 42' {name}; echo on; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [X0TTA, "alert", "run", "nightly", "--config", str(tmp_path / "alert.toml"), "--",
         "sh", "-c", script],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout.readline() == "on\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == "cleaned\n"
    assert process.returncode == 42
    assert taken[0]["annotations"]["status"] == "42"


def test_ctrl_c_on_a_terminal_reaches_the_command_once(environment, hook, taken, tmp_path):
    (tmp_path / "alert.toml").write_text(hook)
    script = "trap 'echo got' INT; echo on; for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done; exit 6"
    shown = pexpect.spawn(
        X0TTA,
        [
            "alert",
            "run",
            "nightly",
            "--config",
            str(tmp_path / "alert.toml"),
            "--",
            "sh",
            "-c",
            script,
        ],
        env=environment,
        encoding="utf-8",
        timeout=30,
    )
    shown.expect("on")
    shown.sendintr()
    shown.expect(pexpect.EOF)
    shown.close()
    assert shown.before.count("got") == 1
    assert shown.exitstatus == 6


def test_a_plan_runs_nothing(alert, hook, tmp_path):
    mark = tmp_path / "mark"
    ended = alert(hook, "run", "nightly", "--dry-run", "-o", "json", "--", "touch", str(mark))
    assert json.loads(ended.stdout)["channels"] == ["hook"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["nightly", "--severity", "boom", "--", "true"], "alert.bad_severity"),
        (["nightly", "--label", "x", "--", "true"], "alert.bad_pair"),
        (["nightly", "--at-most", "soon", "--", "true"], "times.bad_duration"),
        (["nightly"], "usage.missing_argument"),
    ],
)
def test_mistakes_are_told_before_anything_runs(alert, hook, line, code):
    ended = alert(hook, "run", *line[:1], "-o", "json", *line[1:])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert json.loads(ended.stderr.splitlines()[-1])["code"] == code


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
