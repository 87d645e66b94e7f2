"""What a person sees: colours, wrapping, progress and questions on a pseudo-terminal."""

from __future__ import annotations

import re

import pexpect
import pytest

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def terminal(environment, practice_line):
    """Run `x0tta practice` on a terminal of some columns; what it shows, and its status."""

    def run(*arguments, columns=80, env=None, answer=None):
        program, *first = practice_line
        child = pexpect.spawn(
            program,
            [*first, "practice", *arguments],
            env=environment | (env or {}),
            dimensions=(40, columns),
            encoding="utf-8",
            timeout=30,
        )
        if answer is not None:
            child.expect_exact("[y/N]")
            child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        return child.before.replace("\r\n", "\n"), child.exitstatus

    return run


def plain(text):
    return ANSI.sub("", text)


def test_the_rows_are_those_of_a_pipe(terminal, practice):
    shown, status = terminal("run", "-q", columns=200)
    piped = practice("practice", "run", "-q")
    assert (plain(shown), status) == (piped.stdout, piped.returncode)
    assert shown != plain(shown)


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_is_the_same_on_a_terminal(terminal, practice, form):
    shown, status = terminal("run", "-q", "-o", form)
    piped = practice("practice", "run", "-o", form)
    assert (shown, status) == (piped.stdout, piped.returncode)


def test_csv_on_a_terminal_cannot_draw_on_it(terminal):
    shown, _ = terminal("run", "-q", "-o", "csv")
    assert "\x1b" not in shown
    assert r"evil\x1b[31m\nname\u202e" in shown


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
)
def test_colours_can_be_switched_off(terminal, arguments, env):
    for command in (["run", "-q"], ["fail", "down"]):
        shown, _ = terminal(*command, *arguments, env=env)
        assert shown == plain(shown)
        assert shown


@pytest.mark.parametrize("columns", [40, 80])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_lost(terminal, columns):
    for arguments in (["run", "-q", "-o", "wide"], ["fail", "down"]):
        shown = plain(terminal(*arguments, columns=columns)[0])
        assert max(map(len, shown.splitlines())) <= columns
        assert "…" not in shown
    assert "PetAdoptionHistory_ecs-fargate" in plain(terminal("run", "-q", columns=columns)[0])


def test_progress_is_live_and_leaves_nothing_behind(terminal):
    shown, status = terminal("run")
    assert "train" in shown
    assert status == 3
    quiet, _ = terminal("run", "-q")
    assert "train" not in quiet


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 130), ("", 130)])
def test_a_question_is_asked_before_the_world_changes(terminal, answer, status):
    shown, ended = terminal("change", "x", answer=answer)
    assert ended == status
    assert ("nothing was changed" in shown) == (status == 130)


def test_yes_answers_beforehand(terminal):
    assert terminal("change", "x", "--yes") == ("", 0)
