"""How commands end when something outside gets in the way."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def start(line, environment, **options):
    return subprocess.Popen(
        line,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_an_error_says_what_why_and_how_to_mend_it(practice):
    ended = practice("practice", "fail", "down")
    assert ended.returncode == 7
    assert ended.stderr == (
        "error: The server at http://[::1]:9 can't be reached.\n"
        "  why   Connection refused: nothing listens there.\n"
        "  mend  Start it.\n"
        "  code  http.unreachable (x0tta explain http.unreachable)\n"
    )


def test_an_error_is_one_rfc_9457_object_for_programs(practice):
    problem = json.loads(practice("practice", "fail", "down", "-o", "json").stderr)
    assert problem["type"] == "urn:x0tta:error:http.unreachable"
    assert problem["detail"] == "The server at http://[::1]:9 can't be reached."
    assert (problem["exit_status"], problem["retryable"]) == (7, True)


def test_what_nobody_foresaw_leaves_a_report_without_secrets(practice, tmp_path):
    ended = practice("practice", "fail", "badly")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    (report,) = (tmp_path / "state").glob("crash-*.txt")
    assert str(report) in ended.stderr
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "practice fail badly" in text
    assert "in fail" in text
    assert "hunter2-abcdefgh" not in text + ended.stderr


def test_the_report_goes_to_the_temporary_folder_where_there_is_no_state(practice, tmp_path):
    blocked = tmp_path / "a-file"
    blocked.touch()
    env = {"X0TTA_STATE_DIR": str(blocked / "state"), "TMPDIR": str(tmp_path)}
    ended = practice("practice", "fail", "badly", env=env)
    assert ended.returncode == 1
    (report,) = tmp_path.glob("crash-*.txt")
    assert str(report) in ended.stderr


def test_debug_shows_the_traceback(practice):
    ended = practice("practice", "fail", "badly", "--debug")
    assert "Traceback" in ended.stderr
    assert r"token=[redacted] \x1b[31m" in ended.stderr
    assert "hunter2-abcdefgh" not in ended.stderr
    assert ended.stderr.rstrip().endswith("internal (x0tta explain internal)")


@pytest.mark.parametrize("how", ["sleep", "swallow", "wrap", "drop"])
@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        (signal.SIGTERM, 143, "run.terminated"),
        (signal.SIGHUP, 143, "run.terminated"),
        (signal.SIGINT, 130, "run.interrupted"),
    ],
)
def test_a_signal_ends_a_command_after_its_clean_up(
    environment, practice_line, tmp_path, how, number, status, code
):
    cleaned = tmp_path / "cleaned"
    line = ["practice", "wait", "--how", how, "--cleaned", str(cleaned), "-o", "json"]
    process = start([*practice_line, *line], environment)
    assert process.stderr.readline() == "waiting\n"
    process.send_signal(number)
    shown, told = process.communicate(timeout=30)
    assert (process.returncode, shown) == (status, "")
    assert json.loads(told)["code"] == code
    assert cleaned.exists()


def test_a_signal_while_packages_load_is_no_traceback(environment, practice_line):
    for pause_s in (0.02, 0.06, 0.1, 0.15):
        process = start([*practice_line, "practice", "list", "--count", "100000"], environment)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(pause_s)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
        # Before the first line of ours runs, the signal ends Python itself.
        assert process.returncode in {143, -signal.SIGTERM}
        assert "Traceback" not in told
        assert "ignored" not in told


def test_what_nohup_ignores_stays_ignored(environment, practice_line, tmp_path):
    cleaned = tmp_path / "cleaned"
    line = [*practice_line, "practice", "wait", "--cleaned", str(cleaned), "--timeout", "1s"]
    process = start(["nohup", *line], environment)
    assert "waiting" in process.stderr.readline() + process.stderr.readline()
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 7


def test_timeout_ends_a_command_after_its_clean_up(practice, tmp_path):
    cleaned = tmp_path / "cleaned"
    ended = practice("practice", "wait", "--cleaned", str(cleaned), "--timeout", "300ms")
    assert ended.returncode == 7
    assert "run.timed_out" in ended.stderr
    assert cleaned.exists()


@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
@pytest.mark.parametrize("command", ["list", "stream"])
def test_a_reader_that_goes_away_is_no_error(environment, practice_line, command, form, unbuffered):
    line = [*practice_line, "practice", command, "--count", "20000", "-o", form]
    process = start(line, environment | unbuffered)
    process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    assert (process.wait(30), told) == (141, "")


@pytest.mark.parametrize("line", [["explain"], ["--version"], ["--help"], ["explain", "-h"]])
def test_a_reader_that_has_gone_is_no_error(environment, x0tta, line):
    read, write = os.pipe()
    os.close(read)
    ended = x0tta(*line, stdout=write)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("line", [["explain"], ["--version"], ["--help"], ["explain", "-o", "csv"]])
def test_a_full_disk_is_told(x0tta, line):
    with Path("/dev/full").open("w") as full:
        ended = x0tta(*line, stdout=full)
    assert ended.returncode == 7
    assert "output.disk_full" in ended.stderr
    assert "ignored" not in ended.stderr


def test_a_full_disk_under_both_streams_keeps_the_status(x0tta):
    with Path("/dev/full").open("w") as full:
        assert x0tta("explain", stdout=full, stderr=full).returncode == 7
        assert x0tta("explain", "no.such", stderr=full).returncode == 4


@pytest.mark.parametrize(
    ("closed", "line", "status"),
    [
        ("<&-", "explain internal", 0),
        (">&-", "explain internal", 7),
        (">&-", "--version", 7),
        ("2>&-", "explain internal", 0),
        ("2>&-", "explain no.such", 4),
        ("<&- >&- 2>&-", "explain no.such", 4),
    ],
)
def test_closed_streams(environment, closed, line, status):
    x0tta = Path(sys.executable).with_name("x0tta")
    ended = subprocess.run(
        ["sh", "-c", f"{x0tta} {line} {closed}"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == status
    assert "Traceback" not in ended.stderr
    assert "ignored" not in ended.stderr


def test_no_home_is_no_problem(x0tta, environment):
    del environment["HOME"]
    assert x0tta("explain", "internal").returncode == 0
