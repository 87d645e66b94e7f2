"""A wire-level fake of the Telegram Bot API on a real socket, for senders and for bots.

    with running_bot_api() as api:
        chat = api.add_private("Ada")
        api.say(chat, "/start order-7")          # what a user writes arrives at getUpdates
        ...                                      # the bot calls api.base_url + "/bot" + api.token
        assert api.texts(chat) == ["Hello, Ada"]

It follows core.telegram.org/bots/api and, for words of refusal, tdlib/telegram-bot-api. python-
telegram-bot takes its objects. `parse_mode` is not known: nothing here may use markup.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import RLock
from typing import Any

from fakes.bot_api_pace import Rates
from fakes.bot_api_requests import Upload, number, parameters_of, structure
from fakes.bot_api_text import MAX_CAPTION, MAX_TEXT, RefusedError, accepted
from fakes.bot_api_updates import Updates
from fakes.http_server import Answer, Request, json_answer, serving

TOKEN = "987654321:AAFakeTokenOfATestBot-abcdefghijklmno"
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are"
    " exactly the same as a current content and reply markup of the message"
)


@dataclass
class Chat:
    """A chat as the bot may have it; `topics` maps a thread's id to whether it is open.

    `ignores_topics`: a message for a topic that is gone comes into the chat itself, without a word
    (tdlib/telegram-bot-api#854).
    """

    id: int
    type: str
    fields: dict[str, Any]
    topics: dict[int, bool] = field(default_factory=dict)
    ignores_topics: bool = False
    refusal: RefusedError | None = None
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        forum = {"is_forum": True} if self.topics else {}
        return {"id": self.id, "type": self.type, **self.fields, **forum}


@dataclass(frozen=True)
class Call:
    """A call that came in, whether it was granted or not."""

    method: str
    parameters: dict[str, Any]
    status: int


@dataclass
class Failure:
    """What calls get in place of an answer, until `times` is used up."""

    answer: Answer | RefusedError
    times: int
    method: str | None


class BotApi:
    """One bot at its server, and the people it talks to."""

    def __init__(self, token: str, *, chat_burst: int, local: bool) -> None:
        self.token, self.base_url = token, ""
        self.bot = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Mesh",
            "username": "mesh_bot",
        }
        self.chats: dict[int, Chat] = {}
        self.calls: list[Call] = []
        self.commands: list[dict[str, Any]] = []
        self.updates = Updates(local=local)
        self._rates = Rates(chat_burst)
        # Called with each method that was granted, before the answer leaves.
        self.on_call: Callable[[str], None] = lambda method: None
        self._failures: list[Failure] = []
        self._message_ids, self._people = count(1), count(1001)
        self._lock = RLock()

    # Who is there.

    def add_private(self, first_name: str = "Ada", username: str | None = None) -> int:
        """A person who has pressed 'start'; the chat has the person's id."""
        name = {"first_name": first_name} | ({"username": username} if username else {})
        return self._add(next(self._people), "private", name)

    def add_group(self, title: str = "Operators", topics: tuple[int, ...] = ()) -> int:
        """A group, or with topics a supergroup that is a forum."""
        if topics:
            chat_id = self._add(-1000000000000 - next(self._people), "supergroup", {"title": title})
            self.chats[chat_id].topics = dict.fromkeys(topics, True)
            return chat_id
        return self._add(-next(self._people), "group", {"title": title})

    # What is there to see.

    def messages(self, chat_id: int) -> list[dict[str, Any]]:
        """The bot's messages in a chat as they are now, the oldest first."""
        sent = self.chats[chat_id].messages.values()
        return [message for message in sent if message["from"]["is_bot"]]

    def texts(self, chat_id: int) -> list[str]:
        return [
            message.get("text", message.get("caption", "")) for message in self.messages(chat_id)
        ]

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each call of a method."""
        return [call.parameters for call in self.calls if call.method == method]

    # What people do.

    def say(self, chat_id: int, text: str, *, user_id: int | None = None) -> dict[str, Any]:
        """Someone writes; `/start PAYLOAD` is what a deep link sends. Gives the message."""
        chat = self.chats[chat_id]
        command = re.match(r"/[A-Za-z0-9_]+(@\w+)?", text)
        entities = (
            [{"type": "bot_command", "offset": 0, "length": command.end()}] if command else []
        )
        with self._lock:
            message = self._new_message(chat, sender=self._person(user_id or chat_id))
            message |= {"text": text} | ({"entities": entities} if entities else {})
        self.updates.add({"message": message})
        return message

    def press(self, message: dict[str, Any], data: str, *, user_id: int | None = None) -> None:
        """Someone presses a button of an inline keyboard."""
        person = self._person(user_id or message["chat"]["id"])
        query = {"id": str(next(self._message_ids)), "from": person, "message": message}
        self.updates.add({"callback_query": {**query, "chat_instance": "1", "data": data}})

    # What goes wrong.

    def block(self, chat_id: int) -> None:
        """The person has blocked the bot, or the group has thrown it out."""
        chat = self.chats[chat_id]
        how = (
            "was blocked by the user"
            if chat.type == "private"
            else "was kicked from the group chat"
        )
        chat.refusal = RefusedError(403, f"Forbidden: bot {how}")

    def migrate(self, chat_id: int) -> int:
        """The group becomes a supergroup; gives its new id."""
        new_id = self._add(-1000000000000 + chat_id, "supergroup", self.chats[chat_id].fields)
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        self.chats[chat_id].refusal = RefusedError(400, words, migrate_to_chat_id=new_id)
        return new_id

    def fail(
        self, answer: Answer | RefusedError, *, times: int = 1, method: str | None = None
    ) -> None:
        """Give the next calls this answer."""
        self._failures.append(Failure(answer, times, method))

    def answer(self, request: Request) -> Answer:
        """Answer one call, as the server does: everything in an object with `ok`."""
        with_token = re.fullmatch(r"/bot([^/]*)/(\w+)", request.path)
        if with_token is None or not re.fullmatch(r"\d+:[\w-]+", with_token[1]):
            return _refusal(RefusedError(404, "Not Found"))
        if with_token[1] != self.token:
            return _refusal(RefusedError(401, "Unauthorized"))
        method = with_token[2].lower()
        given: dict[str, Any] = {}
        try:
            given = parameters_of(request)
            answer = self._failure(method) or json_answer(200, self._result(method, given))
        except RefusedError as error:
            answer = _refusal(error)
        self.calls.append(Call(method, given, answer.status))
        if answer.status == 200 and not answer.cut:
            self.on_call(method)
        return answer

    def _result(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        known = self._methods().get(method)
        if known is None:
            raise RefusedError(404, "Not Found")
        return {"ok": True, "result": known(given)}

    def _methods(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        return {
            "getme": lambda _: (
                self.bot
                | {"can_join_groups": True, "can_read_all_group_messages": False}
                | {"supports_inline_queries": False}
            ),
            "getchat": lambda given: (
                self._chat(given).as_object()
                | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _GIFTS}
            ),
            "getupdates": self.updates.get,
            "setwebhook": self.updates.set_webhook,
            "deletewebhook": self.updates.delete_webhook,
            "getwebhookinfo": lambda _: self.updates.webhook_info(),
            "sendmessage": self._send_message,
            "senddocument": self._send_document,
            "sendphoto": self._send_photo,
            "editmessagetext": self._edit_message_text,
            "deletemessage": self._delete_message,
            "sendchataction": lambda given: self._chat(given) is not None,
            "answercallbackquery": lambda _: True,
            "setmycommands": self._set_my_commands,
        }

    def _send_message(self, given: dict[str, Any]) -> dict[str, Any]:
        text, entities = _text_of(given, "text", "entities", MAX_TEXT)
        return self._post(given, {"text": text, **_unless_empty("entities", entities)})

    def _send_document(self, given: dict[str, Any]) -> dict[str, Any]:
        file = _upload(given, "document")
        caption, entities = _text_of(given, "caption", "caption_entities", MAX_CAPTION)
        about = {"file_id": f"D{len(file.content)}", "file_unique_id": "U", "file_name": file.name}
        about |= {"mime_type": file.content_type, "file_size": len(file.content)}
        content = {"document": about, **_unless_empty("caption", caption)}
        return self._post(given, content | _unless_empty("caption_entities", entities))

    def _send_photo(self, given: dict[str, Any]) -> dict[str, Any]:
        file = _upload(given, "photo")
        caption, entities = _text_of(given, "caption", "caption_entities", MAX_CAPTION)
        size = {"file_id": f"P{len(file.content)}", "file_unique_id": "V", "width": 8, "height": 8}
        content = {"photo": [size], **_unless_empty("caption", caption)}
        return self._post(given, content | _unless_empty("caption_entities", entities))

    def _post(self, given: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            chat = self._chat(given)
            thread = number(given, "message_thread_id")
            if thread not in chat.topics and chat.ignores_topics:
                thread = None
            if thread is not None and thread not in chat.topics:
                raise RefusedError(400, "Bad Request: message thread not found")
            if thread is not None and not chat.topics[thread]:
                raise RefusedError(400, "Bad Request: TOPIC_CLOSED")
            answered = _answered(chat, structure(given, "reply_parameters", {}))
            self._rates.count(chat.id, is_group=chat.type != "private")
            message = self._new_message(chat, sender=self.bot)
            if thread is not None:
                message |= {"message_thread_id": thread, "is_topic_message": True}
            message |= _unless_empty("reply_to_message", answered)
            message |= _unless_empty("reply_markup", structure(given, "reply_markup", {}))
            message |= content
            return dict(message)

    def _edit_message_text(self, given: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            chat = self._chat(given)
            message = chat.messages.get(number(given, "message_id") or 0)
            if message is None:
                raise RefusedError(400, "Bad Request: message to edit not found")
            if not message["from"]["is_bot"] or "text" not in message:
                raise RefusedError(400, "Bad Request: message can't be edited")
            text, entities = _text_of(given, "text", "entities", MAX_TEXT)
            if (text, entities) == (message["text"], message.get("entities", [])):
                raise RefusedError(400, NOT_MODIFIED)
            self._rates.count(chat.id, is_group=chat.type != "private")
            message.pop("entities", None)
            message |= {"text": text, "edit_date": int(time.time())}
            message |= _unless_empty("entities", entities)
            return dict(message)

    def _delete_message(self, given: dict[str, Any]) -> bool:
        if self._chat(given).messages.pop(number(given, "message_id") or 0, None) is None:
            raise RefusedError(400, "Bad Request: message to delete not found")
        return True

    def _set_my_commands(self, given: dict[str, Any]) -> bool:
        self.commands = structure(given, "commands", [])
        return True

    def _chat(self, given: dict[str, Any]) -> Chat:
        wanted = str(given.get("chat_id", ""))
        if not wanted:
            raise RefusedError(400, "Bad Request: chat_id is empty")
        for chat in self.chats.values():
            if wanted in {str(chat.id), f"@{chat.fields.get('username')}"}:
                if chat.refusal is not None:
                    raise chat.refusal
                return chat
        raise RefusedError(400, "Bad Request: chat not found")

    def _failure(self, method: str) -> Answer | None:
        for failure in self._failures:
            if failure.times > 0 and method == (failure.method or method).lower():
                failure.times -= 1
                if isinstance(failure.answer, RefusedError):
                    raise failure.answer
                return failure.answer
        return None

    def _add(self, chat_id: int, kind: str, fields: dict[str, Any]) -> int:
        self.chats[chat_id] = Chat(chat_id, kind, fields)
        return chat_id

    def _person(self, user_id: int) -> dict[str, Any]:
        chat = self.chats.get(user_id)
        names = chat.fields if chat and chat.type == "private" else {"first_name": "Someone"}
        return {"id": abs(user_id), "is_bot": False, "language_code": "en", **names}

    def _new_message(self, chat: Chat, *, sender: dict[str, Any]) -> dict[str, Any]:
        number_ = next(self._message_ids)
        message = {"message_id": number_, "date": int(time.time()), "chat": chat.as_object()}
        chat.messages[number_] = message | {"from": sender}
        return chat.messages[number_]


_GIFTS = {
    "unlimited_gifts": True,
    "limited_gifts": True,
    "unique_gifts": True,
    "premium_subscription": True,
    "gifts_from_channels": True,
}


@contextmanager
def running_bot_api(
    token: str = TOKEN, *, chat_burst: int = 20, local: bool = True
) -> Iterator[BotApi]:
    """Serve on a free port. `local` takes webhooks by plain HTTP, as a server of one's own does."""
    api = BotApi(token, chat_burst=chat_burst, local=local)
    with serving(api.answer) as api.base_url:
        try:
            yield api
        finally:
            api.updates.close()


def _text_of(
    given: dict[str, Any], name: str, entities_name: str, limit: int
) -> tuple[str, list[dict[str, Any]]]:
    if given.get("parse_mode"):
        raise RefusedError(501, "This fake knows no parse_mode")
    text = str(given.get(name, ""))
    entities = structure(given, entities_name, [])
    if not text and not entities:
        return accepted("", [], limit)
    return accepted(text, entities, limit)


def _upload(given: dict[str, Any], name: str) -> Upload:
    file = given.get(name)
    if isinstance(file, str) and file.startswith("attach://"):
        file = given.get(file.removeprefix("attach://"))
    if not isinstance(file, Upload):
        raise RefusedError(400, f"Bad Request: there is no {name} in the request")
    if not file.content:
        raise RefusedError(400, "Bad Request: file must be non-empty")
    return file


def _answered(chat: Chat, parameters: dict[str, Any]) -> dict[str, Any] | None:
    if not parameters:
        return None
    message = chat.messages.get(int(parameters.get("message_id", 0)))
    if message is None and not parameters.get("allow_sending_without_reply"):
        raise RefusedError(400, "Bad Request: message to be replied not found")
    if message is None:
        return None
    return {name: value for name, value in message.items() if name != "reply_to_message"}


def _unless_empty(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}


def _refusal(error: RefusedError) -> Answer:
    content = {"ok": False, "error_code": error.status, "description": error.description}
    content |= _unless_empty("parameters", error.parameters)
    wait = {"Retry-After": str(error.parameters["retry_after"])} if error.status == 429 else {}
    return json_answer(error.status, content, **wait)
