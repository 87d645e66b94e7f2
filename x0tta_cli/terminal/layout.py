"""Lays blocks out as lines of text: aligned, wrapped to a terminal, never cut.

Rich is not used here: it would cost 50 ms a command, and a pipe and a terminal must show the same
rows, which is simplest when both come from the same few lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from x0tta_cli.core.text import escape
from x0tta_cli.core.times import format_instant, format_local
from x0tta_cli.terminal.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Table,
    Text,
    Tone,
    Verbatim,
)
from x0tta_cli.terminal.text import cells, pad, wrap

GAP = "  "
NARROWEST_COLUMN = 14
LONGEST_WORD = 32
ANSI: dict[Tone, str] = {
    "strong": "\033[1m",
    "dim": "\033[2m",
    "bad": "\033[31m",
    "good": "\033[32m",
    "warning": "\033[33m",
}
RESET = "\033[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """Where lines end (None: nowhere) and whether they are coloured, wide and in UTC."""

    width: int | None = None
    colored: bool = False
    wide: bool = False
    utc: bool = False

    def paint(self, text: str, tone: Tone) -> str:
        """Colour text that is already as wide as it should be."""
        return f"{ANSI[tone]}{text}{RESET}" if self.colored and tone in ANSI and text else text


def lay_out(blocks: Iterable[Block], style: Style) -> Iterator[str]:
    """Give the lines of some blocks, with an empty one before each that begins a new thought."""
    previous: Block | None = None
    for block in blocks:
        lines = _lines_of(block, style)
        follows = previous is None or isinstance(previous, Heading)
        if not follows and not (isinstance(block, Text) and isinstance(previous, Text)):
            yield ""
        yield from lines
        previous = block


def shown(value: Any, *, utc: bool = False) -> str:
    """Give a value as a cell shows it: rounded, in words, on one line, safe."""
    while isinstance(value, Cell | Enum):
        value = value.value
    if value is None or value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return format_instant(value) if utc else format_local(value)
    if isinstance(value, dict):
        value = [f"{key}={shown(item, utc=utc)}" for key, item in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(item, utc=utc) for item in value)
    return escape(str(value))


def _lines_of(block: Block, style: Style) -> list[str]:
    match block:
        case Heading():
            return [style.paint(line, "strong") for line in _wrapped(escape(block.text), style)]
        case Text():
            return [
                style.paint(line, block.tone)
                for paragraph in block.text.split("\n")
                for line in _wrapped(escape(paragraph), style)
            ]
        case Verbatim():
            return [escape(line) for line in block.text.split("\n")]
        case Facts():
            return _facts([(name, *_cell(value, style)) for name, value in block.pairs], style)
        case Table():
            return _table(block, style)


def _wrapped(text: str, style: Style) -> list[str]:
    return [text] if style.width is None else wrap(text, style.width)


def _cell(value: Any, style: Style, tone: Tone = "plain") -> tuple[str, Tone]:
    if isinstance(value, Cell) and value.tone != "plain":
        tone = value.tone
    return shown(value, utc=style.utc), tone


def _facts(facts: Sequence[tuple[str, str, Tone]], style: Style) -> list[str]:
    name_width = max((cells(name) for name, _, _ in facts), default=0)
    room = None
    if style.width is not None:
        name_width = min(name_width, style.width // 2)
        room = max(1, style.width - name_width - len(GAP))
    lines = []
    for name, text, tone in facts:
        pieces = [text] if room is None else wrap(text, room)
        first = style.paint(pad(escape(name), name_width), "dim") + GAP
        lines.append((first + style.paint(pieces[0], tone)).rstrip())
        indent = " " * (name_width + len(GAP))
        lines.extend(indent + style.paint(piece, tone) for piece in pieces[1:])
    return lines


def _table(table: Table, style: Style) -> list[str]:
    kept = [i for i, column in enumerate(table.columns) if style.wide or not column.wide_only]
    columns = [table.columns[i] for i in kept]
    rows = [[_cell(row[i], style, table.columns[i].tone) for i in kept] for row in table.rows]
    natural = [
        max([cells(column.title), *(cells(row[i][0]) for row in rows)])
        for i, column in enumerate(columns)
    ]
    widths = natural
    if style.width is not None:
        fitted = _fit(natural, _narrowest(columns, rows), style.width)
        if fitted is None:
            return _as_facts(columns, rows, style)
        widths = fitted
    titles: list[tuple[str, Tone]] = [(column.title, "dim") for column in columns]
    return [line for row in (titles, *rows) for line in _row_lines(row, columns, widths, style)]


def _narrowest(columns: Sequence[Column], rows: Sequence[Sequence[tuple[str, Tone]]]) -> list[int]:
    """Give the width below which a column would break words, or numbers, or its title."""
    narrowest = []
    for i, column in enumerate(columns):
        texts = [column.title, *(row[i][0] for row in rows)]
        if column.align == "right":
            narrowest.append(max(map(cells, texts)))
        else:
            longest = max(cells(word) for text in texts for word in text.split(" "))
            narrowest.append(max(NARROWEST_COLUMN, min(longest, LONGEST_WORD)))
    return narrowest


def _fit(natural: Sequence[int], narrowest: Sequence[int], width: int) -> list[int] | None:
    """Narrow the widest columns until the table fits; None where it can't."""
    widths = list(natural)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while excess > 0:
        candidates = [i for i in range(len(widths)) if widths[i] > narrowest[i]]
        if not candidates:
            return None
        widths[max(candidates, key=lambda i: widths[i])] -= 1
        excess -= 1
    return widths


def _row_lines(
    row: Sequence[tuple[str, Tone]],
    columns: Sequence[Column],
    widths: Sequence[int],
    style: Style,
) -> list[str]:
    wrapped = [
        [text] if cells(text) <= width else wrap(text, width)
        for (text, _), width in zip(row, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, wrapped), default=0)):
        pieces = []
        for (_, tone), column, width, texts in zip(row, columns, widths, wrapped, strict=True):
            text = texts[number] if number < len(texts) else ""
            last = column is columns[-1] and column.align == "left"
            pieces.append(style.paint(text if last else pad(text, width, column.align), tone))
        lines.append(GAP.join(pieces).rstrip())
    return lines


def _as_facts(
    columns: Sequence[Column], rows: Sequence[Sequence[tuple[str, Tone]]], style: Style
) -> list[str]:
    """Show each row as facts, where a terminal is too narrow for a table."""
    lines: list[str] = []
    for row in rows:
        facts = [(column.title, *cell) for column, cell in zip(columns, row, strict=True)]
        lines += [""] * bool(lines) + _facts(facts, style)
    return lines
