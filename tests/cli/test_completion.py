"""Completion in the real shells: a line is typed, a tab, and then what the command is given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pexpect
import pytest

from x0tta_cli.core.catalogue import CATALOGUE
from x0tta_cli.terminal.completion.values import KINDS

pytestmark = pytest.mark.slow

COMPLETIONS = Path(__file__).parents[2] / "completions"
X0TTA = Path(sys.executable).with_name("x0tta")
# What stands on the PATH as x0tta: it notes its arguments, and is x0tta only where it is asked.
NOTES = """#!/bin/sh
if [ "$1" = __complete ]; then
    echo "$2" >>"$NOTES/asked"
    exec {x0tta} "$@"
fi
printf '%s\\0' "$@" >"$NOTES/run.part"
mv "$NOTES/run.part" "$NOTES/run"
"""
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source {folder}/x0tta.bash"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D",
    ),
    "fish": (["fish", "--private"], "source {folder}/x0tta.fish"),
}
# Each begins with two letters of its own.
NAMES = (
    "ka two words",
    "kbit's",
    'kc"quoted" twice',
    "kd:co:lon",
    "keünïcödé メッシュ",
    "kf$(touch pwned)`touch pwned`",
    "kg;touch pwned&",
    "kh!bang!!",
    "ki*?[a]{b,c}",
    "kjback\\slash",
    "kk=equals",
    "kl#hash ~tilde",
    "km(a|b)<c>",
    "kn%percent @at",
    'konaïve\'s "both" $HOME',
)
HIDDEN = ("h1\x1b[31mred", "h2\u202etxt.exe", "h3\nline", "h4\x9b31m", "-h5", "h6\x7f", "h7\ttab")


class Shell:
    """A shell on a terminal, in a folder of its own."""

    def __init__(self, name, folder, environment):
        line, load = START[name]
        self.notes = folder / "notes"
        self.notes.mkdir()
        command = folder / "bin" / "x0tta"
        command.parent.mkdir()
        command.write_text(NOTES.format(x0tta=X0TTA))
        command.chmod(0o755)
        self.folder = folder
        self.terminal = pexpect.spawn(
            line[0],
            line[1:],
            cwd=folder,
            dimensions=(50, 200),
            encoding="utf-8",
            env=environment
            | {
                "PATH": f"{command.parent}:/usr/bin:/bin",
                "NOTES": str(self.notes),
                "INPUTRC": "/dev/null",
                "TERM": "xterm",
            },
        )
        self.terminal.delaybeforesend = None
        self.terminal.sendline(load.format(folder=COMPLETIONS))
        self.run("x0tta loaded")

    def complete(self, typed):
        """What x0tta is given when a tab is typed behind `typed`, and then return."""
        return self.run(f"x0tta {typed}\t")

    def asked(self):
        """The kinds that were asked for since the last time."""
        path = self.notes / "asked"
        kinds = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return kinds

    def run(self, line):
        """What x0tta is given when a line is typed, and then return."""
        ran = self.notes / "run"
        shown = ""
        self.terminal.send(line + "\r")
        end = time.monotonic() + 20
        while not ran.exists():
            shown += self.screen(0.01)
            if time.monotonic() > end:
                self._interrupt()
                pytest.fail(f"nothing was run: {shown!r}")
        arguments = ran.read_bytes().decode().split("\0")[:-1]
        ran.unlink()
        return arguments

    def screen(self, timeout_s):
        """What the shell writes until it is silent for so long."""
        shown = ""
        try:
            while True:
                shown += self.terminal.read_nonblocking(65536, timeout=timeout_s)
        except pexpect.TIMEOUT:
            return shown

    def list(self, typed, *expected):
        """What is on the screen when tabs are typed behind `typed`; nothing is run."""
        self.screen(0.2)
        self.terminal.send(f"x0tta {typed}\t\t")
        shown = ""
        end = time.monotonic() + 20
        while time.monotonic() < end and not all(word in shown for word in expected):
            shown += self.screen(0.1)
        self._interrupt()
        return shown

    def _interrupt(self):
        """Leave the list, and then the line. What is typed ahead of Ctrl-C is lost."""
        for _ in range(2):
            self.terminal.send("\x03")
            self.screen(0.5)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A recording with incidents of such names as only an attacker would choose."""
    root = tmp_path_factory.mktemp("recordings")
    (root / "graph.csv").touch()
    for name in (*NAMES, *HIDDEN):
        (root / name).mkdir()
        (root / name / "target.json").touch()
    return root


@pytest.fixture(scope="module", params=list(START))
def shell_of_module(request, tmp_path_factory, library):
    folder = tmp_path_factory.mktemp(request.param)
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("X0TTA_", "PYTHON", "XDG_"))}
    configuration = folder / ".config" / "x0tta" / "config.toml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f"""
[drill]
data = "{library}"
[profiles."two words".drill]
data = "nowhere"
[profiles.packaged.drill]
data = "{folder}/packaged"
""")
    packaged = folder / "packaged" / "recording" / "noissue"
    packaged.mkdir(parents=True)
    (packaged / "metrics.csv").touch()
    (packaged.parent / "only" / "one").mkdir(parents=True)
    (packaged.parent / "only" / "one" / "metrics.csv.xz").touch()
    (folder / "folder one").mkdir()
    (folder / "page one.html").touch()
    started = Shell(request.param, folder, kept | {"HOME": str(folder), "LC_ALL": "C.UTF-8"})
    yield started
    started.terminal.close(force=True)


@pytest.fixture
def shell(shell_of_module):
    shell_of_module.asked()
    return shell_of_module


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("dri", ["drill"]),
        ("drill ru", ["drill", "run"]),
        ("-q --profile=x drill -o json l", ["-q", "--profile=x", "drill", "-o", "json", "list"]),
        ("exp", ["explain"]),
        ("--vers", ["--version"]),
        ("drill run --se", ["drill", "run", "--seed"]),
        ("drill --se", ["drill", "--seed"]),
        ("drill list --read", ["drill", "list", "--read-only"]),
        ("-o w", ["-o", "wide"]),
        ("drill -ow", ["drill", "-owide"]),
        ("drill run -qo w", ["drill", "run", "-qo", "wide"]),
        ("drill --output=w", ["drill", "--output=wide"]),
        ("help dr", ["help", "drill"]),
        ("doctor ker", ["doctor", "kernel"]),
        ("flags get gra", ["flags", "get", "graphsage"]),
        ("config get flags.gra", ["config", "get", "flags.graphsage"]),
        ("config set doctor.int", ["config", "set", "doctor.internet_url"]),
        ("config show dri", ["config", "show", "drill"]),
        ("drill run --html pag", ["drill", "run", "--html", "page one.html"]),
        ("drill run --data fo", ["drill", "run", "--data", "folder one"]),
        ("drill --data=fo", ["drill", "--data=folder one"]),
        ("--config pag", ["--config", "page one.html"]),
    ],
)
def test_what_is_known_is_completed_and_starts_no_python(shell, typed, given):
    # Where a line ends with it, zsh takes the slash away that it has put behind a folder.
    assert [word.rstrip("/") for word in shell.complete(typed)] == given
    assert shell.asked() == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("opening", ["", "'", '"'])
def test_a_value_arrives_as_it_is_whatever_its_name(shell, name, opening):
    assert shell.complete(f"drill run {opening}{name[:2]}") == ["drill", "run", name]
    assert set(shell.asked()) == {"incident"}
    assert not (shell.folder / "pwned").exists()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (r"ka\ tw", NAMES[0]),
        ('"ka tw', NAMES[0]),
        ("kd:co:", NAMES[3]),
        ("keün", NAMES[4]),
        ("-- kb", NAMES[1]),
        ("--all kb", NAMES[1]),
        ("-o json kb", NAMES[1]),
        ("--html='a b' kb", NAMES[1]),
    ],
)
def test_a_value_goes_on_from_what_is_typed(shell, typed, name):
    assert shell.complete(f"drill run {typed}")[-1] == name


def test_values_belong_to_the_default_command_as_well(shell):
    assert shell.complete("drill kb") == ["drill", NAMES[1]]
    assert shell.complete("drill --seed 3 kb") == ["drill", "--seed", "3", NAMES[1]]


def test_names_that_would_disturb_a_terminal_are_not_offered(shell):
    assert shell.complete("drill run h") == ["drill", "run", "h"]


@pytest.mark.parametrize(
    "line",
    ["--profile packaged drill run ", "drill run --data packaged ", "drill --data=packaged "],
)
def test_values_follow_what_the_line_says(shell, line):
    assert shell.complete(f"{line}rec")[-1] == "recording/only/one"


def test_a_second_argument_is_not_made_up(shell):
    assert shell.complete("drill run kb ka") == ["drill", "run", "kb", "ka"]
    assert shell.asked() == []


def test_profiles_and_codes_are_values(shell):
    assert shell.complete("--profile tw") == ["--profile", "two words"]
    assert shell.complete("--profile=tw") == ["--profile=two words"]
    assert shell.asked() == ["profile", "profile"]
    assert shell.complete("explain usage.unknown_o") == ["explain", "usage.unknown_option"]
    # Codes are words of the file itself.
    assert shell.asked() == []


def test_several_are_listed(shell):
    # fish leaves out in its list what all have in common.
    codes = [code.removeprefix("usage.") for code in CATALOGUE if code.startswith("usage.")]
    shown = shell.list("explain usage.", *codes)
    assert [code for code in codes if code not in shown] == []


def test_what_a_redirection_names_is_a_file(shell):
    page = shell.folder / "page one.html"
    page.write_text("old")
    assert shell.complete("drill > pag") == ["drill"]
    assert page.read_text() == ""


@pytest.mark.parametrize("content", ["[drill\n", "drill = 3\nprofiles = 4", "\xff", "[" * 9999])
def test_a_broken_configuration_breaks_nothing(x0tta, tmp_path, content):
    broken = tmp_path / "broken.toml"
    broken.write_text(content, encoding="latin-1")
    ended = x0tta("__complete", "incident", "low", env={"X0TTA_CONFIG": str(broken)})
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("low_traffic/")
    ended = x0tta("__complete", "profile", "", env={"X0TTA_CONFIG": str(broken)})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.parametrize("line", [[], ["incident"], ["nothing", ""], ["os:system", "x"]])
def test_a_question_that_makes_no_sense_has_no_answer(x0tta, line):
    ended = x0tta("__complete", *line)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_nobody_who_reads_is_no_error(x0tta):
    reading, writing = os.pipe()
    os.close(reading)
    ended = x0tta("__complete", "incident", "", stdout=writing)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_values_minds_what_is_broken_or_missing(environment, tmp_path, kind):
    """Nothing but values is ever written: it would end up in a prompt."""
    broken = tmp_path / "broken.toml"
    broken.write_text("[drill\n")
    no_folder = tmp_path / "file"
    no_folder.touch()
    for variables in (
        {"X0TTA_CONFIG": str(broken), "X0TTA_PROFILE": "nowhere"},
        {"X0TTA_CONFIG": str(tmp_path), "X0TTA_DRILL__DATA": "/nowhere"},
        {"X0TTA_STATE_DIR": str(no_folder), "X0TTA_DRILL__DATA": str(no_folder)},
        {"HOME": "", "X0TTA_STATE_DIR": "", "XDG_CONFIG_HOME": "", "LC_ALL": "C"},
        {"HOME": "/nowhere", "XDG_STATE_HOME": "here", "X0TTA_STATE_DIR": "here"},
    ):
        ended = subprocess.run(
            [X0TTA, "__complete", kind, "", "--config"],
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, b""), variables
        assert all(line for line in ended.stdout.decode().splitlines())


def test_operations_are_values(x0tta, environment, tmp_path):
    subprocess.run(
        [sys.executable, Path(__file__).with_name("many_steps.py"), "many", "run"],
        env=environment | {"WORLD": str(tmp_path)},
        check=True,
    )
    [operation] = json.loads(x0tta("ops", "list", "-o", "json").stdout)
    told = x0tta("__complete", "operation", operation["id"][:4]).stdout
    assert told == f"{operation['id']}\t{operation['kind']}\n"
    assert x0tta("__complete", "unfinished_operation", "").stdout == ""


def test_completion_works_without_a_home_in_a_locale_of_c(environment):
    kept = {name: value for name, value in environment.items() if name != "HOME"}
    ended = subprocess.run(
        [X0TTA, "__complete", "incident", ""],
        env=kept | {"LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert len(ended.stdout.splitlines()) == 34


def test_the_wheel_installs_the_files_where_shells_and_man_look():
    paths = {
        "share/bash-completion/completions/x0tta": "x0tta.bash",
        "share/zsh/site-functions/_x0tta": "_x0tta",
        "share/fish/vendor_completions.d/x0tta.fish": "x0tta.fish",
        **{f"share/man/man1/{page.name}": f"man/{page.name}" for page in COMPLETIONS.glob("man/*")},
    }
    installed = {str(file).partition("share/")[2]: file for file in metadata.files("x0tta") or ()}
    for path, source in paths.items():
        found = Path(str(installed[path.removeprefix("share/")].locate())).resolve()
        assert found == Path(sys.prefix).resolve() / path
        assert found.read_text() == (COMPLETIONS / source).read_text()


def test_the_generated_files_are_current(tmp_path):
    shutil.copytree(COMPLETIONS, tmp_path / "completions")
    line = [sys.executable, "-m", "x0tta_cli.terminal.completion.generate"]
    check = [*line, str(tmp_path / "completions"), "--check"]
    for seed in ("1", "2", "3"):
        hashed = os.environ | {"PYTHONHASHSEED": seed}
        ended = subprocess.run(check, env=hashed, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
    (tmp_path / "completions" / "x0tta.bash").write_text("stale")
    (tmp_path / "completions" / "man" / "x0tta-gone.1").write_text("stale")
    ended = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "x0tta.bash is stale" in ended.stderr
    assert "x0tta-gone.1 is stale" in ended.stderr
    subprocess.run(check[:-1], check=True)
    assert subprocess.run(check, check=False).returncode == 0
