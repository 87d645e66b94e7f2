"""What Telegram makes of a message's text and entities, and what of them it refuses.

Follows core.telegram.org/bots/api#messageentity and tdlib's MessageEntity.cpp: the length counts
code points after cleaning, the offsets count UTF-16 units.
"""

from __future__ import annotations

from typing import Any

MAX_TEXT, MAX_CAPTION, MAX_ENTITIES = 4096, 1024, 100
STYLES = frozenset(
    {"bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote"}
    | {"expandable_blockquote", "text_link", "text_mention", "custom_emoji"}
)
# Found by the server itself; senders may name them, and nothing comes of it.
DETECTED = frozenset(
    {"mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"}
)


class RefusedError(Exception):
    """An answer that is no success: its status, description and parameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def units(text: str) -> int:
    """Count the UTF-16 units of a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(text: str) -> str:
    """Do what tdlib's clean_input_string does: control characters go, some bidi marks too."""
    kept = []
    for sign in text:
        code = ord(sign)
        if code == 0x0D or 0x2028 <= code <= 0x202E:
            continue
        kept.append(" " if code < 0x20 and sign != "\n" else sign)
    return "".join(kept)


def accepted(
    text: str, entities: list[dict[str, Any]], limit: int
) -> tuple[str, list[dict[str, Any]]]:
    """Give text and entities as the message will have them; raises RefusedError."""
    _check_bounds(text, entities)
    kept = [entity for entity in entities[:MAX_ENTITIES] if entity["type"] in STYLES]
    cleaned = clean(text)
    if len(cleaned) != len(text):
        kept = [_moved(entity, text) for entity in kept]
    leading = len(cleaned) - len(cleaned.lstrip())
    trimmed = cleaned.strip()
    if limit == MAX_TEXT and not trimmed:
        raise RefusedError(400, "Bad Request: message text is empty")
    if len(trimmed) > limit:
        what = "message" if limit == MAX_TEXT else "message caption"
        raise RefusedError(400, f"Bad Request: {what} is too long")
    shown = [_clipped(entity, units(cleaned[:leading]), units(trimmed)) for entity in kept]
    return trimmed, [entity for entity in shown if entity["length"] > 0]


def _check_bounds(text: str, entities: list[dict[str, Any]]) -> None:
    boundaries = {0}
    offset = 0
    for sign in text:
        offset += 2 if ord(sign) > 0xFFFF else 1
        boundaries.add(offset)
    for entity in entities:
        kind = entity.get("type")
        if kind not in STYLES | DETECTED:
            raise RefusedError(400, "Bad Request: can't parse entities: unsupported type specified")
        if kind == "text_link" and not str(entity.get("url", "")).strip():
            raise RefusedError(400, "Bad Request: can't parse entities: field 'url' is missing")
        start, length = entity.get("offset"), entity.get("length")
        if not isinstance(start, int) or not isinstance(length, int) or start < 0 or length < 0:
            raise RefusedError(400, "Bad Request: ENTITY_BOUNDS_INVALID")
        where = f"Bad Request: entity beginning at UTF-16 offset {start}"
        if start + length > offset:
            raise RefusedError(400, f"{where} ends after the end of the text at UTF-16 {offset}")
        if not {start, start + length} <= boundaries:
            raise RefusedError(400, f"{where} begins or ends in a middle of a UTF-16 symbol")


def _moved(entity: dict[str, Any], text: str) -> dict[str, Any]:
    encoded = text.encode("utf-16-le")
    start, end = entity["offset"], entity["offset"] + entity["length"]
    before = clean(encoded[: 2 * start].decode("utf-16-le"))
    inside = clean(encoded[2 * start : 2 * end].decode("utf-16-le"))
    return {**entity, "offset": units(before), "length": units(inside)}


def _clipped(entity: dict[str, Any], leading: int, size: int) -> dict[str, Any]:
    start = max(0, entity["offset"] - leading)
    end = min(size, entity["offset"] + entity["length"] - leading)
    return {**entity, "offset": start, "length": end - start}
