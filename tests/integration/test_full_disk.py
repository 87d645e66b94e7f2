"""A disk without room, and one that may not be written."""

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
def tiny(tmp_path):
    """A tmpfs of one page, which nothing but an empty file fits on."""
    with mounted(tmp_path / "tiny", "size=4k,mode=700") as folder:
        (folder / "filler").write_bytes(b"x" * 4096)
        yield folder


@pytest.fixture
def read_only(tmp_path):
    with mounted(tmp_path / "read-only", "ro") as folder:
        yield folder


def drill(state, *arguments):
    ended = subprocess.run(
        [X0TTA, "drill", *arguments, "-o", "json"],
        env=os.environ | {"X0TTA_STATE_DIR": str(state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    return ended.returncode, json.loads(ended.stderr.splitlines()[-1])["code"]


def test_a_state_folder_on_a_full_disk(tiny):
    assert drill(tiny) == (7, "state.disk_full")
    assert drill(tiny / "state") == (7, "state.disk_full")


def test_a_state_folder_that_may_not_be_written(read_only):
    assert drill(read_only / "state") == (6, "state.not_writable")


def test_a_report_on_a_full_disk_leaves_nothing_half_written(tiny, tmp_path):
    assert drill(tmp_path / "state", "--html", str(tiny / "page.html")) == (7, "files.disk_full")
    assert [path.name for path in tiny.iterdir()] == ["filler"]


def test_a_report_that_may_not_be_written(read_only, tmp_path):
    ended = drill(tmp_path / "state", "--html", str(read_only / "page.html"))
    assert ended == (6, "files.not_writable")
