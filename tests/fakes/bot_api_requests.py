"""The parameters of a Bot API call: query, form, JSON or multipart, all of them the same.

core.telegram.org/bots/api#making-requests
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from fakes.bot_api_text import RefusedError
from fakes.http_server import Request


@dataclass(frozen=True)
class Upload:
    """A file that came with a call."""

    name: str
    content: bytes
    content_type: str


def parameters_of(request: Request) -> dict[str, Any]:
    """Read the parameters; JSON within a text is read where one is asked for, by `structure`."""
    kind = request.headers.get("content-type", "")
    given: dict[str, Any] = dict(request.query)
    if kind.startswith("application/json") and request.body:
        try:
            content = json.loads(request.body)
        except ValueError:
            raise RefusedError(400, "Bad Request: can't parse JSON object") from None
        return given | (content if isinstance(content, dict) else {})
    if kind.startswith("multipart/form-data"):
        return given | _multipart(kind, request.body)
    return given | dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def structure(given: dict[str, Any], name: str, default: Any) -> Any:
    """Read a parameter that is an object or array, written in JSON or, in a JSON body, as it is."""
    value = given.get(name)
    if value in (None, ""):
        return default
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise RefusedError(400, f"Bad Request: can't parse {name} JSON object") from None


def number(given: dict[str, Any], name: str, default: int | None = None) -> int | None:
    """Read a whole number."""
    value = given.get(name)
    if value in (None, ""):
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise RefusedError(400, f"Bad Request: invalid {name} specified") from None


def _multipart(kind: str, body: bytes) -> dict[str, Any]:
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=HTTP)
    found: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if part.get_filename() is not None:
            found[name] = Upload(part.get_filename(), content, part.get_content_type())
        else:
            found[name] = content.decode()
    return found
