"""A group that a flag switches off: every command says so and ends with 8, and the rest works."""

from __future__ import annotations

import json
import re

import pytest
from command_lines.line import all_lines
from fakes.webhook import running_webhook

from x0tta_cli.terminal.groups import GROUPS
from x0tta_cli.terminal.tree import command_tree

pytestmark = pytest.mark.slow

SWITCHED = {group.name: group.flag for group in GROUPS.values() if group.flag}
LINES = all_lines()
# What undoes something, and what runs a job, goes on whatever the flags say.
SAFE = {
    "ebpf detach",
    "alert resolve",
    "alert acknowledge",
    "alert run",
    "alert silence add",
    "alert silence expire",
}
COMMANDS = [
    " ".join(command.path[1:])
    for command in command_tree().walk()
    if len(command.path) > 1
    and command.path[1] in SWITCHED
    and not command.commands
    # One without lines fails in test_every_command.
    and " ".join(command.path[1:]) in LINES
    and " ".join(command.path[1:]) not in SAFE
]


def test_every_capability_has_a_flag_of_its_own():
    assert set(SWITCHED) == {"ebpf", "alert", "pay"}
    assert len(set(SWITCHED.values())) == len(SWITCHED)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_of_a_group_that_is_off_says_so(x0tta, tmp_path, path):
    flag = SWITCHED[path.split(" ")[0]]
    variable = f"X0TTA_FLAGS__{flag.upper()}"
    # Nothing that it names is there: a command that looked for it would end with another status.
    words = [re.sub(r"\{\w+\}", "1", word) for word in LINES[path].success.words.split(" ")]
    ended = x0tta("-o", "json", *words, env={variable: "off"})
    assert (ended.returncode, ended.stdout) == (8, ""), ended.stderr
    problem = json.loads(ended.stderr.splitlines()[-1])
    assert (problem["code"], problem["context"]["flag"]) == ("flags.switched_off", flag)
    assert problem["fix"] == f"unset {variable}"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("group", SWITCHED)
def test_its_help_is_there_all_the_same(x0tta, group):
    off = {f"X0TTA_FLAGS__{SWITCHED[group].upper()}": "0"}
    for line in ((group, "--help"), ("help", group), (group, "list", "--help")):
        ended = x0tta(*line, env=off)
        assert ended.returncode == 0 or line[1] == "list"
        assert "flags.switched_off" not in ended.stderr


@pytest.mark.parametrize("group", SWITCHED)
def test_a_flag_that_cannot_be_read_is_neither_on_nor_off(x0tta, group):
    line = {"ebpf": "ebpf probe", "alert": "alert outbox list", "pay": "pay wallets list"}[group]
    ended = x0tta(*line.split(), env={f"X0TTA_FLAGS__{SWITCHED[group].upper()}": "maybe"})
    assert (ended.returncode, ended.stdout) == (9, "")
    assert "config.bad_value" in ended.stderr


@pytest.mark.parametrize("word", ["off", "maybe"])
def test_the_safe_direction_goes_on_whatever_the_flags_say(x0tta, word):
    ended = x0tta("ebpf", "detach", "nowhere0", "--yes", env={"X0TTA_FLAGS__EBPF": word})
    assert "goes on in spite of the flags" in ended.stderr
    assert "code  ebpf.no_such_interface" in ended.stderr
    assert ended.returncode == 4
    for line in ("resolve no-such", "acknowledge no-such", "silence expire no-such"):
        ended = x0tta("alert", *line.split(), env={"X0TTA_FLAGS__ALERT": word})
        assert "goes on in spite of the flags" in ended.stderr
        assert ended.returncode not in {0, 1, 8}, ended.stderr


def test_a_job_runs_while_alerts_are_off_and_is_told_of_when_they_are_on(x0tta, tmp_path):
    off = {"X0TTA_FLAGS__ALERT": "off"}
    job = ("alert", "run", "backup", "--", "sh", "-c", "echo done; exit 3")
    with running_webhook() as receiver:
        config = tmp_path / "config.toml"
        config.write_text(f'[alert.channels.hook]\nkind = "webhook"\nurl = "{receiver.url}"\n')
        given = {"X0TTA_CONFIG": str(config)}
        ended = x0tta(*job, env=off | given)
        assert (ended.returncode, ended.stdout) == (3, "done\n")
        assert "flags.switched_off" in ended.stderr
        assert receiver.taken == {}
        assert x0tta("alert", "outbox", "run", env=given).returncode == 0
        assert len(receiver.taken) == 1


def test_status_and_doctor_name_what_is_off_and_do_not_ask_it(x0tta):
    off = {"X0TTA_FLAGS__PAY": "off", "X0TTA_FLAGS__EBPF": "off", "X0TTA_PAY__QUORUM": "many"}
    ended = x0tta("status", "-o", "json", env=off)
    assert ended.returncode == 0, ended.stderr
    [line] = [line for line in json.loads(ended.stdout)["lines"] if line["group"] == "flags"]
    assert (line["summary"], line["count"]) == ("off: ebpf, pay", 2)
    assert line["next"] == "x0tta flags list"
    ended = x0tta("doctor", "flags", "-o", "json", env=off)
    [check] = json.loads(ended.stdout)["checks"]
    assert [finding["object"] for finding in check["findings"]] == ["ebpf", "pay"]
    assert (check["state"], ended.returncode) == ("note", 0)
    nothing_off = json.loads(x0tta("status", "-o", "json").stdout)["lines"]
    assert "flags" not in {line["group"] for line in nothing_off}
