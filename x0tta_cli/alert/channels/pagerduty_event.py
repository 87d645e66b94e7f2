"""How a message is written for PagerDuty's Events API v2, within its limits.

Sources: PagerDuty/developer-docs, docs/events-API-v2/01-Overview.md and 02-Trigger-Events.md.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from x0tta_cli.alert.model import Action, Message
from x0tta_cli.core.notices import MAX_KEY_LENGTH, Notice
from x0tta_cli.core.text import escape, escape_lines
from x0tta_cli.core.times import format_instant

ACTIONS = {
    Action.FIRE: "trigger",
    Action.ACKNOWLEDGE: "acknowledge",
    Action.RESOLVE: "resolve",
    Action.RENEW: "trigger",
}
MAX_SUMMARY, MAX_WORD, MAX_URL = 1024, 255, 2048
# "512 KB", of which the smaller meaning is taken.
MAX_BYTES = 512_000
# Texts are cut to these lengths, one after the other, until the event is small enough.
_SHORTER = (65_536, 16_384, 4_096, 1_024, 256, 64)
MAX_PAIRS = 200
# Which label says where the trouble is, and what it is part of; the first that there is.
_SOURCES = ("instance", "node", "host", "hostname", "address", "component", "service", "job")
_COMPONENTS = ("component", "service", "program", "interface", "job")
_GROUPS = ("mesh", "cluster", "group", "team", "namespace")


def body_of(message: Message, routing_key: str) -> bytes:
    """Write an event as JSON of at most 512 KB; what was cut for that is said in it."""
    event = event_of(message, routing_key)
    body = _encoded(event)
    for longest in _SHORTER:
        if len(body) <= MAX_BYTES:
            return body
        body = _encoded(_cut_event(event, longest))
    return body


def event_of(message: Message, routing_key: str) -> dict[str, Any]:
    """Write an event, whole.

    What ends or acknowledges an alert has the payload that opened it: PagerDuty's event rules look
    at it, and an event that they send elsewhere ends nothing (alertmanager#1440).
    """
    notice = message.notice
    links = [
        {"href": url, "text": text}
        for text, url in (("Runbook", _runbook(notice)), ("Source", notice.source_url))
        if _is_url(url)
    ]
    images = [{"src": url, "alt": notice.name}] if (url := _image(notice)) else []
    return {
        "routing_key": routing_key,
        "event_action": ACTIONS[message.action],
        "dedup_key": key_of(message),
        "client": "x0tta",
        **({"client_url": notice.source_url} if _is_url(notice.source_url) else {}),
        "payload": _payload(message),
        "links": links,
        "images": images,
    }


def key_of(message: Message) -> str:
    """Give the deduplication key: the alert's own, hashed where it is longer than 255 signs."""
    key = message.key
    return key if len(key) <= MAX_KEY_LENGTH else f"x0tta-{sha256(key.encode()).hexdigest()}"


def _payload(message: Message) -> dict[str, Any]:
    notice = message.notice
    said = escape(notice.annotations.get("summary", "").strip())
    summary = f"{escape(notice.name)}: {said}" if said else _described(notice)
    payload = {
        "summary": _cut(summary, MAX_SUMMARY),
        "source": _cut(_first(notice, _SOURCES) or socket.gethostname(), MAX_WORD),
        "severity": notice.severity.value,
        "timestamp": format_instant(notice.starts_at),
        "class": _cut(escape(notice.name), MAX_WORD),
        "custom_details": _details(message),
    }
    for member, names in (("component", _COMPONENTS), ("group", _GROUPS)):
        if value := _first(notice, names):
            payload[member] = _cut(value, MAX_WORD)
    return payload


def _described(notice: Notice) -> str:
    labels = ", ".join(f"{escape(name)} {escape(value)}" for name, value in notice.labels.items())
    return f"{escape(notice.name)} ({labels})" if labels else escape(notice.name)


def _details(message: Message) -> dict[str, Any]:
    notice = message.notice
    told = notice.explanation
    details: dict[str, Any] = {
        "observed": _lines(told.observed),
        "inferred": _lines(told.inferred),
        "not_known": _lines(told.unknown),
        "labels": _pairs(notice.labels),
        "annotations": _pairs(notice.annotations),
        "runbook": escape(_runbook(notice)),
        "source": escape(notice.source_url),
    }
    if _image(notice) == "" and notice.annotations.get("image_url", "").strip():
        details["image_left_out"] = "PagerDuty shows images by https alone"
    if message.action is Action.FIRE:
        details["note"] = escape_lines(message.note)
        details["received"] = f"{message.count} times" if message.count > 1 else ""
    return {name: value for name, value in details.items() if value}


def _cut_event(event: Mapping[str, Any], longest: int) -> dict[str, Any]:
    payload = event["payload"]
    details = {
        "left_out": f"The event was longer than the 512 KB that PagerDuty takes: texts were cut to "
        f"{longest} signs, and {MAX_PAIRS} labels and annotations are shown at most.",
        **{name: _shortened(value, longest) for name, value in payload["custom_details"].items()},
    }
    return {**event, "payload": {**payload, "custom_details": details}}


def _shortened(value: Any, longest: int) -> Any:
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MAX_PAIRS]
        return {_cut(name, longest): _cut(text, longest) for name, text in pairs}
    return _cut(value, longest)


def _image(notice: Notice) -> str:
    url = notice.annotations.get("image_url", "").strip()
    return url if url.startswith("https://") and _is_url(url) else ""


def _runbook(notice: Notice) -> str:
    return notice.runbook_url or notice.annotations.get("runbook_url", "").strip()


def _is_url(text: str) -> bool:
    return len(text) <= MAX_URL and bool(re.fullmatch(r"https?://[^\s\x00-\x1f]+", text))


def _first(notice: Notice, names: tuple[str, ...]) -> str:
    return next((escape(notice.labels[name]) for name in names if notice.labels.get(name)), "")


def _pairs(pairs: Mapping[str, str]) -> dict[str, str]:
    return {escape(name): escape_lines(value) for name, value in pairs.items()}


def _lines(lines: tuple[str, ...]) -> str:
    return "\n".join(escape(line) for line in lines)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 2] + " \u2026"


def _encoded(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
