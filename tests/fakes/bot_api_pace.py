"""Telegram's rates: 1 a second for a chat, 20 a minute for a group, 30 a second for a bot.

core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; a chat bears short bursts.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque

from fakes.bot_api_text import RefusedError


class Rates:
    """Counts what was sent; raises 429 with `retry_after` where it is too much."""

    def __init__(self, chat_burst: int = 20) -> None:
        self.chat_burst = chat_burst
        self._sent: dict[object, deque[float]] = defaultdict(deque)

    def count(self, chat_id: int, *, is_group: bool) -> None:
        windows = [(("chat", chat_id), self.chat_burst, float(self.chat_burst)), ("bot", 30, 1.0)]
        if is_group:
            windows.append((("group", chat_id), 20, 60.0))
        now = time.monotonic()
        for name, most, window_s in windows:
            sent = self._sent[name]
            while sent and now - sent[0] >= window_s:
                sent.popleft()
            if len(sent) >= most:
                wait_s = max(1, math.ceil(window_s - (now - sent[0])))
                raise too_many(wait_s)
        for name, *_ in windows:
            self._sent[name].append(now)


def too_many(wait_s: int) -> RefusedError:
    return RefusedError(429, f"Too Many Requests: retry after {wait_s}", retry_after=wait_s)
