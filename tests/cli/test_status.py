"""`x0tta status`: one screen over all groups."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = str(Path(__file__).with_name("many_steps.py"))
TROUBLED = """
import sys, time
from x0tta_cli.__main__ import main
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.status import StatusLine
from x0tta_cli.terminal import status
from x0tta_cli.terminal.groups import GROUPS, Group

def crash(configuration):
    raise KeyError("token=hunter2-abcdefgh")

def hang(configuration):
    time.sleep(600)

def silent(configuration):
    return ()

def tell(configuration):
    yield StatusLine(Severity.ERROR, "2 alerts wait", 2, "x0tta alert list")

sys.modules["troubled"] = sys.modules["__main__"]
for name in sys.argv[1].split(","):
    GROUPS[name] = Group(name, "Ail.", "troubled", f"x0tta {name}", status=f"troubled:{name}")
status.BOUND_S = 5.0
sys.argv = ["x0tta", "status", *sys.argv[2:]]
sys.exit(main())
"""


@pytest.fixture
def troubled(environment):
    def run(groups, *arguments):
        return subprocess.run(
            [sys.executable, "-c", TROUBLED, groups, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_quiet_machine_has_nothing_to_say_and_stays_as_it_is(x0tta, environment):
    ended = x0tta("status", "-o", "json")
    assert (ended.returncode, json.loads(ended.stdout)) == (0, {"lines": []})
    ended = x0tta("status")
    assert ended.stdout == "Nothing is going on, and nothing waits for you.\n"
    assert not Path(environment["X0TTA_STATE_DIR"]).exists()


def test_what_was_interrupted_waits(x0tta, environment, tmp_path):
    for _ in range(2):
        subprocess.run(
            [sys.executable, SCRIPT, "many", "run"],
            env=environment | {"WORLD": str(tmp_path), "KILL_AFTER": "4"},
            stdin=subprocess.DEVNULL,
            check=False,
        )
    first, second = json.loads(x0tta("ops", "list", "-o", "json").stdout)
    ended = x0tta("status", "-o", "json")
    [line] = json.loads(ended.stdout)["lines"]
    assert ended.returncode == 0
    assert line == {
        "group": "ops",
        "severity": "warning",
        "summary": f"interrupted: many.run {second['id']}, many.run {first['id']}",
        "count": 2,
        "next": "x0tta ops list --unfinished",
        "exit_status": 0,
    }
    x0tta("ops", "clean", first["id"], "--yes")
    assert f"x0tta ops resume {second['id']}" in x0tta("status").stdout
    x0tta("ops", "clean", second["id"], "--yes")
    assert json.loads(x0tta("status", "-o", "json").stdout) == {"lines": []}


def test_a_group_tells_its_lines_and_a_silent_one_has_none(troubled):
    ended = troubled("tell,silent", "-o", "json")
    [line] = json.loads(ended.stdout)["lines"]
    assert (ended.returncode, line["group"], line["count"]) == (0, "tell", 2)
    assert line["severity"] == "error"


@pytest.mark.parametrize(("group", "status"), [("crash", 1), ("hang", 7)])
def test_a_group_that_fails_costs_nothing_but_its_own_line(troubled, group, status):
    ended = troubled(f"{group},tell", "-o", "json")
    lines = json.loads(ended.stdout)["lines"]
    assert [(line["group"], line["severity"]) for line in lines] == [
        (group, "unknown"),
        ("tell", "error"),
    ]
    assert ended.returncode == status
    assert "hunter2-abcdefgh" not in ended.stdout + ended.stderr


def test_a_damaged_journal_is_not_taken_for_a_quiet_one(x0tta, environment):
    state = Path(environment["X0TTA_STATE_DIR"])
    state.mkdir()
    (state / "journal.sqlite3").write_bytes(b"nonsense" * 100)
    ended = x0tta("status", "-o", "json")
    [line] = [line for line in json.loads(ended.stdout)["lines"] if line["group"] == "ops"]
    assert (ended.returncode, line["severity"], line["exit_status"]) == (9, "unknown", 9)
    assert "journal.corrupt" in line["summary"]
