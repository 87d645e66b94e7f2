"""Help, versions, and how a line is read."""

from __future__ import annotations

import json
import re
from importlib import metadata

import pexpect
import pytest

from x0tta_cli import __version__


def test_the_version_is_that_of_the_installed_package():
    assert metadata.version("x0tta") == __version__


def test_version_is_one_line(x0tta):
    ended = x0tta("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"x0tta {__version__}\n", "")


@pytest.mark.parametrize("line", [["-q", "--version"], ["--version", "--no-color"]])
def test_version_does_not_depend_on_where_it_stands(x0tta, line):
    assert x0tta(*line).stdout == f"x0tta {__version__}\n"


def test_version_has_every_form(x0tta):
    assert json.loads(x0tta("--version", "-o", "json").stdout) == {"version": __version__}
    assert x0tta("--version", "-o", "csv").stdout == f"version\n{__version__}\n"


def test_help_of_the_root_is_the_same_at_once_and_through_the_parser(x0tta):
    at_once = x0tta("--help")
    assert at_once.returncode == 0
    assert at_once.stdout == x0tta("-q", "-h").stdout == x0tta("-h").stdout
    assert "explain" in at_once.stdout
    assert "--timeout DURATION" in at_once.stdout


def test_no_command_shows_help_and_fails(x0tta):
    ended = x0tta()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == x0tta("--help").stdout


def test_help_of_a_command_has_what_it_takes_and_an_example(practice):
    page = practice("practice", "run", "--help").stdout
    assert "x0tta practice run [OPTIONS] [INCIDENT]" in page
    assert re.search(r"--seed N +Seed of what is random\. \[default: 7\]", page)
    assert re.search(r"--shade light\|dark +How dark\. \[default: light\]", page)
    assert re.search(r"x0tta practice run +# the first", page)
    assert "--dry-run" not in page


def test_help_of_a_command_that_changes_the_world_has_its_options(practice):
    page = practice("practice", "change", "-h").stdout
    for option in ("--dry-run", "--exit-code", "-y, --yes"):
        assert option in page


def test_help_of_a_group_names_its_default(practice):
    page = practice("practice", "--help").stdout
    assert "Take one incident from telemetry to an explanation. (The default.)" in page
    assert "[COMMAND]" in page


@pytest.mark.parametrize("columns", [40, 80])
def test_help_fits_its_terminal(environment, practice_line, columns):
    for arguments in (["-h"], ["practice", "-h"], ["practice", "run", "-h"]):
        shown = pexpect.run(
            " ".join([*practice_line, *arguments]),
            env=environment | {"NO_COLOR": "1", "COLUMNS": str(columns)},
        ).decode()
        assert shown
        assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize(
    "line",
    [
        ["-o", "json", "practice", "told"],
        ["practice", "-o", "json", "told"],
        ["practice", "told", "-o", "json"],
        ["-o", "csv", "practice", "told", "--output=json"],
        ["-qo", "csv", "practice", "-ojson", "told"],
    ],
)
def test_shared_options_go_anywhere_and_the_innermost_wins(practice, line):
    told = json.loads(practice(*line).stdout)
    assert told["output"] == "json"


def test_shared_options_reach_the_command(practice):
    line = ["--profile", "site", "practice", "-q", "told", "--timeout", "1m30s", "-o", "jsonl"]
    assert json.loads(practice(*line).stdout) == {
        "output": "jsonl",
        "quiet": True,
        "profile": "site",
        "timeout_s": 90.0,
        "read_only": False,
    }


@pytest.mark.parametrize(
    ("line", "incident"),
    [
        ([], "a/1 7"),
        (["--all", "-o", "json"], "a/1 all"),
        (["-o", "json", "b/1"], "b/1 7"),
        (["b/1", "--seed", "3"], "b/1 3"),
        (["-o", "json", "run", "b/1"], "b/1 7"),
        (["run", "list"], "list 7"),
    ],
)
def test_a_group_runs_its_default_command(practice, line, incident):
    ended = practice("practice", *line, "--fields", "incident", "-o", "json")
    assert json.loads(ended.stdout) == {"incident": incident}
    assert ended.returncode == 3
