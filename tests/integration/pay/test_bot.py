"""The bot, as a process, against the Bot API: who asks, gets their own orders and no others."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.bot_api import BotApi, running_bot_api

from x0tta_cli.pay.addresses.ton import friendly

X0TTA = str(Path(sys.executable).with_name("x0tta"))
SECRET = "a-secret-that-telegram-sends"


@pytest.fixture
def api() -> Iterator[BotApi]:
    with running_bot_api() as running:
        yield running


def configure(served, api, tmp_path, **more: str) -> None:
    token = tmp_path / "token"
    token.write_text(api.token)
    token.chmod(0o600)
    lines = [f'[pay.bot]\napi_url = "{api.base_url}"', f'token = {{ file = "{token}" }}']
    lines += [f"{name} = {value}" for name, value in more.items()]
    served.config.write_text(served.config.read_text() + "\n" + "\n".join(lines) + "\n")


@contextmanager
def bot(served, state, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            [X0TTA, "pay", "bot", "--config", str(served.config), "--debug"],
            env=os.environ | {"X0TTA_STATE_DIR": str(state)},
            stdout=file,
            stderr=file,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 143, log.read_text()


def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_a_deep_link_shows_what_to_send_and_only_to_its_first_asker(
    shop, served, api, state, tmp_path
):
    configure(served, api, tmp_path)
    order = shop.expect("N-1", 3 * 10**9, memo="_invoice_ *1*")
    ada, eve = api.add_private("Ada"), api.add_private("Eve")
    with bot(served, state, tmp_path / "log"):
        api.say(ada, "/start N-1")
        until(lambda: len(api.texts(ada)) == 1)
        api.say(eve, "/pay N-1")
        api.say(eve, "/pay N-2")
        api.say(eve, "/status")
        until(lambda: len(api.texts(eve)) == 3)
        api.say(ada, "/status")
        api.say(ada, "/help")
        until(lambda: len(api.texts(ada)) == 3)
    [shown, status, _] = api.texts(ada)
    assert "Send exactly 3 TON to" in shown
    # As wallets take it: user-friendly, and not to be bounced.
    wallet = friendly(order.wallet, is_bounceable=False)
    assert wallet in shown
    # What is somebody else's text is an entity, and never markup.
    [message, *_] = api.messages(ada)
    pieces = [shown[one["offset"] : one["offset"] + one["length"]] for one in message["entities"]]
    assert pieces == ["N-1", "3", wallet, "_invoice_ *1*"]
    assert status == "N-1: not paid yet"
    foreign, unknown, none = api.texts(eve)
    assert foreign == unknown == "There is no such order of yours."
    assert "no orders" in none
    assert api.token.partition(":")[2] not in (tmp_path / "log").read_text()


def test_nobody_is_asked_to_pay_an_order_whose_time_is_over(shop, served, api, state, tmp_path):
    configure(served, api, tmp_path)
    shop.expect("N-1", 3 * 10**9, end=datetime.now(UTC) - timedelta(minutes=1))
    ada = api.add_private("Ada")
    with bot(served, state, tmp_path / "log"):
        api.say(ada, "/pay N-1")
        until(lambda: len(api.texts(ada)) == 1)
    [said] = api.texts(ada)
    assert "time is over" in said
    assert "Send" not in said


def test_in_a_group_it_says_nothing_about_orders(shop, served, api, state, tmp_path):
    configure(served, api, tmp_path)
    shop.expect("N-1", 3 * 10**9)
    group, ada = api.add_group(), api.add_private("Ada")
    with bot(served, state, tmp_path / "log"):
        api.say(group, "/pay N-1", user_id=ada)
        until(lambda: len(api.texts(group)) == 1)
    assert "private" in api.texts(group)[0]


def test_by_webhook_an_update_without_the_secret_is_refused(shop, served, api, state, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    url = f"http://127.0.0.1:{port}/telegram"
    configure(
        served,
        api,
        tmp_path,
        webhook_url=f'"{url}"',
        webhook_secret=f'{{ file = "{secret}" }}',
        listen=f'"127.0.0.1:{port}"',
    )
    shop.expect("N-1", 3 * 10**9)
    ada = api.add_private("Ada")
    with bot(served, state, tmp_path / "log"):
        until(lambda: bool(api.called("setwebhook")))
        forged = urllib.request.Request(
            url,
            data=json.dumps({"update_id": 1}).encode(),
            headers={"X-Telegram-Bot-Api-Secret-Token": "guessed"},
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(forged)
        assert refused.value.code == 401
        api.say(ada, "/pay N-1")
        until(lambda: len(api.texts(ada)) == 1)
    assert "Send exactly 3 TON" in api.texts(ada)[0]


def test_who_has_asked_is_told_once_that_it_is_paid(shop, served, api, state, tmp_path):
    configure(served, api, tmp_path)
    ada = api.add_private("Ada")
    shop.expect("N-1", 3 * 10**9)
    with bot(served, state, tmp_path / "log"):
        api.say(ada, "/pay N-1")
        until(lambda: len(api.texts(ada)) == 1)
    served.pay_ton(3 * 10**9, "N-1")
    for _ in range(2):
        done = subprocess.run(
            [X0TTA, "pay", "reconcile", "--push", "--config", str(served.config)],
            env=os.environ | {"X0TTA_STATE_DIR": str(state)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert api.texts(ada)[1:] == ["Thank you: order N-1 is paid."]


def test_a_customer_who_could_not_be_told_is_told_by_the_next_run(
    shop, served, api, state, tmp_path
):
    from x0tta_cli.pay.bot.push import push_paid
    from x0tta_cli.pay.ledger import customers

    configure(served, api, tmp_path)
    ada = api.add_private("Ada")
    shop.expect("N-1", 3 * 10**9)
    with shop.ledger.writing() as connection:
        customers.take(connection, "N-1", ada)
    served.pay_ton(3 * 10**9, "N-1")
    shop.reconcile()
    from fakes.bot_api_text import RefusedError

    api.fail(RefusedError(502, "Bad Gateway"), times=1)
    assert push_paid(shop.ledger, shop.settings().bot) == 0
    assert push_paid(shop.ledger, shop.settings().bot) == 1
    assert push_paid(shop.ledger, shop.settings().bot) == 0
    assert api.texts(ada) == ["Thank you: order N-1 is paid."]


def test_an_answer_with_200_that_is_not_telegram_s_tells_nobody(shop, served, api, state, tmp_path):
    from fakes.http_server import Answer, serving

    from x0tta_cli.pay.bot.push import push_paid
    from x0tta_cli.pay.ledger import customers

    configure(served, api, tmp_path)
    ada = api.add_private("Ada")
    shop.expect("N-1", 3 * 10**9)
    with shop.ledger.writing() as connection:
        customers.take(connection, "N-1", ada)
    served.pay_ton(3 * 10**9, "N-1")
    shop.reconcile()
    settings = shop.settings().bot
    for page in (b"<html>log in</html>", b'{"ok": false}', b"[]"):
        with serving(lambda _request, page=page: Answer(200, page)) as url:
            assert push_paid(shop.ledger, settings.model_copy(update={"api_url": url})) == 0
    assert push_paid(shop.ledger, settings) == 1
