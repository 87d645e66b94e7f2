"""Logs through the standard library: logfmt for people, JSON for programs, secrets for nobody."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

from x0tta_cli.core.secrets import json_form, redact

# What every record has; the rest came through `extra` and is shown.
_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# These log each request at INFO; core.http does so itself, without secrets.
_LOUD_LIBRARIES = ("httpx", "httpcore")


def configure(
    stream: TextIO, form: Literal["logfmt", "json"] = "logfmt", level: int = logging.WARNING
) -> None:
    """Send the records of the process to `stream`; a second call takes the place of the first."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Handler)]:
        root.removeHandler(handler)
    handler = _Handler(stream)
    handler.setFormatter(_Formatter(form))
    root.addHandler(handler)
    root.setLevel(level)
    for name in _LOUD_LIBRARIES:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class _Handler(logging.StreamHandler[TextIO]):
    """Keeps quiet where standard error has gone: there is nobody left to tell."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Drop a record that can't be written."""


class _Formatter(logging.Formatter):
    def __init__(self, form: Literal["logfmt", "json"]) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        members = json_form(_members(record, self))
        assert isinstance(members, Mapping)  # noqa: S101 - a mapping goes in
        if self._form == "json":
            return json.dumps(members)
        return redact(" ".join(f"{name}={_logfmt(value)}" for name, value in members.items()))


def _members(record: logging.LogRecord, formatter: logging.Formatter) -> dict[str, object]:
    instant = datetime.fromtimestamp(record.created, UTC)
    members: dict[str, object] = {
        "time": instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    members |= {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}
    if record.exc_info:
        members["exception"] = formatter.formatException(record.exc_info)
    return members


def _logfmt(value: object) -> str:
    """Write a value as logfmt does: quoted where it is not one plain word."""
    text = value if isinstance(value, str) else json.dumps(value)
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(' "=\\')
    return text if text and is_plain else json.dumps(text, ensure_ascii=False)
