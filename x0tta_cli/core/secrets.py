"""Keeps secrets out of everything that x0tta writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite

HIDDEN = "[redacted]"
# A shorter value would tear holes into ordinary text and is no secret worth the name.
SHORTEST = 4

_values: set[str] = set()

_NAMED = (
    r"(?:api[_-]?key|access[_-]?key|secret[_-]?key|routing[_-]?key|private[_-]?key|"
    r"key|token|[a-z]+[_-]token|secret|client[_-]secret|password|passwd|pwd|signature|sig)"
)
# At least one of these is in every name above.
_WORDS = ("key", "token", "secret", "password", "passwd", "pwd", "sig")
_NAMES_OF_SECRETS = (
    r"(?i)(?:.*[_-])?(?:(?:api|access|secret|routing|private|integration)[_-]?key|token|secret|"
    r"password|passwd|pwd|authorization)"
)
# What is sought and replaced, behind words of which a text has one where it is in it.
_PATTERNS = (
    # Authorization: Bearer …, Basic …; the scheme stays.
    (("bearer", "basic"), r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", rf"\1 {HIDDEN}"),
    # https://api.telegram.org/bot123456:AA…/sendMessage
    (("/bot",), r"(?i)(/bot\d+:)[A-Za-z0-9_-]+", rf"\1{HIDDEN}"),
    # https://hooks.slack.com/services/T…/B…/…
    (
        ("hooks.slack.com",),
        r"(?i)(hooks\.slack\.com/services/)[A-Za-z0-9/_-]+",
        rf"\1{HIDDEN}",
    ),
    # scheme://user:password@host
    (("://",), r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", rf"\1{HIDDEN}@"),
    # X-Api-Key: …, "token": "…"; a header or JSON member.
    (
        _WORDS,
        rf"""(?i)((?:\b|[-_]){_NAMED}["']?\s*:\s*["'])[^"'\s]{{4,}}(["'])""",
        rf"\1{HIDDEN}\2",
    ),
    (_WORDS, r"(?i)(\bx-[a-z-]*(?:key|token)\s*:\s*)[^\s,;\"']{4,}", rf"\1{HIDDEN}"),
    # ?key=…&token=…
    (_WORDS, rf"(?i)((?:\b|[-_]){_NAMED}=)(?!\[redacted)[^\s&\"',;)]+", rf"\1{HIDDEN}"),
)


def register(value: str) -> None:
    """Remember a secret, so that `redact` removes it wherever it shows up.

    Also the forms in which it travels (percent-encoded, base64 of `:value`) are remembered.
    """
    from base64 import b64encode
    from urllib.parse import quote, quote_plus

    stripped = value.strip()
    for form in (value, stripped, quote(stripped, safe=""), quote_plus(stripped)):
        if len(form) >= SHORTEST:
            _values.add(form)
    if len(stripped) >= SHORTEST:
        _values.add(b64encode(stripped.encode()).decode().rstrip("="))


def redact(text: str) -> str:
    """Replace registered secrets, and what looks like one, by `[redacted]`."""
    for value in sorted(_values, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    # Where its words are not, a pattern need not even be compiled, which takes milliseconds. Beyond
    # ASCII other letters may count as one of theirs: the long s, the dotless i.
    lowered = text.lower() if text.isascii() else None
    for words, pattern, replacement in _PATTERNS:
        if lowered is None or any(word in lowered for word in words):
            text = re.sub(pattern, replacement, text)
    return text


def json_form(value: object) -> object:
    """Give a value the nearest form that JSON has, without its secrets.

    What stands under a name such as `token` or `api_key` is hidden whatever it is; a number that
    JSON cannot write becomes null.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {
            redact(str(name)): HIDDEN if item and is_secret_name(str(name)) else json_form(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [json_form(item) for item in value]
    return redact(str(value))


def is_secret_name(name: str) -> bool:
    """Whether what bears this name is a secret: `api_key`, `bot-token`, `password`."""
    return re.fullmatch(_NAMES_OF_SECRETS, name) is not None
