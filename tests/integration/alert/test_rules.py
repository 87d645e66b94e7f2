"""What `alert rules render` writes, as a real Alertmanager understands it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from fakes.http_server import Answer, Request, serving

from x0tta_cli.alert.rules import rendering
from x0tta_cli.alert.settings import AlertSettings

from .conftest import Server

pytestmark = pytest.mark.slow

HELD_BACK_S = 4.0


@dataclass
class Desk:
    """Stands where `alert serve` would: keeps what Alertmanager posts, with path and token."""

    posts: list[tuple[str, str, str, str]] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        authorization = request.headers.get("authorization", "")
        self.posts += [
            (request.path, alert["labels"]["alertname"], alert["status"], authorization)
            for alert in request.json()["alerts"]
        ]
        return Answer(200)

    def told(self, path: str = "/alertmanager") -> list[tuple[str, str]]:
        return [(name, status) for where, name, status, _ in self.posts if where == path]


@dataclass
class Place:
    desk: Desk
    server: Server

    def post(self, name: str, severity: str = "critical", **labels: str) -> None:
        now = datetime.now(UTC)
        alert = {
            "labels": {"alertname": name, "severity": severity, **labels},
            "startsAt": (now - timedelta(minutes=5)).isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
        }
        body = json.dumps([alert])
        subprocess.run(
            ["curl", "-fsS", "-H", "Content-Type: application/json", "-d", body,
             f"{self.server.url}/api/v2/alerts"],
            check=True, capture_output=True,
        )  # fmt: skip


@pytest.fixture
def placed(tmp_path) -> Iterator[Callable[..., Place]]:
    """Render a configuration and run an Alertmanager with it; its waits are cut to a second."""
    desk, servers = Desk(), []
    with serving(desk.answer) as url:

        def place(**members: object) -> Place:
            folder = tmp_path / f"rendered-{len(servers)}"
            folder.mkdir()
            settings = AlertSettings.model_validate(
                {
                    "channels": {"hook": {"kind": "webhook", "url": "http://127.0.0.1:9"}},
                    "rules": {"serve_url": url, "token_file": str(tmp_path / "token")},
                }
                | members
            )
            (tmp_path / "token").write_text("t0ken")
            rendering.render(folder, settings, dry_run=False)
            file = folder / "alertmanager.yml"
            written = yaml.safe_load(file.read_text())
            written["route"]["group_wait"] = written["route"]["group_interval"] = "1s"
            file.write_text(yaml.safe_dump(written))
            server = Server(folder / "server", ALERTMANAGER_CONFIGURATION=str(file))
            server.up()
            servers.append(server)
            return Place(desk, server)

        try:
            yield place
        finally:
            for server in servers:
                server.down()


def wait_until(holds: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_alerts_reach_the_desk_with_the_token_of_the_file(placed):
    place = placed()
    place.post("Fires")
    wait_until(lambda: place.desk.told() == [("Fires", "firing")])
    assert place.desk.posts[0][3] == "Bearer t0ken"


def test_what_fires_longer_is_told_to_somebody_else_unless_it_is_silenced(placed):
    routes = [
        {"match": {"severity": ["critical"]}, "channels": ["hook"], "escalate_after": "PT400S"}
    ]
    place = placed(routes=routes)
    # It began five minutes ago, and is escalated after 400 s: in 100.
    place.post("Waits")
    old = [{"match": {"severity": ["critical"]}, "channels": ["hook"], "escalate_after": "PT4S"}]
    other = placed(routes=old)
    amtool = ["amtool", "--alertmanager.url", other.server.url]
    subprocess.run(
        [*amtool, "silence", "add", "alertname=Acknowledged", "-c", "mine", "-a", "me"], check=True
    )
    other.post("Acknowledged")
    other.post("Escalates")
    escalated = "/alertmanager/escalated"
    wait_until(lambda: other.desk.told(escalated) == [("Escalates", "firing")])
    wait_until(lambda: ("Waits", "firing") in place.desk.told())
    time.sleep(HELD_BACK_S)
    assert other.desk.told(escalated) == [("Escalates", "firing")]
    assert "Acknowledged" not in str(other.desk.posts)


def test_a_lesser_alert_of_the_same_job_is_inhibited_while_the_greater_one_fires(placed):
    place = placed()
    place.post("ErrorRateCritical", job="cart")
    wait_until(lambda: ("ErrorRateCritical", "firing") in place.desk.told())
    place.post("ErrorRate", "warning", job="cart")
    place.post("ErrorRate", "warning", job="shop")
    wait_until(lambda: ("ErrorRate", "firing") in place.desk.told())
    time.sleep(HELD_BACK_S)
    assert place.desk.told().count(("ErrorRate", "firing")) == 1
    inhibited = [a for a in place.server.alerts() if a["status"]["inhibitedBy"]]
    assert [alert["labels"]["job"] for alert in inhibited] == ["cart"]


def test_the_watchdog_comes_again_and_again(placed):
    place = placed(serve={"watchdog_within": "PT4S"})
    place.post("Watchdog", "info")
    wait_until(lambda: len(place.desk.told()) >= 3)
    # Also not resolved in between: it is one alert, told again.
    assert set(place.desk.told()) == {("Watchdog", "firing")}


def hours_around(now: datetime) -> dict[str, object]:
    """Two hours or so that begin before and end after this instant, on the clock of its zone."""
    before, after = now - timedelta(hours=1), now + timedelta(hours=1)
    if before.date() == after.date():
        return {"times": [f"{before:%H:%M}-{after:%H:%M}"]}
    return {"times": [f"{before:%H:%M}-24:00", f"00:00-{after:%H:%M}"]}


def test_quiet_hours_are_those_of_their_own_zone(placed):
    routes = [{"channels": ["hook"], "quiet": ["night"]}]
    tokyo = hours_around(datetime.now(ZoneInfo("Asia/Tokyo")))
    quiet = placed(routes=routes, quiet_hours={"night": tokyo | {"time_zone": "Asia/Tokyo"}})
    quiet.post("Held")
    # The same hours of another zone are not now.
    loud = placed(routes=routes, quiet_hours={"night": tokyo | {"time_zone": "America/Lima"}})
    loud.post("Heard")
    wait_until(lambda: ("Heard", "firing") in loud.desk.told())
    time.sleep(HELD_BACK_S)
    assert "Held" not in str(quiet.desk.posts)


def test_what_still_fires_when_the_quiet_hours_end_is_told_then(placed):
    now = datetime.now(ZoneInfo("Asia/Tokyo"))
    end = (now + timedelta(minutes=1, seconds=3)).replace(second=0, microsecond=0)
    start = now - timedelta(minutes=5)
    hours = {"times": [f"{start:%H:%M}-{end:%H:%M}"], "time_zone": "Asia/Tokyo"}
    if start.date() != end.date():
        hours["times"] = [f"{start:%H:%M}-24:00", f"00:00-{end:%H:%M}"]
    place = placed(
        routes=[{"channels": ["hook"], "quiet": ["night"]}], quiet_hours={"night": hours}
    )
    place.post("Later")
    wait_until(lambda: place.desk.told() == [("Later", "firing")], 100)
    assert datetime.now(ZoneInfo("Asia/Tokyo")) >= end
