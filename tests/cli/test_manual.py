"""`x0tta help`: the manual, by man(1) on a terminal and as text elsewhere."""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path

import pexpect
import pytest

pytestmark = pytest.mark.slow

X0TTA = str(Path(sys.executable).with_name("x0tta"))


def test_the_manual_of_a_group(x0tta):
    ended = x0tta("help", "drill")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("NAME\nx0tta-drill - take a recorded incident")
    for part in ("SYNOPSIS\nx0tta drill run [OPTIONS] [INCIDENT]\n", "X0TTA_DRILL__SEED", "--html"):
        assert part in ended.stdout


def test_the_manual_of_x0tta_names_every_group(x0tta):
    page = x0tta("help").stdout
    for part in ("x0tta-drill(1)", "x0tta-help(1)", "--timeout DURATION", "X0TTA_CONFIG"):
        assert part in page


def test_the_manual_is_data_as_well(x0tta):
    page = json.loads(x0tta("help", "drill", "-o", "json").stdout)
    assert page["name"] == "x0tta-drill"
    assert page["sections"][0]["title"] == "NAME"


def test_an_unknown_group_is_a_usage_error(x0tta):
    ended = x0tta("help", "dril")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Did you mean drill?" in ended.stderr


@pytest.fixture
def viewer(tmp_path):
    """A folder with a `man` that notes what it is to show."""
    man = tmp_path / "bin" / "man"
    man.parent.mkdir()
    man.write_text('#!/bin/sh\necho "shown by man: $*"\nexit 5\n')
    man.chmod(0o755)
    return man.parent


def test_a_terminal_has_the_installed_page_shown_by_man(environment, viewer):
    installed = [f.locate() for f in metadata.files("x0tta") or () if f.name == "x0tta-drill.1"]
    assert [Path(str(path)).is_file() for path in installed] == [True]
    line = pexpect.spawn(
        X0TTA,
        ["help", "drill"],
        env=environment | {"PATH": f"{viewer}:{os.environ['PATH']}"},
        encoding="utf-8",
        dimensions=(24, 300),
    )
    shown = line.read()
    line.close()
    assert shown == f"shown by man: {Path(str(installed[0])).resolve()}\r\n"
    assert line.exitstatus == 5


def test_a_terminal_without_man_shows_the_page_itself(environment):
    shown = pexpect.run(
        f"{X0TTA} help drill", env=environment | {"PATH": "/nowhere", "NO_COLOR": "1"}
    )
    assert shown.decode().startswith("NAME\r\nx0tta-drill - take a recorded incident")
