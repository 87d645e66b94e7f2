"""One delivery into one chat: follows the chat where it has gone, and goes on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from x0tta_cli.alert.channels.telegram_api import BotApi, File, RefusedCallError
from x0tta_cli.alert.channels.telegram_text import Part

# A second between messages into one chat: core.telegram.org/bots/faq (hitting limits).
PACE_S = 1.0
# What is longer is throttled earlier (tdlib/telegram-bot-api#374): it counts twice.
LONG_UNITS = 500
GENERAL_TOPIC = 1
MAX_MOVES = 3
# tdlib/telegram-bot-api#693 #854; a topic that was closed takes messages of its owners alone.
_LOST_TOPIC = ("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid")
_UNCHANGED = "message is not modified"
_NOT_THERE = ("message to edit not found", "message can't be edited", "message_id_invalid")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Document:
    """A file, and the few words beside it."""

    caption: Part
    file: File


Piece = Part | Document


class Chat:
    """Where a delivery goes. `notes` are for the readers, `warnings` for the operator.

    `sent` are the ids of the messages that this delivery has sent, at earlier tries too
    (`has_begun`): they are brought up to date, not sent again. `weight` is how many messages the
    limits count for all calls.
    """

    def __init__(
        self,
        api: BotApi,
        identifier: int | str,
        thread: int | None,
        sent: Sequence[int] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.id, self.moved = identifier, False
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.sent, self.has_begun = list(sent), bool(sent)
        self.weight = 0
        # The general topic has a number, but takes none (tdlib/telegram-bot-api#798).
        self._thread = None if thread == GENERAL_TOPIC else thread
        self._api, self._pause = api, pause

    def follow(self, tell: Callable[[], Result]) -> Result:
        """Tell; anew, with a note, where the chat has moved or the topic is lost.

        Raises what `BotApi.call` raises.
        """
        for _ in range(MAX_MOVES):
            try:
                return tell()
            except RefusedCallError as refusal:
                if not self._moves(refusal):
                    raise
        return tell()

    def put(self, pieces: Sequence[Piece], *, answers: int | None = None, quiet: bool) -> int:
        """Send pieces in their order, and give the id of the first.

        A piece that was sent at an earlier try is not sent again; as its text may have changed
        since (how often the alert came), it is edited. Raises as `BotApi.call`.
        """
        for place, piece in enumerate(pieces):
            if place < len(self.sent):
                if isinstance(piece, Part):
                    self.edit(self.sent[place], piece)
                continue
            if place:
                self._pause(PACE_S)
            first = answers if place == 0 else None
            self.sent.append(self._send(piece, first, quiet=quiet))
        return self.sent[0]

    def edit(self, message: int, part: Part) -> bool:
        """Give a message another text; False where it is not there. Raises as `BotApi.call`."""
        self.weight += 1
        try:
            self._api.call(
                "editMessageText", {"chat_id": self.id, "message_id": message, **_content(part)}
            )
        except RefusedCallError as refusal:
            if _UNCHANGED in refusal.description:
                return True
            if refusal.status == 400 and any(
                words in refusal.description.lower() for words in _NOT_THERE
            ):
                return False
            raise
        return True

    def _send(self, piece: Piece, answers: int | None, *, quiet: bool) -> int:
        parameters: dict[str, object] = {"chat_id": self.id}
        if self._thread is not None:
            parameters["message_thread_id"] = self._thread
        if answers is not None:
            # Somebody may have deleted what is answered; the answer is still due.
            parameters["reply_parameters"] = {
                "message_id": answers,
                "allow_sending_without_reply": True,
            }
        if quiet:
            parameters["disable_notification"] = True
        self.weight += 1
        result = self._post(parameters, piece)
        self._see_where(result)
        return int(result["message_id"])

    def _post(self, parameters: dict[str, object], piece: Piece) -> Mapping[str, Any]:
        if isinstance(piece, Document):
            said = {
                "caption": piece.caption.text,
                "caption_entities": list(piece.caption.entities),
            }
            return self._api.call("sendDocument", parameters | said, piece.file)
        self.weight += len(piece.text) > LONG_UNITS
        return self._api.call("sendMessage", parameters | _content(piece))

    def _see_where(self, result: Mapping[str, Any]) -> None:
        """Tell the operator of a message that fell out of its topic without a word."""
        if self._thread is not None and result.get("message_thread_id") != self._thread:
            self.warnings.append(
                f"a message for the topic {self._thread} of the chat {self.id} came into the chat "
                "itself; see whether the topic is still there"
            )

    def _moves(self, refusal: RefusedCallError) -> bool:
        if refusal.migrated_to is not None:
            before, self.id, self.moved = self.id, refusal.migrated_to, True
            # Messages have other numbers there.
            self.sent.clear()
            self._note(
                f"The group {before} has become the supergroup {self.id}, which is told from now "
                f"on. Set chat_id = {self.id} in the configuration."
            )
            return True
        if self._thread is not None and any(
            words in refusal.description.lower() for words in _LOST_TOPIC
        ):
            self._note(
                f"The topic {self._thread}, which this is meant for, is lost or closed; it is told "
                "in the chat itself. Open the topic, or set another thread_id."
            )
            self._thread = None
            return True
        return False

    def _note(self, note: str) -> None:
        self.notes.append(note)
        self.warnings.append(note)


def _content(part: Part) -> dict[str, object]:
    return {
        "text": part.text,
        "entities": list(part.entities),
        # Telegram's servers would fetch every link, and show what they find there.
        "link_preview_options": {"is_disabled": True},
    }
