"""Text from outside made safe to show, wherever it is shown."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"
_NAMED_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escape(text: str) -> str:
    """Make control, format and bidirectional characters visible as backslash escapes.

    A name that an attacker chose must neither move the cursor, nor recolour the screen, nor
    reorder what is read (CVE-2021-42574). Joiners stay: scripts and emoji need them.
    """
    if text.isprintable():
        return text
    return "".join(_escape_character(character) for character in text)


def escape_lines(text: str) -> str:
    """Do the same with a text of several lines, which stay lines."""
    return "\n".join(escape(line) for line in text.split("\n"))


def is_unicode(text: str) -> bool:
    """Whether a text can be written: it has no half of a surrogate pair.

    JSON may have one, and bytes that are no UTF-8 become such, in arguments, names and variables.
    """
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def is_unsafe(character: str) -> bool:
    """Whether a character must not be shown as it is: it moves, hides or reorders text."""
    if character in _JOINERS:
        return False
    # The last two of each plane are no characters (Unicode, 23.7): XML may not hold them.
    is_character = ord(character) & 0xFFFE != 0xFFFE
    return not is_character or unicodedata.category(character) in _UNSAFE_CATEGORIES


def _escape_character(character: str) -> str:
    if not is_unsafe(character):
        return character
    if character in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
