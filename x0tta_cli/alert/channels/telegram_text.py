"""Text for Telegram: styled by entities, never by markup, and split within its limits.

core.telegram.org/bots/api#messageentity: offsets count UTF-16 units. A message has at most 4,096
code points after parsing; these parts keep to 4,096 UTF-16 units, which is never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_UNITS = 4096
MAX_ENTITIES = 100


@dataclass(frozen=True, slots=True)
class Span:
    """A style (`bold`, `pre`) from one code point of a text to before another."""

    start: int
    end: int
    style: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one message holds: text, and entities as the Bot API takes them."""

    text: str
    entities: tuple[dict[str, object], ...]


def units(text: str) -> int:
    """Count UTF-16 units: two for what lies outside the basic plane."""
    return len(text) + sum(1 for sign in text if sign > "\uffff")


def split(text: str, spans: Sequence[Span], limit: int = MAX_UNITS) -> list[Part]:
    """Split a text at line ends, else at spaces, else anywhere; whitespace alone is lost.

    Each part is within `limit` UTF-16 units (at least 2) and has at most 100 entities: where more
    begin, the part ends early, or, where they lie upon each other, the last ones are left out.
    """
    parts, start = [], 0
    while start < len(text):
        end = _end_of_part(text, spans, start, limit)
        part = _part(text, spans, start, end)
        parts += [part] if part.text else []
        start = end
    return parts


def _end_of_part(text: str, spans: Sequence[Span], start: int, limit: int) -> int:
    end, room = start, limit
    while end < len(text) and (size := 2 if text[end] > "\uffff" else 1) <= room:
        end, room = end + 1, room - size
    covering = sorted(max(span.start, start) for span in spans if span.end > start)
    if len(covering) > MAX_ENTITIES and start < covering[MAX_ENTITIES] < end:
        return covering[MAX_ENTITIES]
    if end == len(text):
        return end
    for separator in ("\n", " "):
        found = text.rfind(separator, start + 1, end + 1)
        if found > start and text[start:found].strip():
            return found
    return end


def _part(text: str, spans: Sequence[Span], start: int, end: int) -> Part:
    inside = text[start:end]
    # Telegram trims what it gets: done here, the offsets stay true.
    start += len(inside) - len(inside.lstrip())
    shown = inside.strip()
    end = start + len(shown)
    clipped = [
        Span(max(span.start, start), min(span.end, end), span.style)
        for span in spans
        if max(span.start, start) < min(span.end, end)
    ]
    entities = tuple(
        {
            "type": span.style,
            "offset": units(text[start : span.start]),
            "length": units(text[span.start : span.end]),
        }
        for span in clipped[:MAX_ENTITIES]
    )
    return Part(shown, entities)
