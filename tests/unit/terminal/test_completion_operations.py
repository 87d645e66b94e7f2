"""The operations that a shell is offered, read from the journal's file by itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from x0tta_cli.core import folders, journal
from x0tta_cli.core import state as core_state
from x0tta_cli.core.completion import Line
from x0tta_cli.core.journal import file
from x0tta_cli.terminal.completion import operations, values

INTERRUPTED = """
import os, signal
from x0tta_cli.core import journal
from x0tta_cli.core import state as core_state
with journal.operation("drill.tell", {}) as operation:
    print(operation.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def offered(kind):
    return [*values.lines_of(kind, "", [])]


@pytest.fixture
def journaled(state):
    """An operation that is done, and a later one that was killed."""
    with journal.operation("config.set", {}) as operation:
        pass
    killed = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    return operation.id, killed.stdout.strip()


def test_the_newest_is_first_and_resume_is_offered_what_is_unfinished(journaled):
    done, killed = journaled
    assert offered("operation") == [f"{killed}\tdrill.tell", f"{done}\tconfig.set"]
    assert offered("unfinished_operation") == [f"{killed}\tdrill.tell"]
    assert [*values.lines_of("operation", done, [])] == [f"{done}\tconfig.set"]


def test_what_it_knows_of_the_file_is_what_the_journal_writes():
    assert len(file.MIGRATIONS) == operations.SCHEMA_VERSION
    assert file.APPLICATION_ID.to_bytes(4, "big") == operations.APPLICATION_ID


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize(
    ("name", "value"),
    [("X0TTA_STATE_DIR", "/a"), ("XDG_STATE_HOME", "/b"), ("XDG_STATE_HOME", "c")],
)
def test_the_folder_is_that_of_the_journal(monkeypatch, user, name, value):
    for variable in ("X0TTA_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "/home/of/somebody")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv(name, value)
    assert folders.state_in_force() == str(core_state.folder())


def test_a_journal_of_a_newer_x0tta_is_left_alone(journaled, state):
    newer = state / file.NAME
    content = bytearray(newer.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")
    newer.write_bytes(content)
    before = sorted(state.iterdir())
    assert offered("operation") == []
    assert sorted(state.iterdir()) == before
    assert newer.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"nonsense" * 100])
def test_what_is_no_journal_offers_nothing(state, content):
    state.mkdir()
    (state / file.NAME).write_bytes(content)
    assert operations.operations(Line([])) == []


def test_nothing_is_made_where_nothing_is(state):
    assert offered("operation") == []
    assert not state.exists()
