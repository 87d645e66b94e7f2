"""The pages of the manual, and how they are written for man(1)."""

from __future__ import annotations

import subprocess

import pytest

from x0tta_cli.terminal import manual, roff
from x0tta_cli.terminal.groups import GROUPS
from x0tta_cli.terminal.manual import Entry, Page, Section
from x0tta_cli.terminal.tree import command_tree

TITLES = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "EXAMPLES",
    "EXIT STATUS",
    "FILES",
    "ENVIRONMENT",
    "SEE ALSO",
]
PAGES = manual.pages(command_tree())


def lint(text: str) -> str:
    ended = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


def shown(text: str) -> str:
    ended = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=200"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    plain = ended.stdout
    while "\b" in plain:
        place = plain.index("\b")
        plain = plain[: place - 1] + plain[place + 1 :]
    return plain


def test_there_is_a_page_for_each_group():
    assert [page.name for page in PAGES] == ["x0tta", *(f"x0tta-{name}" for name in GROUPS)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_every_section_in_order(page):
    titles = [section.title for section in page.sections]
    assert [title for title in titles if title in TITLES] == TITLES
    empty = [s for s in page.sections if not (s.paragraphs or s.entries or s.lines or s.sections)]
    assert empty == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_read_without_a_complaint(page):
    assert lint(roff.page(page)) == ""


def test_the_check_finds_what_is_wrong():
    assert "skipping unknown macro" in lint('.TH X 1 "2026-11-25"\n.SH NAME\nx \\- y\n.nonsense\n')


@pytest.mark.parametrize("command", [*command_tree().walk()], ids=lambda c: " ".join(c.path))
def test_a_page_shows_each_command_with_its_options_and_examples(command):
    name = "-".join(command.path[:2])
    text = shown(roff.page(next(page for page in PAGES if page.name == name)))
    for option in command.options:
        assert option.label in text
    if not command.commands:
        assert all(example in text for example in command.examples)


def test_every_character_stands_in_the_page():
    text = ".dot 'quote' \"double\" back\\slash a-b ^ ~ é – ≥ %d {x}"
    section = Section(
        "ODD",
        (text, "laid\n  out"),
        (Entry("--odd 'X'", text), Entry("none", "")),
        (text, ".dot"),
        (Section("part", ("'quote",)),),
    )
    page = Page("x0tta-odd", "Odd.", (Section("NAME", lines=("x0tta-odd - odd",)), section))
    written = roff.page(page)
    assert lint(written) == ""
    read = shown(written)
    assert read.count(text) == 3
    for piece in ("--odd 'X'", "\n       .dot\n", "       laid\n         out\n", "'quote\n"):
        assert piece in read


def test_code_is_bold():
    assert roff.escape("See `x0tta -h`.") == r"See \fBx0tta \-h\fR."
