"""A storm: one real Alertmanager tells `alert serve` of every alert by itself, all at once.

    alert_storm.py [--size 1.0]

The route is that of `alert rules render`, each alert a group of its own, so that Alertmanager opens
a connection for each, many more than the listener serves at once. Prints how long it took until
all were on the disk, and until a webhook was told of all; counts what was lost and doubled. Ends
with 1 where a full run has lost or doubled one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.http_server import Answer, Request, serving

from x0tta_cli.alert.outbox import listing

TESTBED = Path(__file__).parents[2] / "scripts" / "testbed" / "alertmanager"
X0TTA = str(Path(sys.executable).with_name("x0tta"))
ALERTS, PATIENCE_S = 10_000, 400.0
CONFIGURATION = """\
route: {{receiver: serve, group_by: ['...'], group_wait: 1s, group_interval: 10s}}
receivers: [{{name: serve, webhook_configs: [{{url: '{url}'}}]}}]
"""


@contextmanager
def alert_serve(folder: Path, hook: str) -> Iterator[str]:
    """Run `x0tta alert serve`, which tells a webhook of each alert; yields where it takes them."""
    file = folder / "x0tta.toml"
    file.write_text(
        f'[alert.channels.hook]\nkind = "webhook"\nurl = "{hook}"\n'
        "[alert.storm]\nalerts = 1000000\n"
    )
    line = [X0TTA, "alert", "serve", "--listen", "127.0.0.1:0", "--config", str(file)]
    with (folder / "log").open("w+") as log, subprocess.Popen(line, stderr=log) as process:
        try:
            while "url=" not in (said := (folder / "log").read_text()):
                assert process.poll() is None, said
                time.sleep(0.05)
            yield said.splitlines()[0].rpartition("url=")[2]
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    configuration = folder / "alertmanager.yml"
    configuration.write_text(CONFIGURATION.format(url=receiver))
    environ = os.environ | {"ALERTMANAGER_CONFIGURATION": str(configuration)}
    place = ["--dir", str(folder / "server")]
    up = subprocess.run(
        [str(TESTBED), "up", *place], check=True, stdout=subprocess.PIPE, text=True, env=environ
    )
    try:
        yield up.stdout.strip()
    finally:
        subprocess.run([str(TESTBED), "down", *place], check=True)


def post(url: str, count: int) -> None:
    now = datetime.now(UTC)
    alerts = [
        {
            "labels": {"alertname": "Storm", "severity": "warning", "n": str(n)},
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
        }
        for n in range(count)
    ]
    request = urllib.request.Request(
        f"{url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request).close()


def measure(count: int, folder: Path) -> tuple[float, float, Counter[str]]:
    """Seconds until all were taken in, and until the webhook was told of all or patience ended."""
    told: Counter[str] = Counter()

    def answer(request: Request) -> Answer:
        told[request.json()["labels"]["n"]] += 1
        return Answer(200)

    os.environ["X0TTA_STATE_DIR"] = str(folder / "state")
    with (
        serving(answer) as hook,
        alert_serve(folder, hook) as receiver,
        alertmanager(folder, receiver) as url,
    ):
        began = time.monotonic()
        post(url, count)
        taken_s = told_s = 0.0
        while not told_s and time.monotonic() - began < PATIENCE_S:
            time.sleep(0.2)
            if not taken_s and listing.counts().open == count:
                taken_s = time.monotonic() - began
            if taken_s and len(told) == count and not listing.counts().queued:
                told_s = time.monotonic() - began
    return taken_s, told_s, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size
    count = max(100, int(ALERTS * size))
    with tempfile.TemporaryDirectory() as folder:
        taken_s, told_s, told = measure(count, Path(folder))
    lost = count - len(told)
    doubled = sum(times > 1 for times in told.values())
    print(f"storm           {count:8d} notifications of one alert each, at once")
    print(f"taken           {taken_s:8.1f} s until all were on the disk")
    print(f"told            {told_s:8.1f} s until a webhook was told of each")
    print(f"lost            {lost:8d}, doubled {doubled}")
    return 1 if size == 1 and (lost or doubled) else 0


if __name__ == "__main__":
    sys.exit(main())
