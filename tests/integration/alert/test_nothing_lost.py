"""Killed senders and a server that fails at random: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

from fakes.http_server import Answer, Request, serving

from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.settings import AlertSettings

ALERTS = 60
SENDER = """
import sys
from datetime import UTC, datetime
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity
url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings = AlertSettings.model_validate({"channels": {"hook": {"kind": "webhook", "url": url}},
    "storm": {"alerts": 100000}})
with outbox(settings, 2.0) as opened:
    for number in range(first, last):
        with opened.intake() as intake:
            intake.fire(Notice("Many", Severity.WARNING, {"n": str(number)},
                datetime(2026, 1, 2, tzinfo=UTC)))
        print(number, flush=True)
        opened.deliver(0.2)
"""


def test_random_errors_cuts_and_kills_lose_and_double_nothing(state):
    chance = random.Random(7)
    taken: Counter[str] = Counter()
    keys: dict[str, str] = {}
    is_ill = True

    def answer(request: Request) -> Answer:
        number = request.json()["labels"]["n"]
        if is_ill:
            fate = chance.random()
            if fate < 0.2:
                return Answer(500)
            if fate < 0.3:
                return Answer(cut=True)
        identity = request.headers["idempotency-key"]
        if keys.setdefault(identity, number) == number:
            taken[identity] += 1
        # Taken, but the sender never hears of it.
        return Answer(cut=True) if is_ill and chance.random() < 0.1 else Answer(200)

    written: set[int] = set()
    with serving(answer) as url:
        for first in range(0, ALERTS, 10):
            written |= _killed_sender(url, first, first + 10, chance.uniform(0.1, 0.9))
        is_ill = False
        settings = AlertSettings.model_validate(
            {"channels": {"hook": {"kind": "webhook", "url": url}}}
        )
        now = time.time()
        listing.retry((), now, now + 3600)
        with outbox(settings) as opened:
            opened.deliver(30)
    arrived = {int(number) for number in keys.values()}
    assert written <= arrived
    # One message each: a second one would have a key of its own.
    assert len(keys) == len(arrived)
    assert listing.counts().queued == 0


def _killed_sender(url: str, first: int, last: int, after_s: float) -> set[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", SENDER, url, str(first), str(last)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    seen = {int(process.stdout.readline())}
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    return seen | {int(line) for line in process.communicate()[0].splitlines()}
