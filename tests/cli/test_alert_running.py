"""`x0tta alert run` and `heartbeat` as cron starts them: the command comes first, whatever else."""

from __future__ import annotations

import contextlib
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
    "a route to nobody": f"{NOBODY}[[alert.routes]]\nchannels = ['gone']\n",
}


@pytest.mark.parametrize("configuration", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize(("command", "status"), [("true", 0), ("false", 1)])
def test_a_broken_configuration_keeps_no_command_from_running_and_loses_no_alert(
    alert, hook, taken, configuration, command, status
):
    ended = alert(configuration, "run", "nightly", "--", "sh", "-c", f"echo ran; {command}")
    assert (ended.returncode, ended.stdout) == (status, "ran\n")
    assert taken == []
    later = alert(hook, "outbox", "run")
    # The last two have rested a second or two after their first try.
    while later.returncode == 10:
        later = alert(hook, "outbox", "run")
    assert [(each["name"], each["action"]) for each in taken] == [("nightly", "fire")] * status


@pytest.mark.parametrize("configuration", ["[alert", ""], ids=["no TOML", "no channel"])
def test_what_nobody_can_be_told_of_yet_is_kept_and_said_where_cron_mails_it(
    alert, hook, taken, configuration
):
    ended = alert(configuration, "run", "nightly", "-o", "json", "--", "false")
    assert (ended.returncode, json.loads(ended.stdout)["alert"]) == (1, "kept")
    assert "it is kept until the configuration names a channel" in ended.stderr
    [row] = rows(alert)
    assert (row["name"], row["channel"], row["state"]) == ("nightly", "", "queued")
    assert row["detail"] == "nobody is named to be told"
    alert(configuration, "run", "nightly", "--", "true")
    assert alert(hook, "outbox", "run").returncode == 0
    assert [(each["name"], each["action"]) for each in taken] == [
        ("nightly", "fire"),
        ("nightly", "resolve"),
    ]


def started(environment, tmp_path, *options, within=()):
    """Start `alert run`, and wait until its command runs."""
    file = str(tmp_path / "alert.toml")
    process = subprocess.Popen(
        [*within, X0TTA, "alert", "run", "nightly", "--config", file, *options,
         "--", "sh", "-c", "echo on; exec sleep 60"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout.readline() == "on\n"
    return process


@pytest.fixture
def sleeper(environment, tmp_path):
    """Kill `alert run` while its command runs, as the kernel does where memory is short.

    The command that it leaves behind ends with the test.
    """
    children = []

    def kill(*options):
        process = started(environment, tmp_path, *options)
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        children.extend(map(int, listed.split()))
        process.kill()
        process.wait(30)

    yield kill
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def test_a_run_that_was_killed_is_told_of_by_whoever_delivers_next(
    alert, hook, taken, sleeper, tmp_path
):
    (tmp_path / "alert.toml").write_text(hook)
    sleeper("--severity", "critical", "--label", "site=a")
    assert alert(hook, "outbox", "run").returncode == 0
    [told] = taken
    assert (told["name"], told["action"], told["severity"]) == ("nightly", "fire", "critical")
    assert told["labels"]["site"] == "a"
    assert "ended without a word" in told["annotations"]["summary"]
    assert "sleep 60" in told["annotations"]["command"]
    alert(hook, "outbox", "run")
    assert len(taken) == 1, "it is told once"
    alert(hook, "run", "nightly", "--label", "site=a", "--", "true")
    assert [each["action"] for each in taken] == ["fire", "resolve"]


def test_a_run_that_was_killed_is_told_of_by_the_next_run_and_is_over_when_that_succeeds(
    alert, hook, taken, sleeper, tmp_path
):
    (tmp_path / "alert.toml").write_text(hook)
    sleeper()
    alert(hook, "run", "nightly", "--", "true")
    assert [each["action"] for each in taken] == ["fire", "resolve"]
    assert "ended without a word" in taken[0]["annotations"]["summary"]


def test_a_run_that_still_goes_is_none_that_was_killed(alert, hook, taken, environment, tmp_path):
    (tmp_path / "alert.toml").write_text(hook)
    process = started(environment, tmp_path)
    try:
        assert alert(hook, "outbox", "run").returncode == 0
        assert taken == []
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert [each["annotations"]["summary"].split(" after")[0] for each in taken] == [
        "nightly was killed by SIGTERM"
    ]


def test_a_run_in_a_container_is_seen_from_outside_to_go_on_and_to_be_killed(
    alert, hook, taken, environment, tmp_path
):
    (tmp_path / "alert.toml").write_text(hook)
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    # Its processes have numbers of their own, and what is in /proc is not about them.
    container = ("unshare", *user, "--pid", "--fork", "--kill-child")
    process = started(environment, tmp_path, within=container)
    try:
        assert alert(hook, "outbox", "run").returncode == 0
        assert taken == []
    finally:
        process.kill()
        process.communicate(timeout=30)
    deadline = time.monotonic() + 60
    while not taken and time.monotonic() < deadline:
        assert alert(hook, "outbox", "run").returncode == 0
    assert "ended without a word" in taken[0]["annotations"]["summary"]


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
        (["nightly", "--at-most", "0s", "--", "true"], "alert.bad_duration"),
        (["", "--", "true"], "alert.bad_name"),
        (["nightly"], "usage.missing_argument"),
    ],
)
def test_mistakes_are_told_before_anything_runs(alert, hook, line, code):
    ended = alert(hook, "run", *line[:1], "-o", "json", *line[1:])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert json.loads(ended.stderr.splitlines()[-1])["code"] == code
