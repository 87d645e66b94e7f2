from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from x0tta_cli.core import journal
from x0tta_cli.core.doctor import storage
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Severity

KILLED = """
import os
from x0tta_cli.core import journal
journal.begin("test.victim", {})
os.kill(os.getpid(), 9)
"""


def test_a_folder_that_is_not_there_yet_is_well_and_stays_away(surroundings, state):
    for check in storage.CHECKS:
        assert check.run(surroundings).findings == ()
    assert not state.exists()


def test_looking_leaves_the_folder_as_it_is(surroundings, state):
    with journal.operation("test.run", {}):
        pass
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    for check in storage.CHECKS:
        assert check.run(surroundings).findings == ()
    assert {path.name: path.read_bytes() for path in state.iterdir()} == before


def test_a_folder_that_others_can_look_into(surroundings, state, codes):
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    observed = storage.look_at_folder(surroundings)
    assert codes(observed) == [("doctor.state_open", str(state))]
    assert observed.findings[0].fix == f"chmod 700 {state}"


def test_a_folder_that_one_may_not_write_to(surroundings, unprivileged, monkeypatch, codes):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(unprivileged))
    unprivileged.chmod(0o500)
    observed = storage.look_at_folder(surroundings)
    assert codes(observed) == [("state.not_writable", str(unprivileged))]
    below = unprivileged / "deep" / "below"
    monkeypatch.setenv("X0TTA_STATE_DIR", str(below))
    assert codes(storage.look_at_folder(surroundings)) == [("state.not_writable", str(below))]


def test_a_folder_below_one_that_may_not_be_entered(surroundings, unprivileged, monkeypatch, codes):
    below = unprivileged / "closed" / "state"
    below.mkdir(parents=True)
    below.parent.chmod(0)
    monkeypatch.setenv("X0TTA_STATE_DIR", str(below))
    assert codes(storage.look_at_folder(surroundings)) == [("state.not_writable", str(below))]
    assert storage.look_at_space(surroundings).summary.endswith(" free")
    below.parent.chmod(0o700)


def test_a_file_in_the_place_of_the_folder(surroundings, state, codes):
    state.write_text("")
    assert codes(storage.look_at_folder(surroundings)) == [("state.not_writable", str(state))]


@pytest.mark.parametrize(
    ("free_mebibytes", "free_inodes", "found"),
    [
        (10_000, 10_000, []),
        (100, 10_000, [Severity.WARNING]),
        (10, 10_000, [Severity.ERROR]),
        (10_000, 3, [Severity.ERROR]),
    ],
)
def test_room_that_runs_out(surroundings, monkeypatch, free_mebibytes, free_inodes, found):
    disk = SimpleNamespace(
        f_bavail=free_mebibytes, f_frsize=1024 * 1024, f_files=10**6, f_favail=free_inodes
    )
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    observed = storage.look_at_space(surroundings)
    assert [finding.severity for finding in observed.findings] == found


def test_an_interrupted_operation_is_found(surroundings, state, codes):
    ended = subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert ended.returncode == -signal.SIGKILL
    observed = storage.look_at_journal(surroundings)
    [record] = journal.operations()
    assert codes(observed) == [("doctor.interrupted_operation", record.id)]
    assert observed.findings[0].fix == f"x0tta ops resume {record.id}"


def test_a_damaged_journal_is_found(surroundings, state):
    state.mkdir()
    (state / "journal.sqlite3").write_bytes(b"nonsense" * 100)
    with pytest.raises(ConfigurationError) as caught:
        storage.look_at_journal(surroundings)
    assert caught.value.code == "journal.corrupt"


def test_nobody_knows_where_the_folder_is(surroundings, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", "relative")
    with pytest.raises(ConfigurationError):
        storage.look_at_folder(surroundings)
    for look in (storage.look_at_space, storage.look_at_journal):
        observed = look(surroundings)
        assert (observed.findings, bool(observed.unknown)) == ((), True)
