from __future__ import annotations

import pwd

import platformdirs
import pytest

from x0tta_cli.core import folders


@pytest.fixture
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/of/somebody")
    return "/home/of/somebody"


def test_without_a_word_they_lie_below_the_home(home):
    assert folders.configuration({}) == f"{home}/.config/x0tta"
    assert folders.state({}) == f"{home}/.local/state/x0tta"


def test_the_variables_of_the_specification_decide(home):
    environ = {"XDG_CONFIG_HOME": "/a", "XDG_STATE_HOME": "/b"}
    assert folders.configuration(environ) == "/a/x0tta"
    assert folders.state(environ) == "/b/x0tta"


@pytest.mark.parametrize("value", ["", " ", "/a", "/a/../b"])
def test_they_are_those_of_platformdirs(home, monkeypatch, value):
    environ = {"XDG_CONFIG_HOME": value, "XDG_STATE_HOME": value}
    for name in environ:
        monkeypatch.setenv(name, value)
    assert folders.configuration(environ) == platformdirs.user_config_dir("x0tta")
    assert folders.state(environ) == platformdirs.user_state_dir("x0tta")


@pytest.mark.parametrize("value", ["", " ", "relative", "./relative", "~/relative"])
def test_what_is_no_absolute_path_is_ignored_as_the_specification_says(home, value):
    assert folders.configuration({"XDG_CONFIG_HOME": value}) == f"{home}/.config/x0tta"


def test_a_user_without_a_home_has_none(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)

    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    assert folders.configuration({}) is None
    assert folders.state({}) is None
    assert folders.state({"XDG_STATE_HOME": "/b"}) == "/b/x0tta"


def test_a_home_that_is_no_absolute_path_is_none(monkeypatch):
    monkeypatch.setenv("HOME", "relative")
    assert folders.configuration({}) is None
