"""Writes pages of the manual in the language of man(1): see man(7) and groff_man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from x0tta_cli import __version__
from x0tta_cli.terminal.manual import Page, Section
from x0tta_cli.terminal.text import wrap

# Of this version. The date of today would make each page another one each day.
DATE = "2026-11-25"
WIDTH = 80
GENERATED = "Generated from the command tree by scripts/completions: edits are lost."
ESCAPES = str.maketrans(
    {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
)


def page(page: Page) -> str:
    """Write one page as it is installed."""
    lines = [
        f'.\\" {GENERATED}',
        f'.TH {page.name.upper()} 1 "{DATE}" "x0tta {__version__}" "Manual of x0tta"',
        *(line for section in page.sections for line in _section(section, "SH")),
    ]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Write one line so that every character of it stands in the page; `code` is set bold."""
    pieces = re.split(r"`([^`]+)`", text)
    marked = [
        rf"\fB{_plain(piece)}\fR" if number % 2 else _plain(piece)
        for number, piece in enumerate(pieces)
    ]
    return "".join(marked)


def _section(section: Section, macro: str) -> Iterator[str]:
    yield f".{macro} {_plain(section.title)}"
    for number, paragraph in enumerate(section.paragraphs):
        if number:
            yield ".PP"
        yield from _paragraph(paragraph)
    for entry in section.entries:
        yield ".TP"
        yield rf"\fB{_plain(entry.term)}\fR"
        yield from _filled(entry.meaning) if entry.meaning else [r"\&"]
    if section.lines:
        yield from _lines(section)
    for part in section.sections:
        yield from _section(part, "SS")


def _lines(section: Section) -> Iterator[str]:
    """Write lines that stay apart; what `name - summary` looks like is man(1)'s to know."""
    if section.title == "NAME":
        name, _, summary = section.lines[0].partition(" - ")
        yield from wrap(rf"{_plain(name)} \- {_plain(summary)}", WIDTH)
        return
    if section.paragraphs or section.entries:
        yield ".PP"
    yield ".nf"
    yield from (_as_text_line(_plain(line)) for line in section.lines)
    yield ".fi"


def _paragraph(text: str) -> Iterator[str]:
    if "\n" not in text:
        yield from _filled(text)
        return
    yield ".nf"
    yield from (_as_text_line(escape(line)) for line in text.split("\n"))
    yield ".fi"


def _filled(text: str) -> Iterator[str]:
    yield from map(_as_text_line, wrap(escape(text), WIDTH))


def _plain(text: str) -> str:
    return "".join(
        sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in text.translate(ESCAPES)
    )


def _as_text_line(line: str) -> str:
    """Keep a line that begins with a dot from being taken for a request."""
    return rf"\&{line}" if line.startswith(".") else line
