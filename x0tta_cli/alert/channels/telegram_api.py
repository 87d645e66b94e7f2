"""Calls of Telegram's Bot API, https://core.telegram.org/bots/api, each tried once."""

from __future__ import annotations

import json
import re
import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from x0tta_cli.core import secrets
from x0tta_cli.core.http import Client, Response
from x0tta_cli.core.text import escape

_BOT_ID = re.compile(r"(\d+):")


@dataclass(frozen=True, slots=True)
class File:
    """A file to send: the parameter that it stands for, its name and what is in it."""

    parameter: str
    name: str
    content: bytes


class RefusedCallError(Exception):
    """An answer that is no success, in the server's own words, without secrets.

    `migrated_to` is the id of the supergroup that a group has become.
    """

    def __init__(
        self,
        status: int,
        description: str,
        retry_after_s: float | None = None,
        migrated_to: int | None = None,
    ) -> None:
        super().__init__(f"{status} {description}")
        self.status, self.description = status, description
        self.retry_after_s, self.migrated_to = retry_after_s, migrated_to


class BotApi:
    """One bot. Close it."""

    def __init__(self, base_url: str, token: str, timeout_s: float) -> None:
        # Half of it would do for whoever knows the bot's id, which every member of a chat does.
        for secret in (token, token.partition(":")[2]):
            secrets.register(secret)
        self._path = f"/bot{quote(token, safe=':')}"
        self._client = Client(base_url, timeout_s=timeout_s, retries=0)
        found = _BOT_ID.match(token)
        self.bot_id = found[1] if found else sha256(token.encode()).hexdigest()[:12]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def call(
        self, method: str, parameters: Mapping[str, object], file: File | None = None
    ) -> dict[str, Any]:
        """Call a method and give its result.

        Raises RefusedCallError, and UnavailableError `http.unreachable` and `http.timed_out`.
        """
        path = f"{self._path}/{method}"
        if file is None:
            return _result(self._client.request("POST", path, json=dict(parameters)))
        content_type, body = _form(parameters, file)
        headers = {"content-type": content_type}
        return _result(self._client.request("POST", path, content=body, headers=headers))


def _result(response: Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.body)
        is_success = answer["ok"] is True and isinstance(answer["result"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        words = escape(response.text[:200]).strip()
        answer, is_success = {"description": f"no answer of a Bot API: {words}"}, False
    if is_success:
        result: dict[str, Any] = answer["result"]
        return result
    raise _refusal(response, answer)


def _refusal(response: Response, answer: Mapping[str, Any]) -> RefusedCallError:
    given = answer.get("parameters")
    parameters = given if isinstance(given, dict) else {}
    wait_s = parameters.get("retry_after")
    moved = parameters.get("migrate_to_chat_id")
    return RefusedCallError(
        response.status,
        secrets.redact(escape(str(answer.get("description", "")))[:500]),
        float(wait_s) if isinstance(wait_s, int) else response.retry_after_s(datetime.now(UTC)),
        moved if isinstance(moved, int) else None,
    )


def _form(parameters: Mapping[str, object], file: File) -> tuple[str, bytes]:
    """Write parameters and a file as RFC 7578 has it; objects are JSON, as the Bot API wants."""
    boundary = randomness.token_hex(16)
    parts = []
    for name, value in parameters.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode())
    about = f'Content-Disposition: form-data; name="{file.parameter}"; filename="{file.name}"'
    parts.append(f"{about}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".encode())
    parts[-1] += file.content
    lines = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    return f"multipart/form-data; boundary={boundary}", lines + b"--%b--\r\n" % boundary.encode()
