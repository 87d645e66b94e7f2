"""Commands of every group where something is wrong around them: each a clear end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines.terminals import run_on_terminal
from command_lines.warm import warm
from fakes.secrets_used import PASSWORD, plant

from x0tta_cli.core.journal import file as journal_file

pytestmark = pytest.mark.slow

X0TTA = str(Path(sys.executable).with_name("x0tta"))
# One that looks at its state, its configuration and the world of each group that has one.
LINES = (
    "status",
    "ops list",
    "config show",
    "flags list",
    "drill list",
    "ebpf list",
    "alert outbox list",
    "pay expect list",
    "doctor configuration state",
)
# What an answer or a refusal may end with; 1 would be a defect, 2 a mistake of the test.
CLEAR = {0, 3, 4, 5, 6, 7, 8, 9, 10}


def assert_is_clear(status, stdout, stderr):
    assert status in CLEAR, stderr
    assert "Traceback" not in stderr
    if stdout:
        json.loads(stdout)
    else:
        problem = json.loads(stderr.splitlines()[-1])
        assert problem["exit_status"] == status
        assert problem["fix"]


def stated(environment, content):
    state = Path(environment["X0TTA_STATE_DIR"])
    state.mkdir(mode=0o700)
    (state / journal_file.NAME).write_bytes(content)
    return state / journal_file.NAME


def newer():
    header = bytearray(4096)
    header[:16] = b"SQLite format 3\0"
    header[60:64] = (99).to_bytes(4, "big")
    header[68:72] = journal_file.APPLICATION_ID.to_bytes(4, "big")
    return bytes(header)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(
    ("content", "code"),
    [(newer(), "journal.newer"), (b"nonsense" * 100, "journal.corrupt")],
    ids=["newer", "corrupt"],
)
def test_a_state_of_a_newer_version_or_a_damaged_one(warm_x0tta, environment, line, content, code):
    file = stated(environment, content)
    ended = warm_x0tta(*line.split(), "-o", "json")
    assert_is_clear(ended.returncode, ended.stdout, ended.stderr)
    assert file.read_bytes() == content
    if line == "ops list":
        assert json.loads(ended.stderr)["code"] == code
    if line in {"ops list", "status", "alert outbox list"}:
        assert ended.returncode == 9, ended.stderr


@pytest.mark.parametrize("line", LINES)
def test_without_a_home_in_a_locale_of_c_and_with_stdin_closed(environment, line):
    kept = {name: value for name, value in environment.items() if name not in {"HOME", "LANG"}}
    ended = subprocess.run(
        ["sh", "-c", f"exec {X0TTA} {line} -o json <&-"],
        env=kept | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert_is_clear(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("line", LINES)
def test_an_environment_variable_for_an_unknown_key(warm_x0tta, line):
    group = {"ops": "doctor", "status": "doctor", "config": "drill"}.get(line.split()[0])
    section = group or line.split()[0]
    ended = warm_x0tta(
        *line.split(), "-o", "json", env={f"X0TTA_{section.upper()}__NO_SUCH_KEY": "1"}
    )
    assert_is_clear(ended.returncode, ended.stdout, ended.stderr)
    if line in {"config show", "flags list", "drill list"}:
        assert json.loads(ended.stderr)["code"] == "config.unknown_key"


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("X0TTA_DRIL__SEED", "X0TTA_DRILL__SEED"), ("X0TTA_READONLY", "X0TTA_READ_ONLY")],
)
def test_an_environment_variable_of_no_section_is_warned_of_once(warm_x0tta, variable, meant):
    ended = warm_x0tta("config", "show", "-o", "json", env={variable: "1"})
    assert ended.returncode == 0
    [warning] = map(json.loads, ended.stderr.splitlines())
    assert (warning["level"], warning["fix"]) == ("warning", f"Did you mean {meant}?")
    assert variable in warning["message"]


@pytest.mark.parametrize("line", LINES)
def test_a_profile_that_does_not_exist(warm_x0tta, line):
    ended = warm_x0tta(*line.split(), "-o", "json", "--profile", "nowhere")
    assert_is_clear(ended.returncode, ended.stdout, ended.stderr)
    if line in {"config show", "flags list", "drill list"}:
        assert json.loads(ended.stderr)["code"] == "config.unknown_profile"


def test_a_secret_file_that_others_can_read(warm_x0tta, environment, tmp_path):
    secret = plant(tmp_path / "token", PASSWORD, mode=0o644)
    config = tmp_path / "config.toml"
    config.write_text(
        '[alert.channels.page]\nkind = "pagerduty"\n'
        f'routing_key = {{ file = "{secret}" }}\n[pay.bot]\ntoken = {{ file = "{secret}" }}\n'
    )
    for line in ("alert test --yes", "config check", "doctor configuration"):
        ended = warm_x0tta(*line.split(), "-o", "json", "--config", str(config))
        assert "secrets.exposed" in ended.stdout + ended.stderr, line
        assert ended.returncode == (3 if line.startswith("doctor") else 6)
        assert PASSWORD not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "line",
    [
        *LINES,
        "bundle",
        "config set drill.data here",
        "config init --config mine.toml",
        "config check",
    ],
)
def test_a_current_folder_that_was_removed(environment, tmp_path, line):
    folder = tmp_path / "gone"
    folder.mkdir()
    ended = subprocess.run(
        ["sh", "-c", f"cd {folder} && rmdir {folder} && exec {X0TTA} {line} -o json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert_is_clear(ended.returncode, ended.stdout, ended.stderr)
    if line.startswith(("bundle", "config set", "config init")):
        assert json.loads(ended.stderr)["code"] == "files.not_found"


@pytest.mark.parametrize(
    "line",
    [
        "config set drill.data",
        "config set drill.seed",
        "ops show",
        "ops clean --yes",
        "alert heartbeat",
        "pay wallets add usdt-trc20 TQq4YrKRywkd9vLYw2nZKiFfMpbQiL8gKK --name",
        "pay expect add",
    ],
)
def test_an_argument_that_is_no_text(environment, tmp_path, line):
    ended = subprocess.run(
        [X0TTA, *line.split(), b"\xff\xfe", *(["1", "usdt-trc20"] * line.endswith("expect add"))],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "It has bytes that are not UTF-8." in ended.stderr
    assert "code  usage.bad_value" in ended.stderr
    assert not (tmp_path / "state").exists()


def test_a_file_whose_name_is_no_text(environment, tmp_path):
    """Names of files are bytes, and so may the line of a job be."""
    name = b"\xff\xfe.tar.gz"
    ended = subprocess.run(
        [X0TTA, "bundle", name, "-q"],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (os.fsencode(tmp_path) + b"/" + name) in map(os.fsencode, tmp_path.iterdir())
    ran = subprocess.run(
        [X0TTA, "alert", "run", "job", "--", "ls", name],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert (ran.returncode, ran.stdout) == (0, name + b"\n")


@pytest.mark.parametrize("line", LINES)
def test_a_terminal_of_40_columns(environment, line):
    ended = run_on_terminal([X0TTA, *line.split()], environment, start=warm, columns=40)
    assert ended.returncode in CLEAR
    assert "Traceback" not in ended.stderr
    widths = [len(text) for text in ended.stdout.splitlines() if "\x1b" not in text]
    assert max(widths, default=0) <= 40
