"""`x0tta pay watch`: a table that is redrawn on a terminal, and a stream everywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from fakes.pay_world import TON_SHOP, world
from fakes.screen import Screen

X0TTA = str(Path(sys.executable).with_name("x0tta"))
pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path, x0tta):
    with world(tmp_path, "tonapi") as made:
        for words in (
            ["wallets", "add", "ton", TON_SHOP],
            ["expect", "add", "N-1", "3", "ton", "--valid-from", "-1h"],
            ["expect", "add", "N-2", "4", "ton", "--valid-from", "-1h"],
        ):
            assert x0tta("pay", *words, "--config", str(made.config)).returncode == 0
        yield made


def test_on_a_terminal_one_table_is_redrawn_and_keeps_the_latest_changes(served, environment):
    screen = Screen(30, 100)
    line = ["pay", "watch", "--every", "1s", "--config", str(served.config)]
    child = pexpect.spawn(X0TTA, line, env=environment, dimensions=(30, 100), encoding="utf-8")

    def read_until(condition: Callable[[str], bool]) -> None:
        end_s = time.monotonic() + 60
        while not condition(screen.text):
            assert time.monotonic() < end_s, screen.text
            screen.feed(child.read_nonblocking(65_536, timeout=30))

    try:
        read_until(lambda text: "2 expected" in text)
        served.pay_ton(3_000_000_000, "N-1")
        read_until(lambda text: "1 expected, 1 paid" in text)
        served.pay_ton(4_000_000_000, "N-2")
        read_until(lambda text: "2 paid" in text)
        assert screen.text.count("ORDERS") == screen.text.count("SOURCE  ") == 1
        rows = [line.split() for line in screen.text.splitlines()]
        assert ["N-1", "expected", "paid"] in rows
        assert ["N-2", "expected", "paid"] in rows
        child.sendintr()
        child.expect(pexpect.EOF, timeout=30)
    finally:
        child.close(force=True)
    assert child.exitstatus == 130


def test_a_pause_that_would_only_spend_requests_is_refused(served, x0tta):
    ended = x0tta("pay", "watch", "--every", "0s", "--config", str(served.config))
    assert ended.returncode == 2
    assert served.fakes["tonapi"].requests == []
