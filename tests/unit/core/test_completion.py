from __future__ import annotations

from pathlib import Path

import pytest

from x0tta_cli.core.completion import Line


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder in which the user's configuration can be written."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config" / "x0tta").mkdir(parents=True)
    return tmp_path


def configure(home: Path, text: str) -> None:
    (home / ".config" / "x0tta" / "config.toml").write_text(text)


def path_of(words, environ=None):
    return Line(words, environ or {}).path("--data", "drill", "data")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["drill", "--data", "a"], "a"),
        (["--data=a=b", "drill"], "a=b"),
        (["--data", "a", "drill", "--data", "b"], "b"),
        (["drill", "--", "--data", "a"], None),
        (["drill", "--data"], None),
    ],
)
def test_an_option_is_read_as_the_command_will(home, words, found):
    assert path_of(words) == found


def test_the_order_is_that_of_the_configuration(home):
    named = home / "elsewhere" / "named.toml"
    named.parent.mkdir()
    assert path_of([]) is None
    configure(home, 'drill.data = "user"\n[profiles.night.drill]\ndata = "~/night"')
    assert path_of([]) == str(home / ".config" / "x0tta" / "user")
    assert path_of(["--profile", "night"]) == path_of([], {"X0TTA_PROFILE": "night"})
    assert path_of(["--profile", "night"]) == str(home / "night")
    named.write_text('drill.data = "named"')
    assert path_of(["--config", str(named)]) == str(named.parent / "named")
    assert path_of([], {"X0TTA_CONFIG": str(named)}) == str(named.parent / "named")
    environ = {"X0TTA_DRILL__DATA": "~/variable"}
    assert path_of(["--config", str(named)], environ) == str(home / "variable")
    assert path_of(["--data", "option"], environ) == "option"


def test_names_in_a_table_are_those_of_all_files_and_of_the_profile(home):
    named = home / "named.toml"
    named.write_text("[profiles.night.alert.channels.page]\n[alert.channels.am]\nkind = 'x'")
    configure(home, "[alert.channels.mail]\n[drill]\nseed = 1")
    line = Line(["--config", str(named)], {})
    assert line.names("alert", "channels") == ["am", "mail"]
    night = Line(["--config", str(named), "--profile", "night"], {})
    assert night.names("alert", "channels") == ["am", "mail", "page"]
    assert line.names("drill", "seed") == line.names("pay", "sources") == []


def test_profiles_of_all_files(home):
    named = home / "named.toml"
    named.write_text("[profiles.b.drill]\n[profiles.a]")
    configure(home, "[profiles.c]")
    assert Line(["--config", str(named)], {}).profiles() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text", ["drill = 1", "drill.data = 1", "profiles = []", "nonsense", "[drill", "[" * 9999]
)
def test_what_is_wrong_counts_as_not_there(home, text):
    configure(home, text)
    line = Line(["--profile", "x"], {})
    assert line.path("--data", "drill", "data") is None
    assert line.profiles() == []


def test_no_file_of_the_current_folder_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path / "x0tta", tmp_path / "~" / ".config" / "x0tta"):
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text("[profiles.evil]")
    for home in ("", "relative", str(tmp_path / "nowhere")):
        monkeypatch.setenv("HOME", home)
        assert Line([], {"XDG_CONFIG_HOME": "."}).profiles() == []
