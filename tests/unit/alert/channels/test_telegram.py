"""The channel `telegram` against a Bot API that refuses what the real one refuses."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from fakes.bot_api import running_bot_api
from fakes.bot_api_text import RefusedError
from fakes.http_server import Answer

from x0tta_cli.alert.channels.protocol import open_channel
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.outbox import buckets
from x0tta_cli.alert.outbox.schema import TABLES
from x0tta_cli.alert.settings import TelegramChannel
from x0tta_cli.core.errors import NotPermittedError, UnavailableError
from x0tta_cli.core.journal.tables import transaction
from x0tta_cli.core.notices import Explanation, Notice, Severity

pytestmark = pytest.mark.slow

TOKEN = "987654321:hunter2-telegram-0123456789abcdef"
STARTS_AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
ANNOTATIONS = {"summary": "cart answers slowly"}


def notice(severity="critical", labels=None, annotations=None, **members):
    return Notice(
        members.pop("name", "HighLatency"),
        Severity(severity),
        {"component": "cart"} if labels is None else labels,
        STARTS_AT,
        ANNOTATIONS if annotations is None else annotations,
        **members,
    )


class Told:
    """Delivers as the outbox does: what an outcome says is to be remembered comes back."""

    def __init__(self, channel):
        self.channel = channel
        self.of_channel, self.of_alert = {}, {}
        self.number = 0

    def fire(self, told=None, **members):
        return self._deliver(Action.FIRE, told or notice(), **members)

    def resolve(self, told=None, **members):
        told = told or notice()
        over = Notice(
            told.name,
            told.severity,
            told.labels,
            told.starts_at,
            told.annotations,
            told.starts_at + timedelta(minutes=12),
            told.explanation,
        )
        return self._deliver(Action.RESOLVE, over, **members)

    def acknowledge(self, told=None):
        return self._deliver(Action.ACKNOWLEDGE, told or notice(), lasting_s=7200)

    def again(self, action=Action.FIRE, told=None):
        """Try the same message again."""
        self.number -= 1
        return self._deliver(action, told or notice())

    def _deliver(self, action, told, **members):
        self.number += 1
        message = Message(self.number, told.key(), action, told, memory=self.of_alert, **members)
        [peer] = self.channel.peers()
        [outcome] = self.channel.deliver(peer, [message], self.of_channel)
        if outcome.state is DeliveryState.ACKNOWLEDGED:
            self.of_alert = _kept(self.of_alert, outcome.remember)
        self.of_channel = _kept(self.of_channel, outcome.remember_channel)
        return outcome


def _kept(before, remember):
    return {name: value for name, value in {**before, **remember}.items() if value}


@pytest.fixture
def api():
    with running_bot_api(TOKEN) as running:
        yield running


@pytest.fixture
def telegram(api):
    opened = []

    def make(chat_id, thread_id=None, token=TOKEN):
        settings = TelegramChannel(
            kind="telegram",
            base_url=api.base_url,
            token=token,
            chat_id=chat_id,
            thread_id=thread_id,
        )
        opened.append(open_channel("chat", settings, 2.0))
        return Told(opened[-1])

    yield make
    for channel in opened:
        channel.close()


def test_an_alert_says_what_was_observed_what_was_inferred_and_what_is_not_known(api, telegram):
    chat = api.add_group()
    told = notice(
        explanation=Explanation(("p95 612 ms",), ("the deployment at 02:58",), ("the disk",)),
        runbook_url="https://runbooks.example.org/latency",
    )
    outcome = telegram(chat).fire(told, count=3)
    [message] = api.messages(chat)
    assert message["text"].split("\n") == [
        "\U0001f534 CRITICAL \u00b7 HighLatency",
        "cart answers slowly",
        "",
        "Observed",
        "\u2022 p95 612 ms",
        "",
        "Inferred",
        "\u2022 the deployment at 02:58",
        "",
        "Not known",
        "\u2022 the disk",
        "",
        "Labels",
        "component: cart",
        "",
        "Since 2026-11-25 03:00:00 UTC, received 3 times",
        "Runbook: https://runbooks.example.org/latency",
    ]
    first = message["entities"][0]
    assert first == {"type": "bold", "offset": 0, "length": 25}
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert outcome.detail == f"message {message['message_id']}"
    assert api.called("sendmessage")[0]["link_preview_options"] == {"is_disabled": True}


def test_signs_of_markup_in_labels_and_texts_arrive_as_they_are(api, telegram):
    chat = api.add_private()
    odd = "<b>1 < 2</i> & *x* _y_ [z](http://q) `w`"
    telegram(chat).fire(notice(labels={"path": odd}, annotations={"summary": odd}))
    [text] = api.texts(chat)
    assert text.count(odd) == 2


def test_what_was_loud_is_marked_as_over_and_answered_without_a_sound(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire()
    told.resolve()
    first, answer = api.messages(chat)
    assert first["text"].startswith("\u2705 RESOLVED \u00b7 HighLatency\ncart answers slowly\n")
    assert "It was critical and lasted 12m." in answer["text"]
    assert answer["reply_to_message"]["message_id"] == first["message_id"]
    sounds = [call.get("disable_notification", False) for call in api.called("sendmessage")]
    assert sounds == [False, True]


def test_what_was_not_loud_stays_one_message(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire(notice("warning"))
    for _ in range(2):
        # A repeated edit changes nothing: the server says so, and that is as good.
        assert told.resolve(notice("warning")).state is DeliveryState.ACKNOWLEDGED
    [text] = api.texts(chat)
    assert text.startswith("\u2705 RESOLVED \u00b7 HighLatency")
    assert "Since 2026-11-25 03:00:00 UTC, until 2026-11-25 03:12:00 UTC" in text


def test_another_severity_and_an_acknowledgement_answer_the_first_message(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire(notice("warning"))
    told.fire(notice("critical"))
    told.acknowledge()
    told.resolve(notice("warning"))
    first, *answers = api.messages(chat)
    assert [each["text"].split()[1] for each in answers] == [
        "CRITICAL",
        "ACKNOWLEDGED",
        "RESOLVED",
    ]
    assert {each["reply_to_message"]["message_id"] for each in answers} == {first["message_id"]}
    assert "not told again for 2h" in answers[1]["text"]


def test_a_resolve_is_told_though_somebody_deleted_the_first_message(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire(notice("warning"))
    api.chats[chat].messages.clear()
    assert told.resolve(notice("warning")).state is DeliveryState.ACKNOWLEDGED
    [text] = api.texts(chat)
    assert text.startswith("\u2705 RESOLVED")
    assert "component: cart" in text


def test_a_resolve_of_what_the_chat_never_heard_of_says_all(api, telegram):
    chat = api.add_group()
    telegram(chat).resolve()
    [text] = api.texts(chat)
    assert text.startswith("\u2705 RESOLVED")
    assert "Labels\ncomponent: cart" in text


def long_notice(lines):
    listed = "\n".join(f"{number:05} \U0001f525 line of the log" for number in range(lines))
    return notice(annotations={"summary": "see below", "description": listed})


def test_a_long_text_is_split_at_line_ends_and_loses_nothing(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    outcome = told.fire(long_notice(400))
    texts = api.texts(chat)
    assert len(texts) == 3
    assert all(len(text.encode("utf-16-le")) <= 2 * 4096 for text in texts)
    listed = "\n".join(texts)
    assert all(f"{number:05} \U0001f525 line of the log\n" in listed for number in range(400))
    # Each of the three is long, and counts twice.
    assert outcome.weight == 6
    told.resolve(long_notice(400))
    assert len(api.called("editmessagetext")) == 0
    assert api.messages(chat)[-1]["reply_to_message"]["text"] == texts[0]


def test_what_would_be_many_messages_is_a_file(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire(long_notice(3000))
    [message] = api.messages(chat)
    assert message["caption"].startswith("\U0001f534 CRITICAL \u00b7 HighLatency\nsee below")
    assert "the file has all of it" in message["caption"]
    [call] = api.called("senddocument")
    content = call["document"].content.decode()
    assert all(f"{number:05} \U0001f525 line of the log" in content for number in range(3000))
    assert call["document"].name.startswith("x0tta-HighLatency-")
    assert told.resolve(long_notice(3000)).state is DeliveryState.ACKNOWLEDGED
    assert api.messages(chat)[-1]["text"].startswith("\u2705 RESOLVED")


def test_an_error_between_parts_doubles_none_of_them(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    sent = []

    def fail_behind_the_first(method):
        sent.append(method)
        if len(sent) == 1:
            api.fail(RefusedError(500, "Internal Server Error"), method="sendMessage")

    api.on_call = fail_behind_the_first
    outcome = told.fire(long_notice(400))
    assert outcome.state is DeliveryState.QUEUED
    assert len(api.messages(chat)) == 1
    again = told.again(told=long_notice(400))
    assert again.state is DeliveryState.ACKNOWLEDGED
    assert len(api.messages(chat)) == 3
    assert told.of_channel == {}
    listed = "\n".join(api.texts(chat))
    assert all(listed.count(f"{number:05} \U0001f525") == 1 for number in range(400))


def test_parts_that_arrived_are_brought_up_to_date_when_the_rest_follows(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    api.on_call = lambda method: api.fail(Answer(cut=True), method="sendMessage")
    assert told.fire(long_notice(200)).state is DeliveryState.QUEUED
    api.on_call = lambda method: None
    changed = long_notice(200)
    told.number -= 1
    outcome = told._deliver(Action.FIRE, changed, count=7)
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert len(api.messages(chat)) == 2
    assert "received 7 times" in "\n".join(api.texts(chat))


def test_a_group_that_became_a_supergroup_is_followed_remembered_and_told(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire(notice("warning"))
    new = api.migrate(chat)
    outcome = told.fire(notice(name="Other"))
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert f"Set chat_id = {new}" in outcome.warning
    [text] = api.texts(new)
    assert f"has become the supergroup {new}" in text
    calls = len(api.calls)
    assert told.fire(notice(name="Third")).warning == ""
    assert len(api.calls) == calls + 1
    assert len(api.texts(new)) == 2
    assert "supergroup" not in api.texts(new)[1]


def test_what_was_told_in_the_group_before_is_resolved_in_the_supergroup(api, telegram):
    chat = api.add_group()
    told = telegram(chat)
    told.fire(notice("warning"))
    new = api.migrate(chat)
    for _ in range(3):
        api.say(new, "people talk, and take the numbers")
    assert told.resolve(notice("warning")).state is DeliveryState.ACKNOWLEDGED
    [text] = api.texts(new)
    assert text.startswith("\u2705 RESOLVED")
    assert "component: cart" in text


@pytest.mark.parametrize("way", ["deleted", "closed"])
def test_a_lost_topic_falls_back_to_the_chat_with_a_note(api, telegram, way):
    chat = api.add_group(topics=(42, 43))
    told = telegram(chat, thread_id=42)
    told.fire(notice("warning"))
    if way == "deleted":
        del api.chats[chat].topics[42]
    else:
        api.chats[chat].topics[42] = False
    outcome = told.fire(notice("critical"))
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert "topic 42" in outcome.warning
    first, second = api.messages(chat)
    assert first["message_thread_id"] == 42
    assert "message_thread_id" not in second
    assert "The topic 42, which this is meant for, is lost or closed" in second["text"]
    assert second["text"].startswith("\U0001f534 CRITICAL")


def test_a_topic_that_is_open_again_is_used_again(api, telegram):
    chat = api.add_group(topics=(42,))
    told = telegram(chat, thread_id=42)
    api.chats[chat].topics[42] = False
    told.fire()
    api.chats[chat].topics[42] = True
    told.fire(notice(name="Other"))
    assert api.messages(chat)[1]["message_thread_id"] == 42


def test_a_message_that_silently_fell_out_of_its_topic_is_told_to_the_operator(api, telegram):
    chat = api.add_group(topics=(42,))
    api.chats[chat].topics.clear()
    api.chats[chat].ignores_topics = True
    outcome = telegram(chat, thread_id=42).fire()
    assert outcome.state is DeliveryState.ACKNOWLEDGED
    assert "came into the chat itself" in outcome.warning


def test_the_general_topic_is_the_chat_itself(api, telegram):
    chat = api.add_group(topics=(42,))
    assert telegram(chat, thread_id=1).fire().warning == ""


def test_a_429_is_waited_for_as_long_as_the_server_says(api, telegram):
    chat = api.add_group()
    api.fail(RefusedError(429, "Too Many Requests: retry after 17", retry_after=17))
    outcome = telegram(chat).fire()
    assert (outcome.state, outcome.retry_after_s) == (DeliveryState.QUEUED, 17.0)
    assert "retry after 17" in outcome.detail


@pytest.mark.parametrize(
    ("status", "words", "state", "disables"),
    [
        (400, "Bad Request: message is too long", DeliveryState.REJECTED, False),
        (413, "Request Entity Too Large", DeliveryState.REJECTED, False),
        (403, "Forbidden: bot was kicked from the group chat", DeliveryState.QUEUED, True),
        (401, "Unauthorized", DeliveryState.QUEUED, True),
        (404, "Not Found", DeliveryState.QUEUED, True),
        (400, "Bad Request: chat not found", DeliveryState.QUEUED, True),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            DeliveryState.QUEUED,
            True,
        ),
        (500, "Internal Server Error", DeliveryState.QUEUED, False),
        (502, "Bad Gateway", DeliveryState.QUEUED, False),
    ],
)
def test_what_is_refused_for_good_is_told_apart_from_what_may_pass(
    api, telegram, status, words, state, disables
):
    api.fail(RefusedError(status, words))
    outcome = telegram(api.add_group()).fire()
    assert (outcome.state, outcome.disables) == (state, disables)
    assert words in outcome.detail


@pytest.mark.parametrize(
    "answer", [Answer(502, b"<html>"), Answer(200, b"[]"), Answer(302), Answer(200, b'{"ok":true}')]
)
def test_what_is_no_answer_of_a_bot_api_is_tried_again(api, telegram, answer):
    api.fail(answer)
    outcome = telegram(api.add_group()).fire()
    assert outcome.state is DeliveryState.QUEUED
    assert "no answer of a Bot API" in outcome.detail


def test_no_error_shows_the_token(api, telegram):
    told = telegram(api.add_group())
    api.fail(RefusedError(401, f"Unauthorized: {TOKEN} {TOKEN.partition(':')[2]}"))
    assert "hunter2" not in told.fire().detail
    api.fail(Answer(cut=True))
    with pytest.raises(UnavailableError) as caught:
        told.fire()
    shown = f"{caught.value} {caught.value.reason} {caught.value.problem()}"
    assert "hunter2" not in shown
    assert "sendMessage" in shown


def test_the_limits_name_chat_and_bot_and_no_secret(api, telegram):
    group = api.add_group()
    scopes = [limit.scope for limit in telegram(group).channel.traits.limits]
    assert scopes == [
        f"telegram-chat:{group}",
        "telegram-bot:987654321",
        f"telegram-group:{group}",
    ]
    person = telegram(api.add_private(), token="hunter2-without-a-colon")
    assert not any("hunter" in limit.scope for limit in person.channel.traits.limits)
    assert len(person.channel.traits.limits) == 2


def test_reaching_names_bot_and_chat_and_tells_nobody(api, telegram):
    chat = api.add_group("Night shift")
    told = telegram(chat)
    assert told.channel.reach("") == "@mesh_bot in Night shift"
    assert api.messages(chat) == []
    new = api.migrate(chat)
    assert str(new) in told.channel.reach("")
    with pytest.raises(NotPermittedError) as caught:
        telegram(chat, token="1:hunter2-wrong").channel.reach("")
    assert caught.value.code == "alert.not_permitted"
    assert "hunter2" not in str(caught.value.problem())


def test_no_minute_of_a_group_has_more_than_twenty_messages(api, telegram, state):
    limits = telegram(api.add_group()).channel.traits.limits
    sent, now = [], 0.0
    with closing(TABLES.open()) as connection, transaction(connection):
        while len(sent) < 60:
            granted, wait_s = buckets.take(connection, limits, 1, now)
            sent += [now] * granted
            now += max(wait_s, 0.001)
    assert max(sum(0 <= other - one < 60 for other in sent) for one in sent) <= 20
    assert min(later - one for one, later in pairwise(sent)) >= 0.999
    # A full minute's worth is used all the same.
    assert sent[-1] - sent[0] <= 60 * 60 / 15


def test_long_messages_leave_less_for_those_behind_them(api, telegram, state):
    limits = telegram(api.add_group()).channel.traits.limits
    with closing(TABLES.open()) as connection, transaction(connection):
        assert buckets.take(connection, limits, 1, 0.0) == (1, 0.0)
        buckets.charge(connection, limits, 5)
        granted, wait_s = buckets.take(connection, limits, 1, 3.0)
    # Six of five are used, and three seconds have given back less than one.
    assert granted == 0
    assert wait_s == pytest.approx(5.0)
