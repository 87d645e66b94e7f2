"""What random errors, cut connections and killed senders lose and double of many alerts.

    alert_faults.py [--size 1.0] [--faults 0.02] [--ill 150]

Each alert goes through the outbox to a webhook that answers one request in fifty (or another
share) wrongly: half of them with an error, the others with nothing, before or after it has taken
the alert; the processes that send are killed after a moment. What is left then is delivered over
the same bad line for so many seconds, and at last over a good one. Counts alerts that never came,
and those that came under more than one key. Ends with 1 where a full run has lost or doubled one.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.http_server import Answer, Request, serving

from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity

ALERTS, LONGEST_LIFE_S = 10_000, 4.0


def settings(url: str) -> AlertSettings:
    channels = {"one": {"kind": "webhook", "url": url}}
    return AlertSettings.model_validate({"channels": channels, "storm": {"alerts": 1_000_000}})


def notices(first: int, last: int) -> list[Notice]:
    began = datetime(2026, 1, 2, tzinfo=UTC)
    return [
        Notice("Load", Severity.WARNING, {"n": str(n)}, began, {"summary": f"number {n}"})
        for n in range(first, last)
    ]


SENDER = """
import sys
sys.path.insert(0, sys.argv[1])
from alert_faults import notices, settings
from x0tta_cli.alert.outbox.delivery import outbox
with outbox(settings(sys.argv[2]), 2.0) as opened:
    for first in range(int(sys.argv[3]), int(sys.argv[4]), 100):
        with opened.intake() as intake:
            for notice in notices(first, min(first + 100, int(sys.argv[4]))):
                intake.fire(notice)
        print(min(first + 100, int(sys.argv[4])), flush=True)
        opened.deliver(5)
"""


class Receiver:
    """Takes alerts, by their idempotency keys, over a line that is bad as long as `is_ill`."""

    def __init__(self, share: float) -> None:
        self.keys: dict[str, str] = {}
        self.is_ill, self.faults, self._share = True, 0, share
        self._chance = random.Random(7)

    def answer(self, request: Request) -> Answer:
        # Below 1 it is a fault, of which it says the kind.
        fate = self._chance.random() / self._share if self.is_ill else 1.0
        self.faults += fate < 1.0
        if fate < 0.5:
            return Answer(500)
        if fate < 0.75:
            return Answer(cut=True)
        self.keys[request.headers["idempotency-key"]] = request.json()["labels"]["n"]
        return Answer(cut=True) if fate < 1.0 else Answer(200)


def send_through_kills(url: str, count: int) -> int:
    """Send all, by processes that are killed one after the other; gives how many."""
    chance, done, kills = random.Random(8), 0, 0
    while done < count:
        span = [str(done), str(min(count, done + 1000))]
        process = subprocess.Popen(
            [sys.executable, "-c", SENDER, str(Path(__file__).parent), url, *span],
            stdout=subprocess.PIPE,
            text=True,
        )
        done = int(process.stdout.readline())
        time.sleep(chance.uniform(0.2, LONGEST_LIFE_S))
        process.send_signal(signal.SIGKILL)
        kills += 1
        done = max([done, *map(int, process.communicate()[0].split())])
    return kills


def measure(count: int, share: float, ill_s: float) -> tuple[Receiver, int]:
    """Give what arrived, and how many senders were killed."""
    receiver = Receiver(share)
    with serving(receiver.answer) as url:
        kills = send_through_kills(url, count)
        with outbox(settings(url)) as opened:
            deadline = time.monotonic() + ill_s
            while listing.counts().queued and time.monotonic() < deadline:
                opened.deliver(5)
                time.sleep(0.1)
            receiver.is_ill = False
            now = time.time()
            listing.retry((), now, now + 3600)
            opened.deliver(600)
    return receiver, kills


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--faults", type=float, default=0.02)
    parser.add_argument("--ill", type=float, default=150.0)
    given = parser.parse_args()
    size = given.size
    count = max(100, int(ALERTS * size))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["X0TTA_STATE_DIR"] = folder
        began = time.perf_counter()
        receiver, kills = measure(count, given.faults, given.ill)
        took_s = time.perf_counter() - began
    arrived = set(receiver.keys.values())
    lost = len({str(n) for n in range(count)} - arrived)
    doubled = len(receiver.keys) - len(arrived)
    print(
        f"faults          {count:8d} alerts, {receiver.faults} faults, {kills} senders killed, "
        f"{took_s:.0f} s"
    )
    print(f"lost            {lost:8d}, doubled {doubled}")
    return 1 if size == 1 and (lost or doubled) else 0


if __name__ == "__main__":
    sys.exit(main())
