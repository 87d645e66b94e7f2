"""What changed? One question, over what x0tta did in the world, its configuration and its flags."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CLI = Path(__file__).parent
KILLED_EDIT = """
import os, signal
from x0tta_cli.core import journal
journal.begin("config.set", {"key": "drill.seed"})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def file(environment):
    """Where the user's file is; it does not exist."""
    environment.pop("XDG_CONFIG_HOME", None)
    return Path(environment["HOME"]) / ".config" / "x0tta" / "config.toml"


@pytest.fixture
def script(environment):
    """Run x0tta with a further group, as a script of this folder."""

    def run(name, *arguments, **variables):
        return subprocess.run(
            [sys.executable, str(CLI / name), *arguments],
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def listed(x0tta, *arguments):
    ended = x0tta("ops", "list", *arguments, "-o", "json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_deeds_flags_and_configuration_stand_in_one_list(x0tta, script, file, tmp_path):
    assert x0tta("config", "init").returncode == 0
    assert script("many_steps.py", "many", "run", WORLD=str(tmp_path)).returncode == 0
    assert x0tta("config", "set", "flags.ebpf", "off").returncode == 0
    assert x0tta("config", "set", "drill.seed", "7", "--profile", "night").returncode == 0
    init, deed, flag, seed = listed(x0tta, "--since", "1h")
    assert [operation["state"] for operation in (init, deed, flag, seed)] == ["done"] * 4
    assert (init["kind"], init["plan"]) == ("config.init", {"file": str(file)})
    assert deed["kind"] == "many.run"
    assert flag["kind"] == "config.set"
    assert flag["plan"] == {
        "key": "flags.ebpf",
        "before": None,
        "value": False,
        "file": str(file),
    }
    assert (seed["plan"]["value"], seed["plan"]["profile"]) == (7, "night")
    assert listed(x0tta, "--since", flag["started_at"]) == [flag, seed]
    assert listed(x0tta, "--since", "0s") == []
    table = x0tta("ops", "list").stdout
    assert "key flags.ebpf, value false" in table
    assert len(table.splitlines()) == 5


def test_a_file_is_named_from_the_root(x0tta, tmp_path):
    assert x0tta("config", "set", "drill.seed", "7", "--config", "x.toml", cwd=tmp_path).stdout
    [operation] = listed(x0tta)
    assert operation["plan"]["file"] == str(tmp_path / "x.toml")


def test_what_is_still_under_way_belongs_to_every_time(x0tta, script, tmp_path):
    script("many_steps.py", "many", "run", WORLD=str(tmp_path), KILL_AFTER="4")
    [left] = listed(x0tta, "--since", "0s")
    assert left["state"] == "interrupted"


def test_what_changed_nothing_is_not_noted(x0tta, file):
    x0tta("config", "set", "drill.seed", "7", "--dry-run")
    x0tta("config", "set", "drill.seed", "x")
    assert listed(x0tta) == []
    x0tta("config", "set", "drill.seed", "7")
    x0tta("config", "set", "drill.seed", "7")
    assert x0tta("config", "init").returncode == 5
    assert [operation["kind"] for operation in listed(x0tta)] == ["config.set"]


def test_of_a_secret_it_says_where_it_is(x0tta, script, file):
    refused = script("configured.py", "config", "set", "tell.token", "hunter2-abcdefgh")
    assert refused.returncode == 9
    assert listed(x0tta) == []
    script("configured.py", "config", "set", "tell.token", '{ env = "TOKEN" }')
    [change] = listed(x0tta)
    assert change["plan"]["value"] == {"env": "TOKEN"}


@pytest.mark.parametrize("content", [b"nonsense" * 100, None], ids=["damaged", "not to be made"])
def test_the_configuration_can_be_set_beside_a_journal_that_cannot_be_used(
    x0tta, environment, file, content
):
    state = Path(environment["X0TTA_STATE_DIR"])
    if content is None:
        state.touch()
    else:
        state.mkdir()
        (state / "journal.sqlite3").write_bytes(content)
    ended = x0tta("config", "set", "drill.seed", "7")
    assert ended.returncode == 0, ended.stderr
    assert "the journal can't be used" in ended.stderr
    assert file.read_text() == "[drill]\nseed = 7\n"


def test_an_edit_that_was_killed_leaves_nothing_and_is_given_up(x0tta, environment):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_EDIT], env=os.environ | environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    ended = x0tta("ops", "clean", "--yes", "-o", "json")
    assert (ended.returncode, json.loads(ended.stdout)["removed"]) == (0, [])
    [edit] = listed(x0tta)
    assert edit["state"] == "cancelled"


def test_a_file_that_was_edited_by_hand_says_when(x0tta, file):
    file.parent.mkdir(parents=True)
    file.write_text("[drill]\nseed = 3\n")
    os.utime(file, (1_790_000_000, 1_790_000_000))
    mine = json.loads(x0tta("config", "path", "-o", "json").stdout)[0]
    assert (mine["file"], mine["changed_at"]) == (str(file), "2026-09-21T14:13:20Z")
    assert "2026-09-21 14:13:20+00:00" in x0tta("config", "path").stdout
