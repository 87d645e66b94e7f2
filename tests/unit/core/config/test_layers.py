"""What overrides what, and that nothing is read before it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from x0tta_cli.core.config import layers, load
from x0tta_cli.core.errors import OperatorError


class Limits(BaseModel):
    lower: int = 0
    upper: int = 100


class Drill(BaseModel):
    seed: int = 0
    name: str = "default"
    limits: Limits = Field(default_factory=Limits)


@pytest.fixture
def files(tmp_path):
    """The three files, the weakest first; none exists."""
    user = tmp_path / "xdg" / "x0tta" / "config.toml"
    named = tmp_path / "named.toml"
    for path in (layers.SYSTEM_FILE, user, named):
        path.parent.mkdir(parents=True, exist_ok=True)
    return layers.SYSTEM_FILE, user, named


def code_of(configuration, section="drill", model=Drill) -> str:
    with pytest.raises(OperatorError) as caught:
        configuration.section(section, model)
    return caught.value.code


def test_without_any_file_there_are_the_defaults(files):
    configuration = load(environ={})
    assert configuration.section("drill", Drill) == Drill()
    assert configuration.origin("drill.seed").source == "default"
    assert configuration.origin("drill.seed").value == "0"
    assert configuration.origin("drill.limits.upper").value == "100"


PLACES = ("system", "user", "named", "environment", "option")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    chosen=st.lists(st.sampled_from(PLACES), unique=True),
    in_profile=st.sets(st.sampled_from(PLACES[:3])),
    profile=st.booleans(),
)
def test_the_strongest_place_wins_for_each_key_alone(files, chosen, in_profile, profile):
    for path in files:
        path.unlink(missing_ok=True)
    expected, source = 0, "default"
    contents = dict.fromkeys(PLACES[:3], "[profiles.p.other]\nx = 1\n")
    for index, (place, path) in enumerate(zip(PLACES[:3], files, strict=True), 1):
        if place in chosen:
            contents[place] += f"[drill]\nseed = {index}\n"
            expected, source = index, str(path)
        if place in in_profile:
            contents[place] += f"[profiles.p.drill]\nseed = {index * 10}\n"
            if profile:
                expected, source = index * 10, f"{path} [profiles.p]"
        path.write_text(contents[place] + "[drill.limits]\n" + f"upper = {index}\n")
    environ = {"X0TTA_CONFIG": str(files[2])}
    options: dict[str, object] = {"seed": None, "name": None}
    if "environment" in chosen:
        environ["X0TTA_DRILL__SEED"] = "400"
        expected, source = 400, "environment X0TTA_DRILL__SEED"
    if "option" in chosen:
        options["seed"] = 500
        expected, source = 500, "option"
    configuration = load(profile="p" if profile else None, environ=environ)
    drill = configuration.section("drill", Drill, options)
    origins = configuration.origins("drill", Drill, options)
    assert drill == Drill(seed=expected, limits=Limits(upper=3))
    assert origins["drill.seed"].source == source
    assert origins["drill.seed"].value == str(expected)
    assert origins["drill.name"].source == "default"
    assert origins["drill.limits.upper"].source == str(files[2])
    assert origins["drill.limits.lower"].source == "default"


def test_the_option_for_a_file_wins_over_the_variable(files, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text("[drill]\nseed = 1\n")
    files[2].write_text("[drill]\nseed = 2\n")
    configuration = load(other, environ={"X0TTA_CONFIG": str(files[2])})
    assert configuration.section("drill", Drill).seed == 1


def test_the_option_for_a_profile_wins_over_the_variable(files):
    files[0].write_text("[profiles.a.drill]\nseed = 1\n[profiles.b.drill]\nseed = 2\n")
    environ = {"X0TTA_PROFILE": "a"}
    assert load(environ=environ).section("drill", Drill).seed == 1
    assert load(profile="b", environ=environ).section("drill", Drill).seed == 2


def test_an_empty_profile_variable_chooses_none(files):
    assert load(environ={"X0TTA_PROFILE": ""}).section("drill", Drill) == Drill()


def test_the_current_folder_is_never_read(files, tmp_path, monkeypatch):
    trap = tmp_path / "trap"
    for name in ("config.toml", "x0tta.toml", ".x0tta.toml", "x0tta/config.toml", "~/x0tta.toml",
                 "~/.config/x0tta/config.toml", ".config/x0tta/config.toml"):  # fmt: skip
        (trap / name).parent.mkdir(parents=True, exist_ok=True)
        (trap / name).write_text("[drill]\nseed = 666\n")
    monkeypatch.chdir(trap)
    assert load(environ={}).section("drill", Drill).seed == 0
    for value in (".", "relative"):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert load(environ={}).section("drill", Drill).seed == 0


def test_a_user_without_a_home_has_no_file_of_their_own(tmp_path):
    (tmp_path / "~/.config/x0tta").mkdir(parents=True)
    (tmp_path / "~/.config/x0tta/config.toml").write_text("[drill]\nseed = 666\n")
    code = (
        "import os, pwd\n"
        "def missing(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = missing\n"
        "from x0tta_cli.core.config.layers import standard_files\n"
        "print(len(standard_files()))"
    )
    environ = {
        name: os.environ[name] for name in os.environ if name not in {"HOME", "XDG_CONFIG_HOME"}
    }
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout == "1\n", answer.stderr


def test_nothing_is_read_before_a_section_is_asked_for(files):
    files[1].write_text("this is no TOML")
    configuration = load(Path("/no/such/file"), "no-such-profile", {})
    assert code_of(configuration) in {"config.not_toml", "files.not_found"}


def test_importing_loads_neither_pydantic_nor_tomlkit():
    code = (
        "import sys, x0tta_cli.core.config as config; config.load()\n"
        "print({'pydantic', 'tomllib', 'tomlkit'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "set()\n"


def test_a_file_that_was_named_has_to_exist(files):
    assert code_of(load(files[2], environ={})) == "files.not_found"
    assert code_of(load(environ={"X0TTA_CONFIG": str(files[2])})) == "files.not_found"
    assert code_of(load(layers.SYSTEM_FILE, environ={})) == "files.not_found"


def test_a_file_that_may_not_be_read_is_not_passed_over(unprivileged, monkeypatch):
    path = unprivileged / "x0tta" / "config.toml"
    path.parent.mkdir()
    path.touch(mode=0o000)
    monkeypatch.setattr(layers, "SYSTEM_FILE", path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(unprivileged / "none"))
    assert code_of(load(environ={})) == "files.not_readable"
    path.parent.chmod(0o000)
    try:
        assert code_of(load(environ={})) == "files.not_readable"
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[drill\nseed = 1\n", "line 1"),
        (b"[drill]\nseed = \n", "line 2"),
        (b'[drill]\nname = "\xff"\n', "Line 2 is not UTF-8"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "nested"),
        (b"[drill]\nseed = 1\nseed = 2\n", "line 3"),
    ],
)
def test_a_file_that_is_not_toml_is_named_with_its_line(files, content, reason):
    files[1].write_bytes(content)
    with pytest.raises(OperatorError) as caught:
        load(environ={}).section("drill", Drill)
    assert caught.value.code == "config.not_toml"
    assert str(files[1]) in str(caught.value)
    assert reason in caught.value.reason


def test_an_unknown_profile_names_those_that_exist(files):
    files[0].write_text("[profiles.night.drill]\nseed = 1\n")
    files[1].write_text("[profiles.day.drill]\nseed = 2\n[profiles.night.drill]\nseed = 3\n")
    with pytest.raises(OperatorError) as caught:
        load(profile="nihgt", environ={}).section("drill", Drill)
    assert caught.value.code == "config.unknown_profile"
    assert "day, night" in caught.value.reason


def test_a_profile_of_one_file_is_enough(files):
    files[0].write_text("[drill]\nseed = 1\n")
    files[1].write_text("[profiles.night.drill]\nname = 'n'\n")
    drill = load(profile="night", environ={}).section("drill", Drill)
    assert drill == Drill(seed=1, name="n")


def test_each_section_is_judged_alone(files):
    files[1].write_text("[drill]\nseed = 1\n[other]\nbroken = 'yes'\n[unknown]\nx = 1\n")
    assert load(environ={"X0TTA_OTHER__X": "1"}).section("drill", Drill).seed == 1


def test_the_whole_is_checked_for_sections_that_nobody_has(files):
    files[1].write_text("[dril]\nseed = 1\n[drill]\nseed = 'x'\n[profiles.p.dirll]\nseed = 1\n")
    environ = {"X0TTA_DRLIL__SEED": "1", "X0TTA_STATE_DIR": "/x"}
    found = load(profile="p", environ=environ).check({"drill": Drill, "pay": Limits})
    assert [error.code for error in found] == [
        "config.unknown_section", "config.bad_value",
        "config.unknown_section", "config.unknown_section",
    ]  # fmt: skip
    assert "line 1" in str(found[0])
    assert "'drill'" in found[0].fix
    assert "[profiles.p]" in str(found[2])
    assert "X0TTA_DRLIL" in str(found[3])
    assert load(environ={}).check({"drill": Drill, "dril": Drill})[0].code == "config.bad_value"


def test_a_whole_that_cannot_be_read_is_one_finding(files):
    files[1].write_text("[")
    assert [e.code for e in load(environ={}).check({"drill": Drill})] == ["config.not_toml"]


def test_a_whole_that_is_well_has_no_findings(files):
    files[1].write_text("[drill]\nseed = 1\n[profiles.p.drill]\nseed = 2\n")
    assert load(environ={}).check({"drill": Drill, "pay": Limits}) == []
