"""Views that are redrawn on a terminal, and stay a stream everywhere else."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time

import pexpect
import pytest
from fakes.screen import Screen

pytestmark = pytest.mark.slow

EVIL = r"evil\x1b[31m\nname\u202e"
ENDLESS = ["--every", "0.05", "--count", "100000"]


class Watched:
    """`x0tta practice watch` on a terminal on which something stood before."""

    def __init__(self, line, environment, rows, columns):
        self.screen = Screen(rows, columns)
        self.screen.feed("$ ls\r\nfirst second\r\n")
        self.child = pexpect.spawn(
            line[0],
            line[1:],
            env=environment,
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=30,
        )

    def read_until(self, condition):
        """Draw what comes until the screen is as wanted."""
        end_s = time.monotonic() + 30
        while not condition(self.screen.text):
            assert time.monotonic() < end_s, self.screen.text
            self.screen.feed(self.child.read_nonblocking(65_536, timeout=30))

    def read_to_the_end(self):
        """Draw all that comes; the exit status."""
        self.child.expect(pexpect.EOF)
        self.screen.feed(self.child.before)
        self.child.close()
        return self.child.exitstatus

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)


@pytest.fixture
def watch(environment, practice_line):
    started = []

    def start(*options, rows=24, columns=80, env=None):
        line = [*practice_line, "practice", "watch", *options]
        started.append(Watched(line, environment | (env or {}), rows, columns))
        return started[-1]

    yield start
    for one in started:
        one.child.close(force=True)


def test_a_round_takes_the_place_of_the_one_before_and_the_last_stays(watch):
    watched = watch("--count", "4")
    assert watched.read_to_the_end() == 0
    assert "Look 2" not in watched.screen.text
    assert watched.screen.text.splitlines()[0] == f"Look 3 at {EVIL}"
    assert watched.screen.text.splitlines()[-1].split() == ["node-2", "5"]
    assert watched.screen.row == len(watched.screen.text.splitlines())


def test_what_stood_on_the_terminal_is_scrolled_up(watch):
    watched = watch()
    watched.read_to_the_end()
    assert [line for line in watched.screen.scrolled_away if line] == ["$ ls", "first second"]
    assert "first" not in watched.screen.text


@pytest.mark.parametrize("size", [21, 22, 200])
def test_what_is_higher_than_the_terminal_is_cut_with_a_word(watch, size):
    watched = watch("--size", str(size))
    watched.read_to_the_end()
    lines = watched.screen.text.splitlines()
    assert lines[0].startswith("Look 2")
    assert len(lines) == 23
    if size == 21:
        assert lines[-1].split() == ["node-20", "22"]
    else:
        assert lines[-1] == f"… {size - 20} more lines do not fit the height of this terminal"
        assert lines[-2].split() == ["node-19", "21"]


def test_another_size_of_the_terminal_shows_at_once(watch):
    watched = watch("--size", "40", "--every", "60")
    watched.read_until(lambda text: "node-18" in text)
    watched.resize(10, 30)
    watched.read_until(lambda text: "… 35 more lines" in text)
    # What is longer is wrapped, and the last row stays the cursor's.
    lines = watched.screen.text.splitlines()
    assert len(lines) == 9
    assert max(map(len, lines)) <= 30
    watched.resize(60, 100)
    watched.read_until(lambda text: "node-39" in text)
    assert "more lines" not in watched.screen.text


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_ends_it_below_the_last_state(watch, number, status):
    watched = watch(*ENDLESS)
    watched.read_until(lambda text: "Look 2 " in text)
    if number == signal.SIGINT:
        watched.child.sendintr()
    else:
        watched.child.kill(number)
    assert watched.read_to_the_end() == status
    *state, told = watched.screen.text.splitlines()
    assert state[0].startswith("Look ")
    assert state[-1].startswith("node-2")
    assert told.startswith("error: ")
    assert watched.screen.wraps


def test_a_terminal_that_goes_away_ends_it(environment, practice_line):
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *practice_line, "practice", "watch", *ENDLESS],
        env=environment,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    shown = b""
    while b"Look 2 " not in shown:
        shown += os.read(terminal, 65_536)
    os.close(terminal)
    assert process.wait(timeout=30) == 143


def test_it_is_drawn_again_when_the_shell_gives_the_terminal_back(watch):
    watched = watch("--every", "60")
    watched.read_until(lambda text: "node-2" in text)
    watched.screen.feed("\r\n[1]+  Stopped\r\n")
    watched.child.kill(signal.SIGCONT)
    watched.read_until(lambda text: "Stopped" not in text)
    assert watched.screen.text.startswith("Look 0 ")


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_other_forms_stay_a_stream_on_a_terminal(watch, practice, form):
    watched = watch("-o", form, rows=200, columns=300)
    assert watched.read_to_the_end() == 0
    piped = practice("practice", "watch", "-o", form).stdout
    if form == "csv":
        piped = piped.replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    assert watched.screen.text.splitlines()[2:] == piped.splitlines()


def test_a_terminal_that_cannot_move_its_cursor_gets_a_block_each_round(watch, practice):
    watched = watch(env={"TERM": "dumb"})
    watched.read_to_the_end()
    assert watched.screen.text.splitlines()[2:] == practice("practice", "watch").stdout.splitlines()


def test_piped_it_is_a_stream(practice):
    ended = practice("practice", "watch")
    assert [line for line in ended.stdout.splitlines() if line.startswith("Look")] == [
        f"Look {look} at {EVIL}" for look in range(3)
    ]
    assert "\x1b" not in ended.stdout
    lines = practice("practice", "watch", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["look"] for line in lines] == [0, 1, 2]


def test_fields_that_were_asked_for_are_redrawn_as_a_table(watch):
    watched = watch("--fields", "look")
    watched.read_to_the_end()
    assert watched.screen.text.split() == ["LOOK", "2"]
