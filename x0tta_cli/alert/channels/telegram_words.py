"""What a message at Telegram says: in full for what fires, in short for what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from x0tta_cli.alert.channels.telegram_text import Span
from x0tta_cli.alert.model import Action, Message
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.core.text import escape, escape_lines
from x0tta_cli.core.times import format_duration

# Seen in a list of chats before any word is read.
MARKS = {
    Severity.CRITICAL: "\U0001f534",
    Severity.ERROR: "\U0001f7e0",
    Severity.WARNING: "\U0001f7e1",
    Severity.INFO: "\U0001f535",
}
RESOLVED, ACKNOWLEDGED = "\u2705", "\U0001f464"
# The names under which an explanation travels through Alertmanager, and their titles here.
SECTIONS = {"observed": "Observed", "inferred": "Inferred", "not_known": "Not known"}
SHORT_SUMMARY = 400
_TOLD_ELSEWHERE = frozenset({"summary", "description", "runbook_url", "source_url", *SECTIONS})


@dataclass(slots=True)
class Words:
    """A text that grows, and its styles."""

    text: str = ""
    spans: list[Span] = field(default_factory=list)

    def add(self, text: str, style: str = "") -> None:
        """Add a piece."""
        if style and text:
            self.spans.append(Span(len(self.text), len(self.text) + len(text), style))
        self.text += text

    def begin(self) -> None:
        """Begin another section: behind an empty line, unless it is the first."""
        self.add("\n\n" if self.text else "")

    def lines(self, title: str, lines: Sequence[str]) -> None:
        """Add a section of lines under a title, if there are any."""
        if lines:
            self.begin()
            self.add(title, "bold")
            for line in lines:
                self.add(f"\n\u2022 {line}")


def whole(message: Message, notes: Sequence[str] = ()) -> Words:
    """Say all that is known of an alert, the most important first.

    `notes` are lines on how the message itself is delivered.
    """
    notice = message.notice
    words = Words()
    _head(words, message)
    _notes(words, message, notes)
    if description := _annotation(notice, "description"):
        words.begin()
        words.add(description)
    for name, title in SECTIONS.items():
        words.lines(title, _explanation(notice, name))
    _pairs(words, notice)
    words.begin()
    words.add(_times(message))
    _links(words, notice)
    return words


def short(message: Message, notes: Sequence[str] = ()) -> Words:
    """Say what has become of an alert that the reader can look up above."""
    words = Words()
    _head(words, message)
    if labels := ", ".join(f"{name}: {value}" for name, value in _labels(message.notice)):
        words.add("\n")
        words.add(labels, "code")
    _notes(words, message, notes)
    return words


def caption(message: Message, notes: Sequence[str] = ()) -> Words:
    """Say what stands beside a file that has the whole text."""
    words = Words()
    _head(words, message)
    _notes(words, message, [*notes, "This is longer than a message; the file has all of it."])
    _links(words, message.notice)
    return words


def _head(words: Words, message: Message) -> None:
    notice = message.notice
    mark, word = MARKS[notice.severity], notice.severity.value.upper()
    if message.action is Action.RESOLVE:
        mark, word = RESOLVED, "RESOLVED"
    elif message.action is Action.ACKNOWLEDGE:
        mark, word = ACKNOWLEDGED, "ACKNOWLEDGED"
    words.add(f"{mark} {word} \u00b7 {escape(notice.name)}", "bold")
    if summary := _annotation(notice, "summary"):
        words.add("\n" + _cut(summary, SHORT_SUMMARY))
    if standing := _standing(message):
        words.add("\n")
        words.add(standing, "italic")


def _standing(message: Message) -> str:
    notice = message.notice
    if message.action is Action.ACKNOWLEDGE:
        lasting = format_duration(timedelta(seconds=round(message.lasting_s)))
        return f"Somebody takes care of it; it is not told again for {lasting}."
    if message.action is Action.RESOLVE and notice.ends_at is not None:
        lasted_s = max(0, round((notice.ends_at - notice.starts_at).total_seconds()))
        return (
            f"It was {notice.severity} and lasted {format_duration(timedelta(seconds=lasted_s))}."
        )
    return ""


def _notes(words: Words, message: Message, notes: Sequence[str]) -> None:
    for note in filter(None, (escape_lines(message.note), *notes)):
        words.begin()
        words.add(note, "italic")


def _explanation(notice: Notice, name: str) -> list[str]:
    told = notice.explanation
    own = {"observed": told.observed, "inferred": told.inferred, "not_known": told.unknown}
    lines = own[name] or notice.annotations.get(name, "").split("\n")
    return [escape(line) for line in lines if line.strip()]


def _pairs(words: Words, notice: Notice) -> None:
    """List labels, as signs that name nobody and lead nowhere, and annotations."""
    pairs = list(_labels(notice))
    if pairs:
        words.begin()
        words.add("Labels", "bold")
        for name, value in pairs:
            words.add(f"\n{name}: ")
            words.add(value, "code")
    for name, text in notice.annotations.items():
        if name not in _TOLD_ELSEWHERE and text.strip():
            words.begin()
            words.add(escape(name), "bold")
            words.add(f"\n{escape_lines(text.strip())}")
    summary = _annotation(notice, "summary")
    if len(summary) > SHORT_SUMMARY:
        words.begin()
        words.add("The summary, whole", "bold")
        words.add(f"\n{summary}")


def _labels(notice: Notice) -> Iterator[tuple[str, str]]:
    for name, value in notice.labels.items():
        if value:
            yield escape(name), escape(value)


def _times(message: Message) -> str:
    notice = message.notice
    parts = [f"Since {_instant(notice.starts_at)}"]
    if notice.ends_at is not None and message.action is Action.RESOLVE:
        parts.append(f"until {_instant(notice.ends_at)}")
    if message.count > 1:
        parts.append(f"received {message.count} times")
    return ", ".join(parts)


def _links(words: Words, notice: Notice) -> None:
    runbook = notice.runbook_url or notice.annotations.get("runbook_url", "")
    source = notice.source_url or notice.annotations.get("source_url", "")
    for title, url in (("Runbook", runbook), ("Source", source)):
        if url.strip():
            words.add("\n")
            words.add(title, "bold")
            # Shown as it is: whoever taps it sees where it leads.
            words.add(f": {escape(url.strip())}")


def _annotation(notice: Notice, name: str) -> str:
    return escape_lines(notice.annotations.get(name, "").strip())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 2].rstrip() + " \u2026"


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
