"""The shipped systemd units and cron lines of all groups: what they start exists, and how.

A group's file in `x0tta_cli/GROUP/units/` is found by itself.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import pytest

import x0tta_cli
from x0tta_cli.core.errors import UsageError
from x0tta_cli.terminal.app import root

FILES = sorted(Path(x0tta_cli.__file__).parent.glob("*/units/*"))
SERVICES = [file for file in FILES if file.suffix == ".service"]
TIMERS = [file for file in FILES if file.suffix == ".timer"]
CRONS = [file for file in FILES if file.suffix == ".cron"]
# Long-running commands that speak sd_notify; each group shows it with a socket of its own.
NOTIFYING = ("alert serve", "ebpf attach", "ebpf export", "pay bot", "pay watch")
NAME = re.compile(r"x0tta-(?P<group>[a-z]+)(-[a-z-]+)?@?\.(service|timer|cron)")
# What stands in /etc/cron.d: five fields of time, a user, a command. Also one that is a proposal.
CRON = re.compile(r"(?:# )?(?:[\d*/,-]+ ){5}(?P<user>\S+) (?P<line>.*x0tta .*)")
ASSIGNMENT = re.compile(r"[A-Z_]+=\S+")


def name_of(file):
    return file.name


def read(file):
    """The keys of each section, each with all its values."""
    sections = defaultdict(lambda: defaultdict(list))
    section = None
    for line in file.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = sections[header[1]]
        elif line and not line.startswith(("#", ";")):
            key, equals, value = line.partition("=")
            assert equals, line
            section[key].append(value)
    return sections


def last(section, key, default=""):
    return section.get(key, [default])[-1]


def words_of(service):
    """The words of ExecStart, `${NAME}` as one word and `$NAME` as many, as the unit sets them."""
    pairs = " ".join(service["Environment"]).split()
    variables = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    words = []
    for word in shlex.split(last(service, "ExecStart").replace("%i", "eth0").replace("%I", "eth0")):
        if whole := re.fullmatch(r"\$(\w+)", word):
            words += variables[whole[1]].split()
        else:
            words.append(re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], word))
    return words


def parse(words):
    """Parse a command line of x0tta down to its command, run nothing; the command's path."""
    assert words[0] == "x0tta", words
    context = root().make_context("x0tta", [*words[1:]])
    while getattr(context.command, "commands", None):
        name, command, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = command.make_context(name, rest, parent=context)
    return context.command_path.removeprefix("x0tta ")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_bears_the_name_of_its_group(file):
    name = NAME.fullmatch(file.name)
    assert name, file
    assert name["group"] == file.parents[1].name


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_wheel_has_it_where_it_is_looked_for(file):
    place = f"share/x0tta/cron/{file.stem}" if file in CRONS else f"lib/systemd/system/{file.name}"
    installed = [Path(str(each.locate())).resolve() for each in metadata.files("x0tta") or ()]
    assert any(path.match(f"*/{place}") for path in installed if path.name == Path(place).name)


@pytest.mark.parametrize("file", SERVICES, ids=name_of)
def test_a_service_starts_a_command_that_there_is(file):
    service = read(file)["Service"]
    # systemd asks nobody, so that what changes the world has to be told to.
    path = parse(words_of(service))
    is_notifying = path in NOTIFYING
    assert last(service, "Type") == ("notify" if is_notifying else "oneshot")
    expected = {"3", "10", "143"} if is_notifying else {"3", "10"}
    assert expected <= set(last(service, "SuccessExitStatus").split())
    assert last(service, "Restart", "no") == ("on-failure" if is_notifying else "no")


@pytest.mark.parametrize("file", SERVICES, ids=name_of)
def test_a_service_may_do_little(file):
    service = read(file)["Service"]
    for key, value in {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "StateDirectoryMode": "0700",
    }.items():
        assert last(service, key) == value, key
    assert last(service, "StateDirectory").split()[0] == "x0tta"
    assert not [key for key in service if key.startswith("Environment") and "TOKEN=" in key]


@pytest.mark.parametrize("file", SERVICES, ids=name_of)
def test_a_service_that_ends_by_itself_has_a_timer(file):
    sections = read(file)
    timer = file.with_suffix(".timer")
    is_periodic = last(sections["Service"], "Type") == "oneshot"
    assert timer.exists() == is_periodic
    # What is started by its timer is not enabled beside it.
    assert ("Install" in sections) != is_periodic


@pytest.mark.parametrize("file", TIMERS, ids=name_of)
def test_a_timer_starts_a_service_that_there_is(file):
    sections = read(file)
    started = last(sections["Timer"], "Unit", f"{file.stem}.service")
    assert file.with_name(started).exists()
    assert last(sections["Install"], "WantedBy") == "timers.target"


@pytest.mark.parametrize("file", CRONS, ids=name_of)
def test_a_cron_line_calls_a_command_that_there_is(file):
    lines = [found for line in file.read_text().splitlines() if (found := CRON.fullmatch(line))]
    assert lines
    for line in lines:
        assert line["user"] == "root"
        # cron makes a newline of a bare %.
        assert "%" not in line["line"].replace(r"\%", "")
        for part in re.split(r"&&|\|\||;", line["line"]):
            words = shlex.split(part.partition(">")[0])
            if words[0] == "x0tta":
                parse(words)
    # Commands are installed there, and cron itself looks in /usr/bin and /bin alone.
    assert re.search("^PATH=.*/usr/local/bin", file.read_text(), re.MULTILINE)
    # Whatever else stands there is a variable or a comment: cron takes all other lines for jobs.
    for text in file.read_text().splitlines():
        assert not text or text.startswith("#") or ASSIGNMENT.match(text) or CRON.fullmatch(text)


def test_what_a_unit_could_get_wrong_is_noticed():
    assert parse(shlex.split("x0tta status -o json")) == "status"
    for line in ("x0tta status --no-such", "x0tta drill nowhere now", "x0tta flags gte graphsage"):
        with pytest.raises(UsageError):
            parse(shlex.split(line))
    assert not CRON.fullmatch("* * * * x0tta status")


@pytest.mark.parametrize("file", [*SERVICES, *TIMERS], ids=name_of)
def test_systemd_finds_nothing_wrong(file, tmp_path):
    assert set(read(file)) <= {"Unit", "Service", "Timer", "Install"}
    for unit in file.parent.iterdir():
        # systemd wants to see the command; where it lies differs from machine to machine.
        text = unit.read_text(encoding="utf-8").replace("ExecStart=x0tta", "ExecStart=/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    ended = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / file.name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
