"""Lines of `x0tta pay`, over simulated chains."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from command_lines.line import X0TTA, Line, Lines, Place
from fakes.bot_api import TOKEN as BOT_TOKEN
from fakes.bot_api import running_bot_api
from fakes.pay_world import PAYER, SHOP, World, world

# The state of a till, made once a process: its commands take seconds.
prepared: dict[str, Path] = {}
lock = Lock()


@contextmanager
def till(place: Place) -> Iterator[World]:
    """The wallet `shop`, and the order A-1 that nobody has paid."""
    with world(place.folder) as made:
        place.configure(made.config.read_text())
        state = place.environment["X0TTA_STATE_DIR"]
        with lock:
            if "till" not in prepared:
                prepare(place, made)
                prepared["till"] = Path(tempfile.mkdtemp()) / "state"
                shutil.copytree(state, prepared["till"])
        shutil.copytree(prepared["till"], state, dirs_exist_ok=True)
        yield made


def prepare(place: Place, made: World) -> None:
    """Add the wallet and the orders A-1, and P-1 which is paid, by commands."""

    def pay(*words: str) -> dict[str, Any]:
        ended = place.run(X0TTA, "pay", *words, "--yes", "-o", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)  # type: ignore[no-any-return]

    pay("wallets", "add", "usdt-trc20", SHOP, "--name", "shop")
    pay("expect", "add", "A-1", "12.5", "usdt-trc20", "--valid-from", "-1h")
    paid = pay("expect", "add", "P-1", "40", "usdt-trc20", "--valid-from", "-1h")
    made.pay_tron(int(paid["amount"]))
    pay("reconcile")


@contextmanager
def bot(place: Place) -> Iterator[None]:
    """A bot is configured, with a token that nobody may read."""
    with till(place), running_bot_api() as api:
        place.configure(f'[pay.bot]\napi_url = "{api.base_url}"\ntoken = {{ env = "BOT" }}\n')
        place.environment["BOT"] = BOT_TOKEN
        yield


@contextmanager
def orders_to_import(place: Place) -> Iterator[None]:
    """`{folder}/orders.csv` has another order."""
    (place.folder / "orders.csv").write_text("order,amount,asset\nA-2,3,usdt-trc20\n")
    with till(place):
        yield


UNKNOWN = "pay.unknown_order"
LINES = {
    "pay wallets add": Lines(
        Line(f"pay wallets add usdt-trc20 {PAYER} --name till --yes", around=till, extra="pay"),
        Line("pay wallets add usdt-trc20 nothing --yes", 2, around=till),
    ),
    "pay wallets list": Lines(
        Line("pay wallets list", around=till, extra="pay"),
        Line("pay wallets list --fields nam", 2, "usage.unknown_field"),
    ),
    "pay wallets check": Lines(
        Line("pay wallets check", around=till, extra="pay"),
        Line("pay wallets check --fields nam", 2, "usage.unknown_field"),
    ),
    "pay expect add": Lines(
        Line("pay expect add A-2 3 usdt-trc20 --yes", around=till, extra="pay"),
        Line("pay expect add A-2 much usdt-trc20 --yes", 2, around=till),
    ),
    "pay expect import": Lines(
        Line("pay expect import {folder}/orders.csv --yes", around=orders_to_import, extra="pay"),
        Line("pay expect import {folder}/nothing.csv --yes", 4, around=till),
    ),
    "pay expect list": Lines(
        Line("pay expect list", around=till, extra="pay"),
        Line("pay expect list --fields nam", 2, "usage.unknown_field"),
    ),
    "pay expect cancel": Lines(
        Line("pay expect cancel A-1 --yes", around=till, extra="pay"),
        Line("pay expect cancel nothing --yes", 4, UNKNOWN, around=till),
    ),
    "pay list": Lines(
        Line("pay list", around=till, extra="pay"),
        Line("pay list --state happy", 2, around=till),
    ),
    "pay unmatched": Lines(
        Line("pay unmatched", around=till, extra="pay"),
        Line("pay unmatched --fields nam", 2, "usage.unknown_field"),
    ),
    "pay show": Lines(
        Line("pay show A-1", around=till, extra="pay"),
        Line("pay show nothing", 4, UNKNOWN, around=till),
    ),
    "pay refund": Lines(
        Line("pay refund P-1 --tx " + "ab" * 32 + " --yes", around=till, extra="pay"),
        Line("pay refund nothing --tx " + "ab" * 32 + " --yes", 4, UNKNOWN, around=till),
    ),
    "pay reconcile": Lines(
        Line("pay reconcile --yes", around=till, extra="pay"),
        Line("pay reconcile --wallet nothing --yes", 4, "pay.no_such_wallet", around=till),
    ),
    "pay verify": Lines(
        Line("pay verify A-1 --yes", 3, around=till, extra="pay"),
        Line("pay verify nothing --yes", 4, UNKNOWN, around=till),
    ),
    "pay audit": Lines(
        Line("pay audit", around=till, extra="pay"),
        Line("pay audit --fields nam", 2, "usage.unknown_field"),
    ),
    "pay export": Lines(
        Line("pay export {folder}/orders.csv", around=till, extra="pay"),
        Line("pay export {folder}/orders.xyz", 2, around=till),
    ),
    "pay report": Lines(
        Line("pay report --period 2026-11", around=till, extra="pay"),
        Line("pay report --period november", 2, "pay.bad_period", around=till),
    ),
    "pay watch": Lines(
        Line(
            "pay watch --every 1h --yes",
            143,
            around=till,
            stop_after="trongrid",
            streams=True,
            slow=True,
            extra="pay",
        ),
        Line("pay watch --every soon --yes", 2, "times.bad_duration", around=till),
    ),
    "pay bot": Lines(
        Line(
            "pay bot --dry-run",
            around=bot,
            silent=True,
        ),
        Line("pay bot --yes", 9, "pay.bot_not_configured", around=till),
    ),
}
