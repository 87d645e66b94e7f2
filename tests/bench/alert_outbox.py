"""The outbox under load, beside `amtool alert add` in a loop on the same machine in the same run.

    alert_outbox.py [--size 1.0]

Prints alerts a second through the outbox (each on the disk before it is sent, each read back at
a real Alertmanager), amtool's, and their ratio; and the share of one core that renewing all open
alerts once a minute takes, with the memory over a simulated hour. Ends with 1 when a bar is missed
in a full run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from x0tta_cli.alert.outbox import listing
from x0tta_cli.alert.outbox.delivery import outbox
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity

TESTBED = Path(__file__).parents[2] / "scripts" / "testbed" / "alertmanager"
ALERTS = 10_000
AMTOOL_RUNS = 200
FULL_BATCH = 100
RATIO_BAR, SHARE_BAR = 10.0, 0.05


def settings(kind: str, **members: object) -> AlertSettings:
    return AlertSettings.model_validate(
        {
            "channels": {"one": {"kind": kind, **members}},
            "storm": {"alerts": 1_000_000},
            "collapse_within": "PT60S",
        }
    )


def notices(first: int, last: int) -> list[Notice]:
    began = datetime(2026, 1, 2, tzinfo=UTC)
    return [
        Notice("Load", Severity.WARNING, {"n": str(n)}, began, {"summary": f"number {n}"})
        for n in range(first, last)
    ]


def through_outbox(url: str, count: int) -> float:
    """Seconds from the first alert taken in to the last one read back."""
    began = time.perf_counter()
    with outbox(settings("alertmanager", urls=(url,))) as opened:
        for first in range(0, count, FULL_BATCH):
            with opened.intake() as intake:
                for notice in notices(first, min(count, first + FULL_BATCH)):
                    intake.fire(notice)
        opened.deliver(600)
    assert listing.counts().queued == 0
    return time.perf_counter() - began


def one_by_one(url: str, count: int) -> float:
    """Seconds where each alert is its own transaction and its own delivery."""
    began = time.perf_counter()
    with outbox(settings("alertmanager", urls=(url,))) as opened:
        for notice in notices(1_000_000, 1_000_000 + count):
            with opened.intake() as intake:
                intake.fire(notice)
            opened.deliver(60)
    return time.perf_counter() - began


def through_amtool(url: str, count: int) -> float:
    began = time.perf_counter()
    for number in range(count):
        subprocess.run(
            ["amtool", "--alertmanager.url", url, "alert", "add", "Peer", f"n={number}"],
            check=True,
        )
    return time.perf_counter() - began


def renewal_share(url: str) -> tuple[int, float, list[int]]:
    """How many are renewed, the CPU share at once a minute, memory (KiB) over simulated time."""
    clock = [time.time()]
    memory = []
    from x0tta_cli.alert.outbox.delivery import Outbox

    opened = Outbox(settings("alertmanager", urls=(url,)), clock=lambda: clock[0])
    used = time.process_time()
    rounds = renewed = 0
    for rounds in range(1, 61):
        clock[0] += 60
        renewed = opened.renew()
        opened.keep_up()
        if rounds in {10, 60}:
            memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    opened.close()
    return renewed, (time.process_time() - used) / (rounds * 60), memory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size
    count = max(100, int(ALERTS * size))
    with tempfile.TemporaryDirectory() as folder:
        server = [str(TESTBED), "up", "--dir", f"{folder}/server"]
        url = subprocess.run(server, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        try:
            os.environ["X0TTA_STATE_DIR"] = f"{folder}/state"
            runs = max(10, int(AMTOOL_RUNS * size))
            peer = runs / through_amtool(url, runs)
            rate = count / through_outbox(url, count)
            single = runs / one_by_one(url, runs)
            with urllib.request.urlopen(f"{url}/api/v2/alerts?filter=alertname%3DLoad") as answer:
                there = len(json.load(answer))
            renewed, share, memory = renewal_share(url)
        finally:
            subprocess.run([str(TESTBED), "down", "--dir", f"{folder}/server"], check=True)
    assert there == count + runs, (there, count, runs)
    print(f"outbox          {rate:8.0f} alerts/s, in batches; {single:.0f}/s one by one")
    print(f"amtool          {peer:8.0f} alerts/s")
    print(f"ratio           {rate / peer:8.1f} in batches, {single / peer:.1f} one by one")
    print(f"renewal         {renewed:8d} alerts, {share:.2%} of a core at once a minute")
    early, late = (kibibytes / 1024 for kibibytes in memory)
    print(f"memory          {early:8.0f} MiB after 10 minutes, {late:.0f} after 60")
    held = rate / peer >= RATIO_BAR and share < SHARE_BAR
    return 1 if size == 1 and not held else 0


if __name__ == "__main__":
    sys.exit(main())
