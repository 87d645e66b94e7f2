"""Secrets that the configuration refers to."""

from __future__ import annotations

import os

import pytest
from fakes.secrets_used import TOKEN, canary, plant, planted
from pydantic import BaseModel, SecretStr

from x0tta_cli.core import secrets
from x0tta_cli.core.config import layers, load
from x0tta_cli.core.errors import OperatorError

VALUE = TOKEN


class Channel(BaseModel):
    token: SecretStr


class Pay(BaseModel):
    token: SecretStr | None = None
    channels: list[Channel] = []


@pytest.fixture
def file(tmp_path):
    path = layers.SYSTEM_FILE
    path.parent.mkdir(parents=True)
    return path


def read(file, token: str, environ: dict[str, str] | None = None) -> Pay:
    file.write_text(f"[pay]\ntoken = {token}\n")
    return load(environ=environ or {}).section("pay", Pay)


def refusal(file, token: str, environ: dict[str, str] | None = None) -> OperatorError:
    with pytest.raises(OperatorError) as caught:
        read(file, token, environ)
    return caught.value


def test_a_secret_of_the_environment(file):
    pay = read(file, '{ env = "PAY_TOKEN" }', {"PAY_TOKEN": VALUE})
    assert pay.token == SecretStr(VALUE)
    assert secrets.redact(f"x {VALUE} y") == f"x {secrets.HIDDEN} y"


@pytest.mark.parametrize("environ", [{}, {"PAY_TOKEN": ""}])
def test_a_variable_that_is_not_there(file, environ):
    error = refusal(file, '{ env = "PAY_TOKEN" }', environ)
    assert (error.code, error.exit_status) == ("secrets.missing", 9)
    assert "PAY_TOKEN" in error.reason


@pytest.mark.parametrize("content", [VALUE, f"{VALUE}\n", f"{VALUE}\r\n"])
def test_a_secret_of_a_file_is_without_its_line_end(file, tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content.encode())
    path.chmod(0o600)
    planted(path)
    assert read(file, f'{{ file = "{path}" }}').token == SecretStr(VALUE)
    assert secrets.redact(VALUE) == secrets.HIDDEN


def test_a_relative_file_lies_beside_the_configuration(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("another")
    (tmp_path / "token").chmod(0o600)
    plant(file.parent / "token", VALUE, 0o400)
    assert read(file, '{ file = "token" }').token == SecretStr(VALUE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644])
def test_a_file_that_others_may_open_is_refused(file, tmp_path, mode):
    path = tmp_path / "token"
    plant(path, VALUE, mode)
    error = refusal(file, f'{{ file = "{path}" }}')
    assert (error.code, error.exit_status) == ("secrets.exposed", 6)
    assert f"chmod 600 {path}" in error.fix
    assert VALUE not in str(error.problem())


def test_a_link_to_a_file_that_others_may_read_is_refused(file, tmp_path):
    plant(tmp_path / "open", VALUE, 0o644)
    (tmp_path / "link").symlink_to("open")
    assert refusal(file, f'{{ file = "{tmp_path}/link" }}').code == "secrets.exposed"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_without_a_usable_secret(file, tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    assert refusal(file, f'{{ file = "{path}" }}').code == "secrets.missing"


def test_a_file_that_is_not_there_or_no_file(file, tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("missing", "pipe", ""):
        assert refusal(file, f'{{ file = "{tmp_path}/{name}" }}').code == "secrets.missing"


def test_a_file_that_one_may_not_read(unprivileged, monkeypatch):
    monkeypatch.setattr(layers, "SYSTEM_FILE", unprivileged / "config.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(unprivileged / "none"))
    (unprivileged / "token").touch(mode=0o000)
    assert refusal(layers.SYSTEM_FILE, '{ file = "token" }').code == "files.not_readable"


def test_a_credential_of_systemd(file, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    plant(folder / "pay", VALUE)
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert read(file, '{ credential = "pay" }', environ).token == SecretStr(VALUE)
    for name in ("other", "../credentials/pay"):
        error = refusal(file, f'{{ credential = "{name}" }}', environ)
        assert error.code == "secrets.missing"
        assert "LoadCredential=" in error.fix
    assert "No systemd unit" in refusal(file, '{ credential = "pay" }').reason


def test_a_stronger_reference_replaces_a_weaker_one_whole(file, tmp_path):
    named = tmp_path / "named.toml"
    named.write_text('[pay]\ntoken = { env = "B" }\n')
    file.write_text('[pay]\ntoken = { file = "nowhere" }\n')
    assert load(named, environ={"B": VALUE}).section("pay", Pay).token == SecretStr(VALUE)


def test_secrets_within_lists_are_resolved(file):
    file.write_text(
        '[[pay.channels]]\ntoken = { env = "A" }\n[[pay.channels]]\ntoken = { env = "B" }\n'
    )
    pay = load(environ={"A": canary("first"), "B": canary("second")}).section("pay", Pay)
    assert [c.token.get_secret_value() for c in pay.channels] == [canary("first"), canary("second")]


def test_the_origin_of_a_secret_shows_the_reference(file):
    file.write_text('[pay]\ntoken = { env = "A" }\n')
    configuration = load(environ={"A": VALUE})
    assert configuration.section("pay", Pay).token == SecretStr(VALUE)
    assert configuration.origin("pay.token").value == '{ env = "A" }'
    assert configuration.origin("pay.token").source == str(file)
