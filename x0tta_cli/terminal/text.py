"""Text measured in terminal cells, broken and filled to them, and made safe as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from x0tta_cli.core.text import is_unsafe


def escape_for_json(encoded: str) -> str:
    """Escape in JSON text what `json.dumps` leaves raw: DEL, C1 and format characters."""
    if encoded.isprintable():
        return encoded
    return "".join(
        character
        if character == "\n" or not is_unsafe(character)
        else "".join(f"\\u{unit:04x}" for unit in _utf16_units(character))
        for character in encoded
    )


def cells(text: str) -> int:
    """Width of text in terminal cells: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width` cells, at spaces where there are any."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and cells(line) + 1 + cells(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width)
        lines.extend(full)
    return [*lines, line]


def pad(text: str, width: int, align: str = "left") -> str:
    """Fill text with spaces to `width` cells."""
    gap = " " * max(0, width - cells(text))
    return gap + text if align == "right" else text + gap


def _pieces(word: str, width: int) -> Iterator[str]:
    """Cut a word that is longer than a line, after a separator where one is near the edge."""
    while cells(word) > width:
        end = 1
        while end < len(word) and cells(word[: end + 1]) <= width:
            end += 1
        near = max(word.rfind(separator, end // 2, end) for separator in "/-_.,:=")
        end = near + 1 if near > 0 else end
        yield word[:end]
        word = word[end:]
    yield word


def _utf16_units(character: str) -> tuple[int, ...]:
    code = ord(character)
    if code <= 0xFFFF:
        return (code,)
    return 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def counted(number: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
