"""A configuration on a disk without room, and on one that may not be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.disks import mounted

X0TTA = Path(sys.executable).with_name("x0tta")


@pytest.fixture
def config(tmp_path):
    """Run `x0tta config` with a home of its own; the status, and the code where it failed."""

    def run(home, *arguments):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("X0TTA_")}
        kept.pop("XDG_CONFIG_HOME", None)
        ended = subprocess.run(
            [X0TTA, "config", *arguments, "-o", "json"],
            env=kept | {"HOME": str(home), "X0TTA_STATE_DIR": str(tmp_path / "state")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        failed = ended.stderr and json.loads(ended.stderr.splitlines()[-1])["code"]
        return ended.returncode, failed

    return run


def noted(tmp_path):
    """What the journal says of the last edit: its state, and its error's code."""
    ended = subprocess.run(
        [X0TTA, "ops", "list", "-o", "json"],
        env=os.environ | {"X0TTA_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=True,
    )
    last = json.loads(ended.stdout)[-1]
    shown = subprocess.run(
        [X0TTA, "ops", "show", last["id"], "-o", "json"],
        env=os.environ | {"X0TTA_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=True,
    )
    return last["state"], json.loads(shown.stdout)["error"]["code"]


def test_a_home_that_may_not_be_written(config, tmp_path):
    with mounted(tmp_path / "home", "ro") as home:
        assert config(home, "init") == (6, "files.not_writable")
        assert config(home, "set", "drill.seed", "7") == (6, "files.not_writable")
        for line in (["init", "--dry-run"], ["path"], ["check"], ["schema"], ["show"]):
            assert config(home, *line) == (0, "")


def test_a_full_disk_leaves_the_file_as_it_was(config, tmp_path):
    with mounted(tmp_path / "home", "size=8k,mode=700") as home:
        file = home / ".config" / "x0tta" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text("[drill]\nseed = 3\n")
        (home / "filler").write_bytes(b"x" * 4096)
        assert config(home, "set", "drill.seed", "7") == (7, "files.disk_full")
        assert noted(tmp_path) == ("failed", "files.disk_full")
        assert config(home, "init", "--force") == (7, "files.disk_full")
        assert file.read_text() == "[drill]\nseed = 3\n"
        assert list(file.parent.iterdir()) == [file]
