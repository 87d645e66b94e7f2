"""The channel `telegram`: one chat, told by a bot; one message for each alert where that will do.

What fires is a message of its own. What comes of it answers that message, so that the two stand
together: another severity, an acknowledgement, the end. The first message is edited when the alert
is over, so that a glance at the chat tells what is still open; a resolve of what made no sound when
it began is told by that alone.

The server knows no deduplication keys, so what is told is told at least once. An error between the
parts of a long text is written down with the ids of those that arrived (`sent-NUMBER` of the
channel's memory), and the next try goes on behind them. Only a kill between the server's answer
and that line sends parts again: all of one message at most, never one that was recorded before.
An edit that is repeated changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from x0tta_cli.alert.channels import telegram_words
from x0tta_cli.alert.channels.protocol import Limit, Outcome, Traits, words_of_error
from x0tta_cli.alert.channels.telegram_api import BotApi, File, RefusedCallError
from x0tta_cli.alert.channels.telegram_chat import Chat, Document, Piece
from x0tta_cli.alert.channels.telegram_text import Part, split
from x0tta_cli.alert.channels.telegram_words import Words
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import TelegramChannel
from x0tta_cli.core.errors import NotPermittedError, OperatorError, UnavailableError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.text import escape

# A text that takes more messages than this becomes a file, with a caption of at most 1,024 signs.
MAX_MESSAGES, MAX_CAPTION = 3, 1024
# What the channel remembers: where the chat is now; of each alert its first message, whether that
# was all of it, and whether more was told since.
MOVED_TO, FIRST, IN_PARTS, TOLD_SINCE = "chat", "message", "in_parts", "told_since"
LOUD = frozenset({Severity.CRITICAL, Severity.ERROR})
WITHOUT_A_WORD_S = 30.0
# 404 is what a malformed token gets.
_REFUSES_US = frozenset({401, 403, 404})
# 400s that say no to every message alike, as a 403 does: a wrong chat_id, or no right to write.
_NOT_FOR_US = ("chat not found", "not enough rights", "peer_id_invalid", "chat_write_forbidden")


def open_channel(name: str, settings: TelegramChannel, timeout_s: float) -> Telegram:
    """Make the channel; raises `http.bad_url` (2)."""
    return Telegram(name, settings, timeout_s)


class Telegram:
    """Tells one chat. The message id that the server gives is its acknowledgement."""

    kind = "telegram"

    def __init__(self, name: str, settings: TelegramChannel, timeout_s: float) -> None:
        self.name = name
        self._chat_id, self._thread = settings.chat_id, settings.thread_id
        token = settings.token.get_secret_value()
        self._api = BotApi(settings.base_url, token, timeout_s)
        self.traits = Traits(
            max_attempt_s=(MAX_MESSAGES + 1) * timeout_s,
            acknowledges=True,
            limits=_limits(self._api.bot_id, settings.chat_id),
        )

    def peers(self) -> tuple[str, ...]:
        """Name the chat, and the topic in it."""
        chat = str(self._chat_id)
        return (chat if self._thread is None else f"{chat}/{self._thread}",)

    def close(self) -> None:
        """Close the connection."""
        self._api.close()

    def reach(self, peer: str) -> str:  # noqa: ARG002 - there is one
        """Ask who we are and what the chat is; tells nobody.

        Raises NotPermittedError `alert.not_permitted`, UnavailableError `alert.unavailable`,
        `http.unreachable` and `http.timed_out`.
        """
        try:
            bot = self._api.call("getMe", {})
            chat = self._api.call("getChat", {"chat_id": self._chat_id})
        except RefusedCallError as refusal:
            if refusal.migrated_to is not None:
                return f"the group has become the supergroup {refusal.migrated_to}"
            raise _error(refusal) from None
        name = chat.get("title") or chat.get("first_name") or chat.get("username") or "unnamed"
        return f"@{escape(str(bot.get('username')))} in {escape(str(name))}"

    def deliver(
        self,
        peer: str,  # noqa: ARG002 - there is one
        batch: Sequence[Message],
        memory: Mapping[str, str],
    ) -> Sequence[Outcome]:
        """Tell the chat of each message; raises `http.unreachable` and `http.timed_out`."""
        return [self._deliver(message, memory) for message in batch]

    def _deliver(self, message: Message, memory: Mapping[str, str]) -> Outcome:
        progress = f"sent-{message.number}"
        before = [int(each) for each in memory.get(progress, "").split()]
        chat_id = _number(memory.get(MOVED_TO, "")) or self._chat_id
        chat = Chat(self._api, chat_id, self._thread, before)
        try:
            remember = chat.follow(lambda: _tell(chat, message))
        except RefusedCallError as refusal:
            return replace(_refused(refusal), **_learned(chat, progress))
        except OperatorError as error:
            if not error.retryable or not (chat.sent or chat.moved):
                raise
            words = words_of_error(error)
            return Outcome(DeliveryState.QUEUED, words, **_learned(chat, progress))
        number = chat.sent[0] if chat.sent else _first_of(message, chat)
        return Outcome(
            DeliveryState.ACKNOWLEDGED,
            f"message {number}",
            remember=remember,
            **_learned(chat, progress, is_done=True),
        )


def _tell(chat: Chat, message: Message) -> dict[str, str]:
    """Tell of one message in the chat as it is now; gives what is to be remembered of the alert."""
    first = _first_of(message, chat)
    if message.action is Action.RESOLVE and first is not None:
        return _end(chat, message, first)
    if message.action is Action.ACKNOWLEDGE and first is not None:
        chat.put(_answer(message, chat), answers=first, quiet=True)
        return {TOLD_SINCE: "1"}
    quiet = message.action is not Action.FIRE or message.notice.severity is Severity.INFO
    pieces = _pieces(message, chat)
    number = chat.put(pieces, answers=first, quiet=quiet)
    if first is not None:
        return {TOLD_SINCE: "1"}
    is_whole = len(pieces) == 1 and isinstance(pieces[0], Part)
    return {FIRST: f"{chat.id}/{number}", IN_PARTS: "" if is_whole else "1", TOLD_SINCE: ""}


def _end(chat: Chat, message: Message, first: int) -> dict[str, str]:
    """Mark the first message as over, and say so below it where the alert was loud."""
    parts = _parts(telegram_words.whole(message))
    is_marked = (
        # What lies in several messages would shift from one into the next.
        not message.memory.get(IN_PARTS) and len(parts) == 1 and chat.edit(first, parts[0])
    )
    was_heard = message.notice.severity in LOUD or bool(message.memory.get(TOLD_SINCE))
    if was_heard or not is_marked or chat.notes:
        chat.put(_answer(message, chat), answers=first, quiet=True)
    return {}


def _answer(message: Message, chat: Chat) -> list[Piece]:
    # What it answers has every label; here the first of too many will do.
    return [_parts(telegram_words.short(message, chat.notes))[0]]


def _pieces(message: Message, chat: Chat) -> list[Piece]:
    """Lay out an alert in messages, or as a file."""
    words = telegram_words.whole(message, chat.notes)
    parts = _parts(words)
    if len(parts) <= MAX_MESSAGES:
        return [*parts]
    beside = telegram_words.caption(message, chat.notes)
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in message.key)
    file = File("document", f"{name[:60]}.txt", words.text.encode())
    return [Document(split(beside.text, beside.spans, MAX_CAPTION)[0], file)]


def _parts(words: Words) -> list[Part]:
    return split(words.text, words.spans)


def _first_of(message: Message, chat: Chat) -> int | None:
    """Give the alert's first message, if it is in this chat and not in the one before it."""
    where, _, number = message.memory.get(FIRST, "").rpartition("/")
    return _number(number) if where == str(chat.id) else None


def _learned(chat: Chat, progress: str, *, is_done: bool = False) -> dict[str, Any]:
    """Give what an outcome has to tell, whatever became of the message."""
    remember = {MOVED_TO: str(chat.id)} if chat.moved else {}
    if not is_done and chat.sent:
        remember[progress] = " ".join(map(str, chat.sent))
    elif chat.has_begun:
        remember[progress] = ""
    return {
        "warning": "; ".join(chat.warnings),
        "remember_channel": remember,
        "weight": max(1, chat.weight),
    }


def _refused(refusal: RefusedCallError) -> Outcome:
    words, description = str(refusal), refusal.description.lower()
    if refusal.status == 429:
        wait_s = refusal.retry_after_s or WITHOUT_A_WORD_S
        return Outcome(DeliveryState.QUEUED, words, retry_after_s=wait_s)
    if refusal.status in _REFUSES_US or any(each in description for each in _NOT_FOR_US):
        return Outcome(DeliveryState.QUEUED, words, disables=True)
    if 400 <= refusal.status < 500:
        return Outcome(DeliveryState.REJECTED, words)
    return Outcome(DeliveryState.QUEUED, words)


def _error(refusal: RefusedCallError) -> OperatorError:
    if refusal.status in _REFUSES_US or refusal.status == 400:
        return NotPermittedError(
            "alert.not_permitted",
            "Telegram does not let the bot write into the chat.",
            reason=str(refusal),
            fix="Correct token and chat_id, and let the bot into the chat.",
            retryable=True,
        )
    return UnavailableError(
        "alert.unavailable",
        "Telegram does not do what it was asked.",
        reason=str(refusal),
        fix="Try again later; where base_url is set, see whether it is a Bot API.",
        retryable=True,
    )


def _limits(bot: str, chat: int | str) -> tuple[Limit, ...]:
    """Give the limits of core.telegram.org/bots/faq: 1/s a chat, 20/min a group, 30/s a bot.

    A bucket that has been full lets its burst through, and what it fills by: so that no minute
    has more than 20, nor any second more than 30, each holds a part of that.
    """
    limits = (Limit(f"telegram-chat:{chat}", 1, 1.0), Limit(f"telegram-bot:{bot}", 15, 1.0))
    is_group = str(chat).startswith(("-", "@"))
    return (*limits, Limit(f"telegram-group:{chat}", 5, 20.0)) if is_group else limits


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,19}", text) else None
