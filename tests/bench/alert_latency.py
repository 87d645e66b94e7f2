"""How long an alert is on its way, beside `amtool alert add`, in interleaved rounds.

    alert_latency.py [--size 1.0]

From the start of the command to the server's 200: `x0tta alert send`, `amtool alert add`, and what
x0tta takes to start (`alert send --dry-run`: the command is read, the configuration too, and
nothing is written or sent). From `send` in the library to the notification by a real Alertmanager,
for alerts that began longer ago than its group_wait. Ends with 1 where a full run misses a bar.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.http_server import Answer, Request, json_answer, serving

from x0tta_cli.alert.sending import send
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.notices import Notice, Severity

TESTBED = Path(__file__).parents[2] / "scripts" / "testbed" / "alertmanager"
X0TTA = str(Path(sys.executable).with_name("x0tta"))
ROUNDS, NOTIFIED = 40, 50
TO_200_BAR_MS, NOTIFIED_BAR_MS = 30.0, 100.0
CONFIGURATION = """\
route: {{receiver: hook, group_by: ['...'], group_wait: 30s}}
receivers: [{{name: hook, webhook_configs: [{{url: '{url}'}}]}}]
"""


class Taker:
    """Takes alerts as Alertmanager does, lists them, and notes when each POST was answered."""

    def __init__(self) -> None:
        self.alerts: list[dict] = []
        self.posted_at = 0.0

    def answer(self, request: Request) -> Answer:
        if request.path == "/api/v2/status":
            return json_answer(200, {"versionInfo": {"version": "0.25.0"}})
        if request.method == "POST":
            status = {"state": "active", "silencedBy": [], "inhibitedBy": []}
            self.alerts = [
                {"annotations": {}, "receivers": [], "status": status, **alert}
                for alert in request.json()
            ]
            self.posted_at = time.perf_counter()
            return Answer(200)
        return json_answer(200, self.alerts)


def to_200(rounds: int, folder: Path) -> tuple[float, float, float]:
    """Median milliseconds of x0tta's start, of amtool to the 200, and of x0tta to the 200."""
    taker = Taker()
    environ = os.environ | {
        "X0TTA_STATE_DIR": str(folder / "state"),
        # As an installed package has it: compiled once.
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    took: dict[str, list[float]] = {"start": [], "amtool": [], "send": []}
    with serving(taker.answer) as url:
        file = folder / "x0tta.toml"
        file.write_text(f'[alert.channels.am]\nkind = "alertmanager"\nurls = ["{url}"]\n')
        shared = ["-o", "json", "--config", str(file)]
        for number in range(-2, rounds):
            name = f"Latency{number + 2}"
            lines = {
                "start": [X0TTA, "alert", "send", name, "--dry-run", *shared],
                "amtool": ["amtool", "--alertmanager.url", url, "alert", "add", name],
                "send": [X0TTA, "alert", "send", name, *shared],
            }
            for what, line in lines.items():
                began = time.perf_counter()
                subprocess.run(line, env=environ, check=True, stdout=subprocess.DEVNULL)
                ended = time.perf_counter() if what == "start" else taker.posted_at
                # The first rounds compile.
                if number >= 0:
                    took[what].append((ended - began) * 1000)
    start, amtool, sent = (statistics.median(took[what]) for what in ("start", "amtool", "send"))
    return start, amtool, sent


def to_notification(count: int, folder: Path) -> list[float]:
    """Milliseconds from `send` to the notification, of alerts that began ten minutes ago."""
    arrived: dict[str, float] = {}
    came = threading.Condition()

    def answer(request: Request) -> Answer:
        now = time.perf_counter()
        with came:
            for alert in request.json()["alerts"]:
                arrived.setdefault(alert["labels"]["n"], now)
            came.notify()
        return Answer(200)

    with serving(answer) as url:
        configuration = folder / "alertmanager.yml"
        configuration.write_text(CONFIGURATION.format(url=url))
        environ = os.environ | {"ALERTMANAGER_CONFIGURATION": str(configuration)}
        command = [str(TESTBED), "up", "--dir", str(folder / "server")]
        server = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environ
        ).stdout.strip()
        try:
            settings = AlertSettings.model_validate(
                {"channels": {"am": {"kind": "alertmanager", "urls": [server]}}}
            )
            took = []
            for number in range(count):
                labels, since = {"n": str(number)}, datetime.now(UTC) - timedelta(minutes=10)
                began = time.perf_counter()
                send(Notice("Notified", Severity.WARNING, labels, since), settings)
                with came:
                    assert came.wait_for(lambda key=str(number): key in arrived, 30)
                took.append((arrived[str(number)] - began) * 1000)
            return sorted(took)
        finally:
            subprocess.run([str(TESTBED), "down", "--dir", str(folder / "server")], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size
    with tempfile.TemporaryDirectory() as folder:
        os.environ["X0TTA_STATE_DIR"] = f"{folder}/library"
        start, amtool, sent = to_200(max(2, int(ROUNDS * size)), Path(folder))
        notified = to_notification(max(3, int(NOTIFIED * size)), Path(folder))
    over = sent - start - amtool
    median, worst = statistics.median(notified), notified[-1]
    print(f"start           {start:8.1f} ms, x0tta alert send --dry-run")
    print(f"amtool          {amtool:8.1f} ms from its start to the 200")
    print(f"send            {sent:8.1f} ms: {over:.1f} over start and amtool")
    print(f"notified        {median:8.1f} ms after send (median), {worst:.1f} at most")
    held = over <= TO_200_BAR_MS and median <= NOTIFIED_BAR_MS
    return 1 if size == 1 and not held else 0


if __name__ == "__main__":
    sys.exit(main())
