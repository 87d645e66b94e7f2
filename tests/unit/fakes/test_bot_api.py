"""The fake of Telegram's Bot API refuses what the real one refuses, and talks to real bots."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from threading import Thread

import pytest
from fakes.bot_api import TOKEN, running_bot_api
from fakes.http_server import Answer, Request, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def api():
    with running_bot_api() as running:
        yield running


def call(api, method, token=TOKEN, **parameters):
    request = urllib.request.Request(
        f"{api.base_url}/bot{token}/{method}",
        json.dumps(parameters).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def refusal(api, method, **parameters):
    answer = call(api, method, **parameters)
    assert not answer["ok"]
    return answer["error_code"], answer["description"]


def test_a_wrong_token_is_401_and_an_unknown_method_or_malformed_token_404(api):
    assert refusal(api, "getMe", token="1:wrong") == (401, "Unauthorized")
    assert refusal(api, "getMe", token="malformed") == (404, "Not Found")
    assert refusal(api, "sendSmoke") == (404, "Not Found")
    assert call(api, "getMe")["result"]["is_bot"]


def test_4096_code_points_are_taken_even_outside_the_basic_plane_and_4097_are_not(api):
    chat = api.add_private()
    assert call(api, "sendMessage", chat_id=chat, text="\U0001f525" * 4096)["ok"]
    assert refusal(api, "sendMessage", chat_id=chat, text="a" * 4097) == (
        400,
        "Bad Request: message is too long",
    )
    assert refusal(api, "sendMessage", chat_id=chat, text=" \n ")[1].endswith("text is empty")


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ({"type": "bold", "offset": 1, "length": 1}, "middle of a UTF-16 symbol"),
        ({"type": "bold", "offset": 0, "length": 9}, "ends after the end"),
        ({"type": "bold", "offset": -1, "length": 1}, "ENTITY_BOUNDS_INVALID"),
        ({"type": "sparkle", "offset": 0, "length": 2}, "unsupported type"),
        ({"type": "text_link", "offset": 0, "length": 2}, "url"),
    ],
)
def test_entities_out_of_bounds_or_inside_a_surrogate_pair_are_refused(api, entity, words):
    status, said = refusal(
        api, "sendMessage", chat_id=api.add_private(), text="\U0001f525 x", entities=[entity]
    )
    assert status == 400
    assert words in said


def test_entities_beyond_100_are_dropped_without_a_word(api):
    entities = [{"type": "bold", "offset": 2 * i, "length": 1} for i in range(150)]
    sent = call(api, "sendMessage", chat_id=api.add_private(), text="a " * 150, entities=entities)
    assert len(sent["result"]["entities"]) == 100


def test_entities_move_with_the_text_that_the_server_trims(api):
    sent = call(
        api,
        "sendMessage",
        chat_id=api.add_private(),
        text="\n  fire\r here ",
        entities=[{"type": "bold", "offset": 9, "length": 4}],
    )["result"]
    assert sent["text"] == "fire here"
    assert sent["entities"] == [{"type": "bold", "offset": 5, "length": 4}]


def test_a_group_takes_20_a_minute_and_says_how_long_to_wait(api):
    group = api.add_group()
    for _ in range(20):
        assert call(api, "sendMessage", chat_id=group, text="x")["ok"]
    answer = call(api, "sendMessage", chat_id=group, text="x")
    assert answer["error_code"] == 429
    assert 1 <= answer["parameters"]["retry_after"] <= 60


def test_a_chat_takes_one_a_second_beyond_its_burst():
    with running_bot_api(chat_burst=1) as api:
        chat = api.add_private()
        assert call(api, "sendMessage", chat_id=chat, text="x")["ok"]
        assert call(api, "sendMessage", chat_id=chat, text="x")["parameters"] == {"retry_after": 1}


def test_chats_that_moved_closed_or_blocked_say_so_in_telegrams_words(api):
    old = api.add_group()
    new = api.migrate(old)
    moved = call(api, "sendMessage", chat_id=old, text="x")
    assert moved["parameters"] == {"migrate_to_chat_id": new}
    forum = api.add_group(topics=(7,))
    api.chats[forum].topics[7] = False
    said = refusal(api, "sendMessage", chat_id=forum, text="x", message_thread_id=7)
    assert said == (400, "Bad Request: TOPIC_CLOSED")
    said = refusal(api, "sendMessage", chat_id=forum, text="x", message_thread_id=8)
    assert said == (400, "Bad Request: message thread not found")
    person = api.add_private()
    api.block(person)
    assert refusal(api, "sendMessage", chat_id=person, text="x")[0] == 403
    assert refusal(api, "sendMessage", chat_id=5, text="x") == (400, "Bad Request: chat not found")


def test_an_edit_has_to_change_a_message_of_the_bots_own(api):
    chat = api.add_private()
    sent = call(api, "sendMessage", chat_id=chat, text="one")["result"]["message_id"]
    theirs = api.say(chat, "hello")["message_id"]

    def edit(message_id, text):
        return call(api, "editMessageText", chat_id=chat, message_id=message_id, text=text)

    assert "not modified" in edit(sent, "one")["description"]
    assert "can't be edited" in edit(theirs, "two")["description"]
    assert "to edit not found" in edit(999, "two")["description"]
    assert edit(sent, "two")["result"]["edit_date"]
    assert api.texts(chat) == ["two"]


def test_an_answer_to_a_deleted_message_is_refused_unless_it_may_go_alone(api):
    chat = api.add_private()
    reply = {"message_id": 999}
    assert (
        "to be replied not found"
        in refusal(api, "sendMessage", chat_id=chat, text="x", reply_parameters=reply)[1]
    )
    reply["allow_sending_without_reply"] = True
    assert call(api, "sendMessage", chat_id=chat, text="x", reply_parameters=reply)["ok"]


def test_updates_come_until_an_offset_confirms_them(api):
    chat = api.add_private()
    api.say(chat, "/start order-7")
    api.say(chat, "thanks")
    first, second = call(api, "getUpdates")["result"]
    assert call(api, "getUpdates")["result"] == [first, second]
    left = call(api, "getUpdates", offset=first["update_id"] + 1)["result"]
    assert left == [second]
    assert call(api, "getUpdates", offset=second["update_id"] + 1)["result"] == []


def test_a_long_poll_ends_with_what_arrives_and_a_second_poll_ends_the_first(api):
    chat = api.add_private()
    answers = []
    poll = Thread(target=lambda: answers.append(call(api, "getUpdates", timeout=30)))
    poll.start()
    while not api.updates._polls:
        pass
    api.say(chat, "hello")
    poll.join(10)
    assert answers[0]["result"][0]["message"]["text"] == "hello"
    call(api, "getUpdates", offset=-1)
    call(api, "getUpdates", offset=answers[0]["result"][0]["update_id"] + 1)
    seen = api.updates._polls
    poll = Thread(target=lambda: answers.append(call(api, "getUpdates", timeout=30)))
    poll.start()
    while api.updates._polls == seen:
        pass
    call(api, "getUpdates", offset=-1)
    poll.join(10)
    assert answers[1]["error_code"] == 409


def test_a_webhook_is_called_with_its_secret_until_it_takes_the_update(api):
    seen: list[Request] = []

    def take(request: Request) -> Answer:
        seen.append(request)
        return Answer(500 if len(seen) == 1 else 200)

    with serving(take) as url:
        call(api, "setWebhook", url=f"{url}/hook", secret_token="s3cret_token")
        assert call(api, "getUpdates")["error_code"] == 409
        api.say(api.add_private(), "hello")
        while api.updates.pending():
            pass
        assert call(api, "deleteWebhook")["ok"]
    assert [request.headers["x-telegram-bot-api-secret-token"] for request in seen] == [
        "s3cret_token",
        "s3cret_token",
    ]
    assert seen[1].json()["message"]["text"] == "hello"


def test_a_webhook_without_tls_or_with_a_strange_secret_is_refused():
    with running_bot_api(local=False) as api:
        assert "HTTPS" in refusal(api, "setWebhook", url="http://example.org/hook")[1]
        said = refusal(api, "setWebhook", url="https://example.org/", secret_token="not this!")
        assert "unallowed" in said[1]


def test_a_real_bot_polls_answers_edits_and_sends_documents(api):
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
    from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes

    chat = api.add_private("Ada", "ada")
    done = asyncio.Event()

    async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Check", callback_data="check")]])
        text = f"{update.effective_user.first_name}: {context.args[0]}"
        sent = await update.message.reply_text(text, reply_markup=buttons)
        await sent.reply_document(b"receipt", filename="receipt.txt", caption="Your receipt")
        api.press(api.messages(chat)[0], "check")

    async def pressed(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        await update.callback_query.answer()
        await update.callback_query.edit_message_text("checked")
        done.set()

    async def run() -> None:
        built = Application.builder().token(TOKEN).base_url(f"{api.base_url}/bot")
        app = built.base_file_url(f"{api.base_url}/file/bot").build()
        app.add_handler(CommandHandler("start", start))
        app.add_handler(CallbackQueryHandler(pressed))
        async with app:
            await app.updater.start_polling(timeout=1)
            await app.start()
            api.say(chat, "/start order-7")
            await asyncio.wait_for(done.wait(), 20)
            found = await app.bot.get_chat(chat)
            assert found.username == "ada"
            await app.updater.stop()
            await app.stop()

    asyncio.run(run())
    checked, receipt = api.messages(chat)
    assert checked["text"] == "checked"
    assert receipt["caption"] == "Your receipt"
    assert receipt["document"]["file_name"] == "receipt.txt"
    assert api.called("sendmessage")[0]["text"] == "Ada: order-7"
