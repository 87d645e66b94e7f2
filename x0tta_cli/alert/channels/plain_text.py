"""An alert as a title and plain text, for channels that know neither entities nor fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from x0tta_cli.alert.model import Action, Message
from x0tta_cli.core.text import escape, escape_lines
from x0tta_cli.core.times import format_instant

# Longer ones are cut by the phones that show them.
MAX_TITLE = 200
_SHOWN_ABOVE = "summary"


def title_of(message: Message) -> str:
    """Say in one line what it is and how it stands; no sign of it ends a line."""
    notice = message.notice
    word = {
        Action.RESOLVE: "RESOLVED",
        Action.ACKNOWLEDGE: "ACKNOWLEDGED",
    }.get(message.action, notice.severity.value.upper())
    summary = notice.annotations.get(_SHOWN_ABOVE, "")
    title = escape(f"[{word}] {notice.name}{': ' if summary else ''}{summary}")
    return title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…"


def text_of(message: Message, max_bytes: int) -> str:
    """Tell all that is known of an alert, at most `max_bytes` of UTF-8; what was cut is said."""
    text = "\n\n".join("\n".join(part) for part in _parts(message) if part) + "\n"
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= max_bytes:
        return encoded.decode()
    note = f"\n… cut: {len(encoded)} bytes were too many\n"
    room = max(0, max_bytes - len(note.encode()))
    return encoded[:room].decode("utf-8", "ignore") + note


def _parts(message: Message) -> Iterable[list[str]]:
    notice = message.notice
    yield [title_of(message), *filter(None, [escape_lines(message.note)])]
    summary = notice.annotations.get(_SHOWN_ABOVE, "")
    yield [escape_lines(summary)] if summary else []
    told = notice.explanation
    for word, lines in (
        ("Observed", told.observed),
        ("Inferred", told.inferred),
        ("Not known", told.unknown),
    ):
        yield [f"{word}:", *(f"  {escape_lines(line)}" for line in lines)] if lines else []
    others = {name: text for name, text in notice.annotations.items() if name != _SHOWN_ABOVE}
    yield list(_pairs(others))
    yield list(_pairs(notice.labels))
    yield _facts(message)


def _facts(message: Message) -> list[str]:
    notice = message.notice
    facts = {
        "severity": notice.severity.value,
        "began": format_instant(notice.starts_at),
        "ended": format_instant(notice.ends_at) if notice.ends_at else "",
        "came": f"{message.count} times" if message.count > 1 else "",
        "runbook": notice.runbook_url,
        "source": notice.source_url,
        "key": message.key,
    }
    return list(_pairs({name: fact for name, fact in facts.items() if fact}))


def _pairs(pairs: Mapping[str, str]) -> Iterable[str]:
    for name, value in pairs.items():
        lines = escape_lines(value).rstrip("\n").split("\n")
        if len(lines) == 1:
            yield f"{escape(name)}: {lines[0]}"
        else:
            yield f"{escape(name)}:"
            yield from (f"  {line}" for line in lines)
