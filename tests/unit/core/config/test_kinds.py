"""Tables of several kinds under one name, told apart by a word."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from fakes.secrets_used import PASSWORD, plant
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from x0tta_cli.core.config import load
from x0tta_cli.core.errors import ConfigurationError


class Bell(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["bell"]
    tone: str = "a"


class Lamp(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["lamp"]
    watts: int
    key: SecretStr | None = None


class Safe(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["safe"]
    code: SecretStr


class House(BaseModel):
    model_config = ConfigDict(extra="forbid")
    things: dict[str, Annotated[Bell | Lamp | Safe, Field(discriminator="kind")]] = Field(
        default_factory=dict
    )


def read(user_file, text):
    user_file.write_text(text)
    return load(environ={"KEY": "hunter2-hunter2"}).section("house", House)


def test_each_table_is_of_the_kind_that_it_names(user_file):
    house = read(
        user_file,
        '[house.things.l]\nkind = "lamp"\nwatts = 5\nkey = { env = "KEY" }\n'
        '[house.things.b]\nkind = "bell"\n',
    )
    assert isinstance(house.things["b"], Bell)
    assert house.things["l"].key.get_secret_value() == "hunter2-hunter2"
    shown = load(environ={"KEY": "x"}).origins("house", House)
    assert shown["house.things.l.key"].value == '{ env = "KEY" }'
    assert shown["house.things.l.watts"].line == 3


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('kind = "lamb"\nwatts = 5', "config.bad_value", "bell, lamp or safe"),
        ("watts = 5", "config.missing_key", "no default"),
        ('kind = "lamp"\ntone = "a"', "config.unknown_key", "watts"),
        ('kind = "lamp"', "config.missing_key", "no default"),
    ],
)
def test_what_does_not_fit_is_said_of_the_kind_that_is_meant(user_file, text, code, words):
    with pytest.raises(ConfigurationError) as caught:
        read(user_file, f"[house.things.x]\n{text}\n")
    assert caught.value.code == code
    assert words in caught.value.reason


def test_a_key_whose_secret_is_open_is_not_missing_as_well(user_file, tmp_path):
    secret = plant(tmp_path / "key", PASSWORD, mode=0o644)
    user_file.write_text(
        f'[house.things.x]\nkind = "safe"\ncode = {{ file = "{secret}" }}\n'
        '[house.things.y]\nkind = "safe"\n'
    )
    problems = [(str(p), p.code) for p in load(environ={}).check({"house": House})]
    assert [code for _, code in problems] == ["secrets.exposed", "config.missing_key"]
    assert problems[1][0] == "house.things.y.code is not set."
