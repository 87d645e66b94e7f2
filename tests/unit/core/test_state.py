from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import pytest

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.state import ensure, folder


def test_the_variable_decides_and_asking_creates_nothing(state):
    assert folder() == state
    assert not state.exists()


def test_root_has_the_systems_folder(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folder() == Path("/var/lib/x0tta")


def test_a_user_has_a_folder_of_their_own(unprivileged, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(unprivileged / "state"))
    assert folder() == unprivileged / "state" / "x0tta"


@pytest.mark.parametrize("value", ["state", "./state", "~/state"])
def test_a_relative_folder_is_refused(monkeypatch, value):
    monkeypatch.setenv("X0TTA_STATE_DIR", value)
    with pytest.raises(OperatorError) as caught:
        folder()
    assert caught.value.code == "state.not_absolute"


def test_a_user_without_a_home_is_told_so(unprivileged, monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(os, "getuid", lambda: 4711)

    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    with pytest.raises(OperatorError) as caught:
        folder()
    assert caught.value.code == "state.not_absolute"


def test_the_folder_is_created_for_its_owner_alone(state):
    assert ensure() == state
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_folder_that_exists_keeps_its_mode(state):
    state.mkdir(mode=0o755)
    state.chmod(0o755)
    ensure()
    assert stat.S_IMODE(state.stat().st_mode) == 0o755


def test_a_folder_that_one_may_not_write_to(unprivileged, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(unprivileged))
    unprivileged.chmod(0o500)
    with pytest.raises(OperatorError) as caught:
        ensure()
    assert (caught.value.code, caught.value.exit_status) == ("state.not_writable", 6)
    assert "X0TTA_STATE_DIR" in caught.value.fix


def test_a_folder_that_one_may_not_create(unprivileged, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(unprivileged / "below" / "state"))
    unprivileged.chmod(0o500)
    with pytest.raises(OperatorError) as caught:
        ensure()
    assert caught.value.code == "state.not_writable"


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_the_folders_place(tmp_path, monkeypatch, below):
    (tmp_path / "file").touch()
    monkeypatch.setenv("X0TTA_STATE_DIR", str(tmp_path / "file" / below))
    with pytest.raises(OperatorError) as caught:
        ensure()
    assert caught.value.code == "state.not_writable"
    assert "file" in caught.value.reason.lower()
