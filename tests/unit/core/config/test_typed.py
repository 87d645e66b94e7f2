"""Types of values and what is said where one does not fit."""

from __future__ import annotations

import json
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from fakes.secrets_used import TOKEN, plant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from x0tta_cli.core import secrets
from x0tta_cli.core.config import layers, load
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.times import format_duration


class Mode(StrEnum):
    FAST = "fast"
    SAFE = "safe"


class Channel(BaseModel):
    name: str
    token: SecretStr | None = None


class Alert(BaseModel):
    count: int = Field(1, ge=0)
    ratio: float = 0.5
    is_on: bool = False
    name: str = ""
    wait: timedelta = timedelta(seconds=30)
    folder: Path | None = None
    mode: Mode = Mode.SAFE
    level: Literal[1, 2, "max"] = 1
    numbers: tuple[int, ...] = ()
    words: list[str] = []
    labels: dict[str, str] = {}
    day: date | None = None
    token: SecretStr | None = None
    channel: Channel | None = None
    channels: list[Channel] = []
    number_or_text: int | str = 0

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("bad is no name")
        return name


@pytest.fixture
def file(tmp_path):
    path = layers.SYSTEM_FILE
    path.parent.mkdir(parents=True)
    return path


def alert(
    file: Path, text: str = "", environ: dict[str, str] | None = None, **options: Any
) -> Alert:
    plant(file, f"[alert]\n{text}\n")
    return load(environ=environ or {}).section("alert", Alert, options)


def refusal(file: Path, text: str = "", environ: dict[str, str] | None = None) -> OperatorError:
    with pytest.raises(OperatorError) as caught:
        alert(file, text, environ)
    return caught.value


def test_every_type_that_toml_has_or_can_spell(file):
    read = alert(
        file,
        'count = 3\nratio = 1\nis_on = true\nname = "n"\nwait = "1h30m"\nfolder = "/data"\n'
        'mode = "fast"\nlevel = "max"\nnumbers = [1, 2]\nwords = ["a"]\nlabels = { env = "prod" }\n'
        "day = 2026-11-25\nnumber_or_text = 'x'",
    )
    assert (
        read.model_dump()
        == Alert(
            count=3,
            ratio=1.0,
            is_on=True,
            name="n",
            wait=timedelta(minutes=90),
            folder=Path("/data"),
            mode=Mode.FAST,
            level="max",
            numbers=(1, 2),
            words=["a"],
            labels={"env": "prod"},
            day=date(2026, 11, 25),
            number_or_text="x",
        ).model_dump()
    )


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("count", "3", 3),
        ("ratio", "0.25", 0.25),
        ("ratio", "2", 2.0),
        *(("is_on", word, True) for word in ("1", "true", "YES", "on")),
        *(("is_on", word, False) for word in ("0", "false", "No", "off")),
        ("name", "007", "007"),
        ("name", "true", "true"),
        ("name", "", ""),
        ("wait", "90s", timedelta(seconds=90)),
        ("mode", "fast", Mode.FAST),
        ("level", "2", 2),
        ("level", "max", "max"),
        ("numbers", "1, 2,3", (1, 2, 3)),
        ("numbers", "[4]", (4,)),
        ("numbers", "", ()),
        ("words", "a,1", ["a", "1"]),
        ("labels__zone", "x", {"zone": "x"}),
        ("number_or_text", "7", 7),
        ("number_or_text", "seven", "seven"),
        ("day", "2026-11-25", date(2026, 11, 25)),
    ],
)
def test_a_text_of_the_environment_is_read_as_its_keys_type(file, key, text, expected):
    read = alert(file, environ={f"X0TTA_ALERT__{key.upper()}": text})
    assert getattr(read, key.partition("__")[0]) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0), st.booleans(), st.timedeltas(timedelta(0), timedelta(9999)))
def test_file_and_environment_agree(file, count, is_on, wait):
    file.unlink(missing_ok=True)
    texts = {"count": str(count), "is_on": str(is_on).lower(), "wait": format_duration(wait)}
    environ = {f"X0TTA_ALERT__{name.upper()}": text for name, text in texts.items()}
    written = f'count = {texts["count"]}\nis_on = {texts["is_on"]}\nwait = "{texts["wait"]}"'
    from_environment = alert(file, environ=environ)
    assert from_environment == alert(file, written)
    assert from_environment.wait == wait


def test_options_of_any_type_are_taken_as_they_are(file):
    read = alert(
        file, wait=timedelta(microseconds=1_500_001), folder=Path("x"), mode=Mode.FAST, numbers=(1,)
    )
    assert (read.wait, read.folder, read.mode, read.numbers) == (
        timedelta(microseconds=1_500_001), Path("x"), Mode.FAST, (1,),
    )  # fmt: skip


def test_a_relative_path_of_a_file_is_meant_from_there(file, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert alert(file, 'folder = "data"').folder == file.parent / "data"
    assert alert(file, 'folder = "~/data"').folder == tmp_path / "data"
    assert alert(file, environ={"X0TTA_ALERT__FOLDER": "data"}).folder == Path("data")


def test_tables_are_merged_key_by_key_and_lists_are_not(file):
    text = 'words = ["a", "b"]\nlabels = { env = "prod", zone = "x" }\nchannel = { name = "n" }'
    environ = {"X0TTA_ALERT__WORDS": "c", "X0TTA_ALERT__LABELS__ZONE": "y",
               "X0TTA_ALERT__CHANNEL__TOKEN": TOKEN}  # fmt: skip
    read = alert(file, text, environ)
    assert read.words == ["c"]
    assert read.labels == {"env": "prod", "zone": "y"}
    assert read.channel is not None
    assert (read.channel.name, read.channel.token) == ("n", SecretStr(TOKEN))


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ('count = "7"', "the text '7'", "integer"),
        ("count = true", "true", "integer"),
        ("count = 7.5", "the number 7.5", "integer"),
        ("count = -3", "the number -3", "greater than or equal to 0"),
        ("count = [7]", "a list of 1", "integer"),
        ("count = { a = 1 }", "a table with a", "integer"),
        ("is_on = 1", "the number 1", "boolean"),
        ('is_on = "yes"', "the text 'yes'", "boolean"),
        ("name = 7", "the number 7", "string"),
        ('name = "bad"', "the text 'bad'", "bad is no name"),
        ("wait = 90", "the number 90", "duration"),
        ('wait = "90"', "the text '90'", "unit"),
        ('mode = "fats"', "the text 'fats'", "'fast' or 'safe'"),
        ("level = 3", "the number 3", "1, 2 or 'max'"),
        ('words = "a"', "the text 'a'", "a list"),
        ("channel = 3", "the number 3", "a table"),
    ],
)
def test_a_wrong_value_names_file_line_key_found_and_expected(file, text, found, expected):
    error = refusal(file, f"# first\n{text}")
    key = text.partition(" ")[0]
    assert (error.code, error.exit_status) == ("config.bad_value", 9)
    assert str(error) == f"{file}, line 3: alert.{key} is {found}."
    assert expected in error.reason
    assert str(file) in error.fix


def test_a_wrong_value_deep_inside_is_found_on_its_line(file):
    error = refusal(file, 'count = 1\n[alert.channel]\nname = "n"\ntoken = 7')
    assert f"{file}, line 5: alert.channel.token" in str(error)


def test_a_wrong_item_of_a_list_is_named_by_its_place(file):
    assert "alert.numbers.1 is the text 'x'" in str(refusal(file, "numbers = [1, 'x']"))


def test_a_wrong_value_of_the_environment_names_the_variable(file):
    error = refusal(file, environ={"X0TTA_ALERT__COUNT": "seven"})
    assert str(error) == "environment X0TTA_ALERT__COUNT: alert.count is the text 'seven'."
    assert "export X0TTA_ALERT__COUNT=" in error.fix


def test_bytes_that_are_no_text_are_refused(file):
    error = refusal(file, environ={"X0TTA_ALERT__NAME": "\udcff"})
    assert error.code == "config.bad_value"
    json.dumps(error.problem()).encode()


def test_several_wrong_values_are_all_named(file):
    error = refusal(file, 'count = "x"\nratio = "y"')
    assert "alert.count" in str(error)
    assert "alert.ratio" in error.reason


def test_what_has_no_default_has_to_be_set(file):
    error = refusal(file, "[alert.channel]")
    assert error.code == "config.missing_key"
    assert "alert.channel.name" in str(error)
    assert "X0TTA_ALERT__CHANNEL__NAME" in error.fix


@pytest.mark.parametrize(
    ("text", "line", "key", "fix"),
    [
        ("coutn = 1", 2, "coutn", "Did you mean 'count'?"),
        ("[alert.channel]\nnmae = 'x'", 3, "nmae", "Did you mean 'name'?"),
        ("zzzzzz = 1", 2, "zzzzzz", "Remove it from"),
    ],
)
def test_an_unknown_key_is_an_error_with_a_suggestion(file, text, line, key, fix):
    error = refusal(file, text)
    assert error.code == "config.unknown_key"
    assert str(error).startswith(f"{file}, line {line}: alert")
    assert f"no key '{key}'" in str(error)
    assert fix in error.fix


@pytest.mark.parametrize(
    ("variable", "fix"),
    [
        ("X0TTA_ALERT__COUTN", "Did you mean X0TTA_ALERT__COUNT?"),
        ("X0TTA_ALERT_COUNT", "Did you mean X0TTA_ALERT__COUNT?"),
        ("X0TTA_ALERT__CHANNEL__NMAE", "Did you mean X0TTA_ALERT__CHANNEL__NAME?"),
    ],
)
def test_an_unknown_variable_is_an_error_with_a_suggestion(file, variable, fix):
    error = refusal(file, environ={variable: "1"})
    assert error.code == "config.unknown_key"
    assert variable in str(error)
    assert error.fix == fix


def test_a_variable_that_is_a_value_and_a_table(file):
    environ = {"X0TTA_ALERT__CHANNEL": "x", "X0TTA_ALERT__CHANNEL__NAME": "y"}
    error = refusal(file, environ=environ)
    assert error.code == "config.bad_value"
    assert error.fix == "unset X0TTA_ALERT__CHANNEL"


def test_a_section_has_to_be_a_table(file):
    file.write_text("alert = 3\n")
    with pytest.raises(OperatorError, match=r"line 1: alert is the number 3") as caught:
        load(environ={}).section("alert", Alert)
    assert caught.value.code == "config.bad_value"


def test_a_model_may_take_keys_that_it_does_not_name(file):
    class Flags(BaseModel):
        model_config = ConfigDict(extra="allow")

    file.write_text("[flags]\nebpf = false\nenv = 'x'\n")
    configuration = load(environ={"X0TTA_FLAGS__SPIFFE": "off"})
    assert configuration.section("flags", Flags).model_extra == {
        "ebpf": False, "env": "x", "spiffe": "off",
    }  # fmt: skip
    assert configuration.origin("flags.spiffe").source == "environment X0TTA_FLAGS__SPIFFE"
    assert configuration.origin("flags.ebpf").value == "false"


@pytest.mark.parametrize("value", ['"hunter2-hunter2"', "[1]", "{ evn = 'NAME' }", "7"])
def test_a_wrong_secret_is_refused_and_not_shown(file, value):
    error = refusal(file, f"token = {value}")
    assert error.code in {"config.plain_secret", "config.bad_value"}
    assert "line 2" in str(error)
    assert "credential" in error.reason + error.fix
    assert "hunter2" not in json.dumps(error.problem())


def test_a_secret_shows_neither_beside_another_error_nor_as_an_origin(file):
    environ = {"X0TTA_ALERT__TOKEN": "hunter2-hunter2", "X0TTA_ALERT__COUNT": "hunter2-hunter2"}
    error = refusal(file, environ=environ)
    assert "hunter2" not in json.dumps(error.problem())
    del environ["X0TTA_ALERT__COUNT"]
    configuration = load(environ=environ)
    assert "hunter2" not in repr(configuration.section("alert", Alert))
    origin = configuration.origin("alert.token")
    assert (origin.value, origin.source) == (secrets.HIDDEN, "environment X0TTA_ALERT__TOKEN")


def test_origins_show_values_as_an_operator_writes_them(file):
    alert(file)
    file.write_text('[alert]\nwait = "90s"\nmode = "fast"\nlabels = { zone = "x" }\n')
    shown = {key: origin.value for key, origin in load(environ={}).origins("alert", Alert).items()}
    assert shown["alert.wait"] == "1m30s"
    assert shown["alert.mode"] == '"fast"'
    assert shown["alert.labels.zone"] == '"x"'
    assert shown["alert.count"] == "1"
    assert shown["alert.token"] == "null"
