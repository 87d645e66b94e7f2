"""`x0tta doctor`, as a user meets it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

pytestmark = pytest.mark.slow

SCRIPT = str(Path(__file__).with_name("ailing.py"))
GROUPS = [
    "installation",
    "configuration",
    "state",
    "time",
    "internet",
    "servers",
    "kernel",
    "build",
    "containers",
    "ebpf",
    "alert",
    "pay",
    "flags",
]
# Loopback, where nothing listens: as a machine without internet, but at once.
OFFLINE = {"X0TTA_DOCTOR__INTERNET_URL": "http://127.0.0.1:9"}


@pytest.fixture
def doctor(environment, tmp_path):
    """Run the doctor of x0tta with three more groups."""
    flag = tmp_path / "flag"

    def run(*arguments, **variables):
        return subprocess.run(
            [sys.executable, SCRIPT, "doctor", *arguments],
            env=environment | OFFLINE | {"FLAG": str(flag)} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def diagnosis(ended):
    assert ended.stderr == ""
    return json.loads(ended.stdout)


def findings(told):
    return [finding for check in told["checks"] for finding in check["findings"]]


def problem(ended):
    return json.loads(ended.stderr.splitlines()[-1])


def test_every_group_has_its_line_and_nothing_is_created(x0tta, environment):
    ended = x0tta("doctor", env=OFFLINE)
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(GROUPS)]] == GROUPS
    assert not Path(environment["X0TTA_STATE_DIR"]).exists()
    home = Path(environment["HOME"])
    assert [path for path in home.rglob("*") if path.is_file()] == []
    told = diagnosis(x0tta("doctor", "-o", "json", env=OFFLINE))
    assert list(dict.fromkeys(check["group"] for check in told["checks"])) == GROUPS
    assert all(finding["code"] and finding["fix"] for finding in findings(told))


def test_without_internet_nothing_else_complains(x0tta):
    told = diagnosis(x0tta("doctor", "-o", "json", env=OFFLINE))
    # What this machine itself lacks is another matter.
    about_network = ("internet", "time", "servers", "configuration")
    wrong = [
        (check["group"], finding["code"])
        for check in told["checks"]
        for finding in check["findings"]
        if check["group"] in about_network and finding["severity"] != "info"
    ]
    assert wrong == [("internet", "doctor.no_internet")]
    [clock] = [check for check in told["checks"] if check["check"] == "clock"]
    assert (clock["state"], clock["findings"]) == ("unknown", [])


def test_every_check_is_made_whatever_the_others_do(doctor):
    ended = doctor("crashing", "finding", "-o", "json")
    told = diagnosis(ended)
    states = {check["check"]: check["state"] for check in told["checks"]}
    assert states == {
        "crash": "error",
        "hang": "warning",
        "raise": "error",
        "find": "error",
        "well": "ok",
        "doubt": "unknown",
    }
    assert [finding["code"] for finding in findings(told)][:3] == [
        "doctor.check_failed",
        "doctor.check_hung",
        "http.unreachable",
    ]
    assert "hunter2-abcdefgh" not in ended.stdout
    assert (ended.returncode, told["healthy"]) == (3, False)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ([], 3),
        (["--fail-on", "warning"], 3),
        (["--suppress", "doctor.state_open=/b"], 0),
        (["--suppress", "doctor.state_open=/b", "--fail-on", "warning"], 3),
        (["--suppress", "doctor.state_open=/[ab]", "--fail-on", "warning"], 0),
        (["--suppress", "doctor.state_open", "--fail-on", "warning"], 0),
        (["--suppress", "doctor.no_internet"], 3),
        (["--need", "well"], 3),
        (["--suppress", "doctor.state_open", "--need", "well"], 0),
        (["--need", "find"], 8),
        (["--need", "doubt", "--suppress", "doctor.state_open"], 10),
        (["--need", "doubt"], 3),
        (["--need", "hang", "--suppress", "doctor.state_open"], 10),
        (["--need", "crash", "--suppress", "doctor.check_failed"], 3),
        (["--need", "finding", "--need", "doubt"], 8),
        (["--need", "finding.find"], 8),
        (["--need", "steady", "--suppress", "doctor.state_open"], 0),
    ],
)
def test_the_status_says_whether_what_counts_was_found(doctor, options, status):
    assert doctor("finding", *options, "-o", "json").returncode == status


@pytest.mark.parametrize("form", ["table", "wide", "csv", "jsonl"])
def test_the_form_changes_no_status(doctor, form):
    assert doctor("finding", "--need", "find", "-o", form).returncode == 8


def test_what_is_suppressed_is_counted_and_not_shown(doctor):
    ended = doctor("finding", "--suppress", "doctor.state_open=/a", "-o", "json")
    told = diagnosis(ended)
    assert [finding["object"] for finding in told["suppressed"]] == ["/a"]
    assert [finding["object"] for finding in findings(told)] == ["/b", "/c"]
    shown = doctor("finding", "--suppress", "doctor.state_open=/a").stdout
    assert "/a" not in shown
    assert "1 suppressed" in shown


def test_a_code_is_printed_as_it_is_suppressed(doctor):
    shown = doctor("finding").stdout
    codes = re.findall(r"^code +(\S+)$", shown, re.MULTILINE)
    assert codes == [f"doctor.state_open=/{letter}" for letter in "abc"]
    options = [word for code in codes for word in ("--suppress", code)]
    told = diagnosis(doctor("finding", *options, "-o", "json"))
    assert findings(told) == []


def test_notes_show_where_they_were_asked_for(doctor, x0tta):
    assert "/c is open." in doctor("finding").stdout
    assert "/c is open." in doctor("-o", "wide").stdout
    quiet = doctor().stdout
    assert "/b is open." in quiet
    assert "/c is open." not in quiet


def test_needs_are_looked_at_beside_the_groups(doctor):
    told = diagnosis(doctor("waiting", "--need", "well", "-o", "json"))
    assert [check["check"] for check in told["checks"]] == ["well", "flag", "steady"]


def test_a_need_that_is_missing_says_how_to_mend_it(doctor):
    told = diagnosis(doctor("finding", "--need", "find", "-o", "json"))
    [missing] = told["missing"]
    assert missing == {
        "name": "find",
        "check": "find",
        "unknown": False,
        "reason": "/a is open.",
        "fix": "chmod 700 /a",
    }


def test_waiting_ends_when_all_is_well(doctor, environment, tmp_path):
    flag = tmp_path / "flag"
    waiting = subprocess.Popen(
        [sys.executable, SCRIPT, "doctor", "waiting", "--wait", "50s", "-o", "json"],
        env=environment | OFFLINE | {"FLAG": str(flag)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    asked = flag.with_suffix(".asked")
    while not (asked.exists() and len(asked.read_text()) > 1):
        time.sleep(0.05)
    flag.touch()
    output, errors = waiting.communicate()
    assert (waiting.returncode, errors) == (0, "")
    assert json.loads(output)["healthy"]


def test_waiting_in_vain_ends_with_the_last_answer(doctor, tmp_path):
    ended = doctor("waiting", "--wait", "1500ms", "-o", "json")
    assert (ended.returncode, ended.stderr) == (3, "")
    assert len(findings(diagnosis(ended))) == 1
    assert len((tmp_path / "flag.asked").read_text()) > 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["kernle"], "doctor.unknown_check", "Did you mean kernel"),
        (["--need", "bfp"], "doctor.unknown_check", "Did you mean bpf"),
        (["--suppress", "doctor.no_internt"], "doctor.unknown_finding", "doctor.no_internet"),
        (["--suppress", "=x"], "doctor.unknown_finding", "x0tta doctor"),
        (["--wait", "60"], "times.bad_duration", "90s"),
        (["--fail-on", "info"], "usage.bad_value", ""),
    ],
)
def test_a_wrong_request_is_refused(x0tta, arguments, code, words):
    ended = x0tta("doctor", *arguments, "-o", "json", env=OFFLINE)
    assert (ended.returncode, ended.stdout, problem(ended)["code"]) == (2, "", code)
    assert words in problem(ended)["fix"]


def test_a_broken_configuration_is_told_as_a_whole(x0tta, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[drill]\nsede = 1\nseed = "many"\n[dril]\nx = 1\n')
    ended = x0tta("doctor", "--config", str(path), "-o", "json", env=OFFLINE)
    told = findings(diagnosis(ended))
    assert ended.returncode == 3
    assert {finding["object"] for finding in told} >= {"drill.sede", "drill.seed", "dril"}
    path.write_text("[drill\n")
    ended = x0tta("doctor", "configuration", "--config", str(path), "-o", "json")
    assert [finding["code"] for finding in findings(diagnosis(ended))] == ["config.not_toml"]


@pytest.mark.parametrize("folder", ["relative", "/proc/nowhere/x0tta"])
def test_a_state_folder_that_cannot_be_used(x0tta, folder):
    ended = x0tta("doctor", "state", "-o", "json", env={"X0TTA_STATE_DIR": folder})
    [finding] = findings(diagnosis(ended))
    assert finding["severity"] == "error"
    assert ended.returncode == 3


def test_the_same_findings_in_every_form(doctor, environment):
    told = findings(diagnosis(doctor("finding", "-o", "json")))
    rows = list(csv.DictReader(io.StringIO(doctor("finding", "-o", "csv").stdout)))
    assert [(row["code"], row["object"]) for row in rows] == [
        (finding["code"], finding["object"]) for finding in told
    ]
    line = json.loads(doctor("finding", "-o", "jsonl").stdout)
    assert findings(line) == told
    piped = doctor("finding").stdout
    terminal = pexpect.spawn(
        sys.executable,
        [SCRIPT, "doctor", "finding"],
        env=environment | OFFLINE,
        encoding="utf-8",
        dimensions=(60, 120),
        timeout=60,
    )
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.read()).replace("\r\n", "\n")
    terminal.close()
    assert terminal.exitstatus == 3
    assert shown.endswith(piped)
