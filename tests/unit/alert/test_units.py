"""The shipped units: systemd takes them, and what they start exists."""

from __future__ import annotations

import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from x0tta_cli.terminal.tree import command_tree

UNITS = {
    unit.name: unit.read_text()
    for unit in files("x0tta_cli.alert").joinpath("units").iterdir()
    if unit.name.startswith("x0tta-")
}
LINE = re.compile(r"x0tta (?P<words>alert[^\n&]*)")


def commands():
    return {" ".join(command.path[1:]): command for command in command_tree().walk()}


def test_all_are_there():
    assert sorted(UNITS) == [
        "x0tta-alert-outbox.service",
        "x0tta-alert-outbox.timer",
        "x0tta-alert-serve.service",
        "x0tta-alert.cron",
    ]


@pytest.mark.parametrize("name", UNITS)
def test_every_line_names_a_command_that_exists(name):
    known = commands()
    started = [found["words"] for found in LINE.finditer(UNITS[name])]
    assert started or name.endswith(".timer")
    for words in started:
        assert any(words.startswith(path) for path in known if path.count(" ")), words


def test_systemd_takes_them(tmp_path):
    for name, text in UNITS.items():
        if not name.endswith(".cron"):
            # The program is looked up on the machine that they are installed on.
            (tmp_path / name).write_text(re.sub(r"=x0tta .*", "=/usr/bin/true", text))
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    own = [line for line in checked.stderr.splitlines() if "x0tta-alert" in line]
    assert (checked.returncode, own) == (0, [])


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_services_answer_for_their_statuses_and_may_do_little(name):
    text = UNITS[name]
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "StateDirectory=x0tta"):
        assert line in text.splitlines()
    assert re.search(r"^SuccessExitStatus=3 10", text, re.MULTILINE)
    assert "LoadCredential=" in text


def test_the_cron_line_runs_each_minute_with_a_path():
    lines = [line for line in UNITS["x0tta-alert.cron"].splitlines() if not line.startswith("#")]
    assert lines[-1].startswith("* * * * * root x0tta alert outbox run")
    assert any(line.startswith("PATH=") and "/usr/local/bin" in line for line in lines)
    assert Path("/bin/sh").exists()
