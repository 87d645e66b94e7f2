"""How a bot hears of what people do: by long polling, or by a webhook that is called.

core.telegram.org/bots/api#getting-updates
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from itertools import count
from threading import Condition, Event, Thread
from typing import Any
from urllib.parse import urlsplit

from fakes.bot_api_requests import number, structure
from fakes.bot_api_text import RefusedError

RETRY_S = 0.1
WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)
OTHER_INSTANCE = (
    "Conflict: terminated by other getUpdates request;"
    " make sure that only one bot instance is running"
)


class Updates:
    """What the bot has not confirmed yet, in order; and where it wants to be called."""

    def __init__(self, *, local: bool) -> None:
        self._local = local
        self._pending: list[dict[str, Any]] = []
        self._numbers = count(500_000)
        self._changed = Condition()
        self._polls = 0
        self._webhook: dict[str, str] = {}
        self._last_error = ""
        self._closed = Event()
        self._caller = Thread(target=self._call_webhook, daemon=True)
        self._caller.start()

    def add(self, content: dict[str, Any]) -> int:
        """Something happened; gives the update's number."""
        with self._changed:
            update_id = next(self._numbers)
            self._pending.append({"update_id": update_id, **content})
            self._changed.notify_all()
        return update_id

    def repeat(self, update: dict[str, Any]) -> None:
        """Deliver an update a second time, as happens where an answer was lost."""
        with self._changed:
            self._pending.append(update)
            self._changed.notify_all()

    def pending(self) -> list[dict[str, Any]]:
        """What is not confirmed."""
        with self._changed:
            return list(self._pending)

    def get(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer getUpdates: an offset confirms all before it; waits up to `timeout` seconds."""
        offset = number(given, "offset", 0) or 0
        limit = min(100, max(1, number(given, "limit", 100) or 100))
        wait_s = min(50, max(0, number(given, "timeout", 0) or 0))
        with self._changed:
            if self._webhook:
                raise RefusedError(409, WEBHOOK_ACTIVE)
            self._polls += 1
            this_poll = self._polls
            self._changed.notify_all()
            self._confirm(offset)
            self._changed.wait_for(lambda: self._pending or self._polls != this_poll, wait_s)
            if self._polls != this_poll:
                raise RefusedError(409, OTHER_INSTANCE)
            return self._pending[:limit]

    def set_webhook(self, given: dict[str, Any]) -> bool:
        """Answer setWebhook; an empty URL removes it."""
        url, secret = str(given.get("url", "")), str(given.get("secret_token", ""))
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise RefusedError(400, "Bad Request: secret token contains unallowed characters")
        if url and urlsplit(url).scheme != "https" and not self._local:
            raise RefusedError(
                400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
            )
        with self._changed:
            if structure(given, "drop_pending_updates", False):
                self._pending.clear()
            self._webhook = {"url": url, "secret": secret} if url else {}
            self._changed.notify_all()
        return True

    def delete_webhook(self, given: dict[str, Any]) -> bool:
        return self.set_webhook({**given, "url": ""})

    def webhook_info(self) -> dict[str, Any]:
        with self._changed:
            info = {
                "url": self._webhook.get("url", ""),
                "has_custom_certificate": False,
                "pending_update_count": len(self._pending),
            }
            return info | ({"last_error_message": self._last_error} if self._last_error else {})

    def close(self) -> None:
        with self._changed:
            self._closed.set()
            self._polls += 1
            self._changed.notify_all()
        self._caller.join(2)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            del self._pending[:offset]
        elif offset:
            self._pending = [update for update in self._pending if update["update_id"] >= offset]

    def _call_webhook(self) -> None:
        while not self._closed.is_set():
            with self._changed:
                self._changed.wait_for(
                    lambda: (self._webhook and self._pending) or self._closed.is_set()
                )
                if self._closed.is_set():
                    return
                webhook, update = dict(self._webhook), self._pending[0]
            self._last_error = _post(webhook, update)
            if self._last_error:
                self._closed.wait(RETRY_S)
                continue
            with self._changed:
                if self._pending and self._pending[0] is update:
                    del self._pending[0]


def _post(webhook: dict[str, str], update: dict[str, Any]) -> str:
    headers = {"Content-Type": "application/json"}
    if webhook["secret"]:
        headers["X-Telegram-Bot-Api-Secret-Token"] = webhook["secret"]
    request = urllib.request.Request(webhook["url"], json.dumps(update).encode(), headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5):
            return ""
    except urllib.error.HTTPError as error:
        return f"Wrong response from the webhook: {error.code} {error.reason}"
    except OSError as error:
        return f"Connection failed: {error}"
