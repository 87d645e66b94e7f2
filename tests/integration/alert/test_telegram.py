"""Telegram behind the real outbox: what is remembered, what the others tell, and how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from fakes.bot_api import running_bot_api
from fakes.bot_api_text import RefusedError
from fakes.pagerduty import ROUTING_KEY, running_pagerduty

from x0tta_cli.alert.model import DeliveryState
from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import Outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity

TOKEN = "987654321:hunter2-telegram-0123456789abcdef"


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def api():
    with running_bot_api(TOKEN, chat_burst=1000) as running:
        yield running


@pytest.fixture
def page():
    with running_pagerduty() as running:
        yield running


@pytest.fixture
def open_outbox(state, api, clock):
    opened = []

    def make(chat, others=None, **settings):
        telegram = {"kind": "telegram", "base_url": api.base_url, "token": TOKEN, "chat_id": chat}
        channels = {"chat": telegram, **(others or {})}
        model = AlertSettings.model_validate({"channels": channels, **settings})
        opened.append(Outbox(model, 5.0, clock, clock.advance))
        return opened[-1]

    yield make
    for outbox in opened:
        outbox.close()


def pagerduty(page):
    return {"page": {"kind": "pagerduty", "base_url": page.base_url, "routing_key": ROUTING_KEY}}


def notice(name="HighLatency", severity="warning", **labels):
    starts_at = datetime(2026, 11, 25, 3, tzinfo=UTC)
    return Notice(name, Severity(severity), labels, starts_at, {"summary": "slow"})


def fire(outbox, *notices):
    with outbox.intake() as intake:
        return [intake.fire(each) for each in notices]


def resolve(outbox, each):
    with outbox.intake() as intake:
        return intake.resolve(each.key())


def heads(api, chat):
    return [text.split("\n")[0].partition(" ")[2] for text in api.texts(chat)]


def test_the_first_message_is_remembered_by_the_next_process(api, open_outbox):
    chat = api.add_private()
    outbox = open_outbox(chat)
    fire(outbox, notice())
    outbox.deliver(5)
    outbox.close()
    later = open_outbox(chat)
    resolve(later, notice())
    later.deliver(5)
    assert heads(api, chat) == ["RESOLVED \u00b7 HighLatency"]


def test_the_new_id_of_a_group_is_remembered_by_the_next_process(api, open_outbox):
    chat = api.add_group()
    new = api.migrate(chat)
    outbox = open_outbox(chat)
    fire(outbox, notice())
    outbox.deliver(5)
    assert [f"Set chat_id = {new}" in warning for warning in outbox.warnings] == [True]
    outbox.close()
    later = open_outbox(chat)
    calls = len(api.calls)
    fire(later, notice("Other"))
    later.deliver(5)
    assert len(api.calls) == calls + 1
    assert heads(api, new) == ["WARNING \u00b7 HighLatency", "WARNING \u00b7 Other"]


def test_what_is_refused_for_good_is_told_by_the_other_channel_and_never_resolved_here(
    api, page, open_outbox
):
    chat = api.add_private()
    outbox = open_outbox(chat, pagerduty(page))
    api.fail(RefusedError(400, "Bad Request: message is too odd"))
    fire(outbox, notice())
    outbox.deliver(5)
    [dead] = listing.rows((DeliveryState.DEAD,))
    assert (dead.channel, dead.detail) == ("chat", "400 Bad Request: message is too odd")
    outbox.deliver(5)
    told = [event["payload"]["summary"] for event in page.events]
    assert any("message is too odd" in summary for summary in told)
    resolve(outbox, notice())
    outbox.deliver(5)
    assert heads(api, chat) == []


def test_a_server_that_throttles_without_end_is_told_of_by_the_other_channel(
    api, page, open_outbox, clock
):
    chat = api.add_private()
    outbox = open_outbox(chat, pagerduty(page))
    page.fail(429, times=1000)
    fire(outbox, notice())
    for _ in range(6):
        outbox.deliver(5)
        clock.advance(200)
    assert any("AlertChannelDown" in head for head in heads(api, chat))
    # Minutes lie between tries, not seconds.
    assert 1000 - len(page._failures) <= 6
    page._failures.clear()
    clock.advance(2000)
    outbox.deliver(5)
    outbox.deliver(5)
    assert [alert.key for alert in page.open_alerts()] == [notice().key()]


def test_a_row_and_what_is_remembered_have_no_secret(api, open_outbox, state):
    chat = api.add_group()
    new = api.migrate(chat)
    outbox = open_outbox(chat)
    fire(outbox, notice())
    outbox.deliver(5)
    outbox.close()
    kept = b"".join(file.read_bytes() for file in state.glob("journal*"))
    assert str(new).encode() in kept
    assert b"hunter2" not in kept


def test_alerts_at_once_go_out_one_a_second_and_the_worst_goes_first(api, open_outbox, clock):
    chat = api.add_private()
    outbox = open_outbox(chat)
    fire(outbox, *(notice(severity="info", n=str(number)) for number in range(9)))
    fire(outbox, notice("Worst", "critical"))
    began = clock.now
    outbox.deliver(30)
    assert len(heads(api, chat)) == 10
    assert heads(api, chat)[0] == "CRITICAL \u00b7 Worst"
    # By the clock that pauses wind: ten messages have nine seconds between them.
    assert clock.now - began >= 8.99


def test_a_storm_is_one_notice_in_the_chat(api, open_outbox, clock):
    chat = api.add_private()
    outbox = open_outbox(chat, storm={"alerts": 5})
    fire(outbox, *(notice(n=str(number)) for number in range(40)))
    for _ in range(3):
        outbox.deliver(5)
    assert len([head for head in heads(api, chat) if "AlertStorm" in head]) == 1
    assert len(heads(api, chat)) == 6
    clock.advance(600)
    outbox.keep_up()
    outbox.deliver(5)
    storm = next(text for text in api.texts(chat) if "RESOLVED \u00b7 AlertStorm" in text)
    assert "35 alerts were held back" in storm
