"""Words and numbers as a page shows them; names come from outside and may be hostile."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

NARROW_SPACE = "\u202f"
ELLIPSIS = "…"
SEPARATORS = "_:./@-– "
MISSING = "missing"

# Advance widths of DejaVu Sans in em, rounded up: system fonts are narrower, so text fits.
WIDE_EM = 1.0
CAPITAL_EM = 0.72
SMALL_EM = 0.6
NARROW_EM = 0.38
NARROW_CHARACTERS = frozenset("ijlIft.,:;'|!()[]/\\ ")
BROAD_CHARACTERS = frozenset("mwMW@%…")


def shorten(text: str, fits: Callable[[str], bool]) -> str:
    """Leave out the middle of a text until it fits: both ends of a name tell components apart."""
    if fits(text):
        return text
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(_without_middle(text, middle)) else (low, middle - 1)
    return _without_middle(text, low)


def shorten_to(text: str, characters: int) -> str:
    """Leave out the middle of a text that is longer than so many characters."""
    return shorten(text, lambda candidate: len(candidate) <= characters)


def in_two_lines(text: str, width_em: float) -> tuple[str, ...]:
    """Break a name at a separator into at most two lines of a width, shortened where needed."""

    def fits(candidate: str) -> bool:
        return width_of(candidate) <= width_em

    if fits(text):
        return (text,)
    cut = _longest_head(text, fits)
    breaks = [i for i in range(cut // 3 + 1, cut + 1) if _may_break(text, i)]
    head = breaks[-1] if breaks else cut
    if not fits(text[head:]) and fits(text[cut:]):
        head = cut
    return text[:head].rstrip(), shorten(text[head:].lstrip(), fits)


def width_of(text: str) -> float:
    """Estimate the width of a text in em, rather too wide than too narrow."""
    return sum(_width_of(character) for character in text)


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, without an exponent where that is short."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-4:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    decimals = digits - 1 - math.floor(math.log10(size)) if size else 0
    written = f"{value:,.{max(0, decimals)}f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace("-", "−").replace(",", NARROW_SPACE)


def score(value: float, decimals: int = 2) -> str:
    """Write a detector score, or a part of one, so that several can be compared and added."""
    if not math.isfinite(value) or abs(value) >= 1e6:
        return number(value)
    return f"{value:.{decimals}f}".replace("-", "−")


def quantity(value: float | None, unit: str) -> str:
    """Write a measured value with its unit; seconds below one become ms or µs."""
    if value is None or not math.isfinite(value):
        return MISSING
    factor, symbol = scale(abs(value), unit)
    return with_unit(number(value * factor), symbol)


def scale(size: float, unit: str) -> tuple[float, str]:
    """Choose the unit in which a size reads well, and the factor that leads to it."""
    if unit == "s" and 0 < size < 1:
        return (1e3, "ms") if size >= 1e-3 else (1e6, "µs")
    return 1.0, unit


def with_unit(written: str, unit: str) -> str:
    """Put a unit behind a number; what is counted or a share has none to show."""
    return written if unit in {"", "count", "ratio"} else f"{written}{NARROW_SPACE}{unit}"


def percent(share: float) -> str:
    """Write a share of 1 as a percentage."""
    return f"{number(share * 100)}{NARROW_SPACE}%" if math.isfinite(share) else MISSING


def duration(milliseconds: float) -> str:
    """Write a duration of a stage."""
    if milliseconds >= 1000:
        return f"{number(milliseconds / 1000)}{NARROW_SPACE}s"
    return f"{milliseconds:.0f}{NARROW_SPACE}ms" if milliseconds >= 1 else f"<1{NARROW_SPACE}ms"


def instant(unix_seconds: float | None) -> str:
    """Write an instant in UTC, to the minute or second; what no calendar holds as a number."""
    if unix_seconds is None or not math.isfinite(unix_seconds):
        return "not known"
    try:
        moment = datetime.fromtimestamp(unix_seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{unix_seconds:g}{NARROW_SPACE}s"
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC" if moment.second else "%Y-%m-%d %H:%M UTC")


def clock(unix_seconds: float, *, with_day: bool) -> str:
    """Write an instant on an axis, in UTC; nothing for what no calendar holds."""
    try:
        moment = datetime.fromtimestamp(unix_seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.strftime("%b %d %H:%M" if with_day else "%H:%M")


def ordinal(rank: int) -> str:
    """Write a rank: 1st, 2nd, 3rd, 4th, 11th."""
    ending = "th" if rank % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10)
    return f"{rank}{ending or 'th'}"


def pieces(text: str) -> Iterator[str]:
    """Cut a name after its separators, where a line may break."""
    start = 0
    for index in range(1, len(text)):
        if _may_break(text, index):
            yield text[start:index]
            start = index
    yield text[start:]


def _may_break(text: str, index: int) -> bool:
    """Say whether a line may end before the character at an index: after the last separator."""
    return text[index - 1] in SEPARATORS and text[index : index + 1] not in SEPARATORS


def _without_middle(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    return f"{text[:head]}{ELLIPSIS}{text[len(text) - (kept - head) :]}"


def _longest_head(text: str, fits: Callable[[str], bool]) -> int:
    length = 1
    while length < len(text) and fits(text[: length + 1]):
        length += 1
    return length


def _width_of(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in BROAD_CHARACTERS or unicodedata.east_asian_width(character) in {"W", "F"}:
        return WIDE_EM
    if character in NARROW_CHARACTERS:
        return NARROW_EM
    return CAPITAL_EM if character.isupper() else SMALL_EM
