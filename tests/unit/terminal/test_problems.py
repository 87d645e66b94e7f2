"""Errors laid out for people."""

from __future__ import annotations

from x0tta_cli.core.errors import Interrupted, UnavailableError
from x0tta_cli.terminal.problems import render
from x0tta_cli.terminal.text import cells

DOWN = UnavailableError(
    "http.unreachable",
    "The server at http://[::1]:9093 can't be reached.",
    reason="Connection refused: nothing listens there.",
    fix="Start it, or\nname another one.",
)


def test_lines_of_a_narrow_terminal_hang_behind_their_label():
    assert render(DOWN, 40, colored=False) == (
        "error: The server at http://[::1]:9093\n"
        "       can't be reached.\n"
        "  why   Connection refused: nothing\n"
        "        listens there.\n"
        "  mend  Start it, or\n"
        "        name another one.\n"
        "  code  http.unreachable (x0tta explain\n"
        "        http.unreachable)\n"
    )


def test_a_pipe_is_not_wrapped():
    assert max(map(cells, render(DOWN, None, colored=False).splitlines())) > 55


def test_colours_mark_the_label_alone():
    first = render(DOWN, 80, colored=True).splitlines()[0]
    assert first.startswith("\x1b[1;31merror: \x1b[0mThe server")


def test_what_comes_from_outside_is_escaped():
    assert "\x1b" not in render(UnavailableError("a.b", "\x1b[2J"), None, colored=False)


def test_an_interruption_needs_no_explanation():
    assert render(Interrupted("run.interrupted", "Interrupted."), 80, colored=False) == (
        "error: Interrupted.\n"
    )
