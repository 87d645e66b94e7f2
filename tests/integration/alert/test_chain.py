"""The whole way: exporter, Prometheus with the shipped rules, two Alertmanagers, `alert serve`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from fakes.http_server import Answer, Request, serving
from fakes.webhook import WebhookReceiver

from .conftest import SCRIPT, X0TTA, Server, free_port

pytestmark = pytest.mark.slow

FAILURES = "x0tta_mesh_recovery_failures_total"
CONFIGURATION = """
[alert.channels.hook]
kind = "webhook"
url = "{hook}"
[alert.channels.am]
kind = "alertmanager"
urls = [{peers}]
[alert.serve]
listen = "127.0.0.1:{port}"
token = {{ file = "{folder}/token" }}
watchdog_within = "12s"
[alert.rules]
token_file = "{folder}/token"
[alert.rules.change.RecoveryFailed]
window = "12s"
period = "1s"
"""


class Prometheus(Server):
    """The testbed's Prometheus, in place of an Alertmanager."""

    script = SCRIPT.with_name("prometheus")


@dataclass
class Exporter:
    """Serves what `text` is."""

    text: str = "up_since 1\n"

    def answer(self, request: Request) -> Answer:
        return Answer(200, self.text.encode(), {"Content-Type": "text/plain; version=0.0.4"})


@dataclass
class Told:
    """What the channel's receiver took: each POST, repeated ones too."""

    receiver: WebhookReceiver = field(default_factory=lambda: WebhookReceiver(""))
    posts: list[dict] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        if request.method == "POST":
            self.posts.append(request.json())
        return self.receiver.answer(request)

    def of(self, name: str) -> list[str]:
        return [each["action"] for each in self.posts if each["name"] == name]


@dataclass
class Chain:
    exporter: Exporter
    told: Told
    prometheus: Server
    peers: tuple[Server, Server]
    configuration: Path

    def x0tta(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [X0TTA, *arguments, "--config", str(self.configuration)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def wait_until(holds: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("chain")
    (folder / "token").write_text("t0ken-of-alert-serve")
    (folder / "token").chmod(0o600)
    return folder


@pytest.fixture(scope="module")
def chain(folder) -> Iterator[Chain]:
    exporter, told = Exporter(), Told()
    ports = [free_port() for _ in range(4)]
    with serving(exporter.answer) as metrics, serving(told.answer) as hook:
        configuration = folder / "x0tta.toml"
        urls = ", ".join(f'"http://127.0.0.1:{port}"' for port in ports[:2])
        configuration.write_text(
            CONFIGURATION.format(hook=f"{hook}/in", peers=urls, port=free_port(), folder=folder)
        )
        subprocess.run(
            [X0TTA, "alert", "rules", "render", folder, "--config", configuration], check=True
        )
        hasten(folder / "alertmanager.yml")
        peers = tuple(
            Server(
                folder / name,
                port=port,
                ALERTMANAGER_CONFIGURATION=str(folder / "alertmanager.yml"),
                ALERTMANAGER_CLUSTER=cluster,
            )
            for name, port, cluster in (
                ("one", ports[0], f"{ports[2]} {ports[3]}"),
                ("two", ports[1], f"{ports[3]} {ports[2]}"),
            )
        )
        prometheus = Prometheus(
            folder / "prometheus",
            PROMETHEUS_RULES=str(folder / "x0tta-rules.yml"),
            PROMETHEUS_ALERTMANAGERS=f"127.0.0.1:{ports[0]} 127.0.0.1:{ports[1]}",
        )
        environ = os.environ | {"X0TTA_STATE_DIR": str(folder / "state")}
        serve = subprocess.Popen([X0TTA, "alert", "serve", "--config", configuration], env=environ)
        try:
            for server in (*peers, prometheus):
                server.up()
            target = [{"targets": [metrics.removeprefix("http://")], "labels": {"job": "mesh"}}]
            (folder / "prometheus/targets/mesh.json").write_text(json.dumps(target))
            yield Chain(exporter, told, prometheus, peers, configuration)
        finally:
            serve.send_signal(signal.SIGTERM)
            for server in (*peers, prometheus):
                server.down()
            assert serve.wait(30) == 143


def hasten(file: Path) -> None:
    """Let the rendered routes wait a second where they would wait half a minute."""
    written = yaml.safe_load(file.read_text())
    for route in (written["route"], *written["route"]["routes"]):
        route["group_wait"] = route["group_interval"] = "1s"
    file.write_text(yaml.safe_dump(written))


def test_a_failure_is_told_once_and_its_end_too_though_two_peers_know_it(chain):
    chain.exporter.text += f'{FAILURES}{{node="n1"}} 1\n'
    wait_until(lambda: chain.told.of("RecoveryFailed") == ["fire"])
    wait_until(lambda: len(chain.told.of("RecoveryFailed")) > 1)
    # The second peer would notify three seconds after the first, had it not heard of it.
    time.sleep(5)
    assert chain.told.of("RecoveryFailed") == ["fire", "resolve"]
    [fired, over] = [each for each in chain.told.posts if each["name"] == "RecoveryFailed"]
    assert fired["labels"]["node"] == over["labels"]["node"] == "n1"
    assert fired["annotations"] == over["annotations"]
    assert fired["annotations"]["summary"].startswith("127.0.0.1:")
    assert "error" not in fired["annotations"]["description"]
    assert fired["severity"] == "critical"


def test_amtool_reads_back_at_both_peers_what_prometheus_fires(chain):
    for peer in chain.peers:
        wait_until(lambda: "Watchdog" in peer.names())  # noqa: B023 - called at once
        query = ["amtool", "--alertmanager.url", peer.url, "alert", "query", "Watchdog"]
        shown = subprocess.run(query, capture_output=True, text=True, check=True).stdout
        assert "Alerts get through" in shown
    assert chain.told.of("Watchdog") == []


def test_the_running_prometheus_has_the_rules_as_configured_and_no_others(chain, tmp_path):
    same = chain.x0tta("alert", "rules", "diff", "--url", chain.prometheus.url, "-o", "json")
    assert (same.returncode, json.loads(same.stdout)["differences"]) == (0, [])
    other = tmp_path / "other.toml"
    change = "[alert.rules.change.MemoryFull]\nthreshold = 0.7\n"
    other.write_text(chain.configuration.read_text() + change)
    command = [X0TTA, "alert", "rules", "diff", "--url", chain.prometheus.url, "-o", "json"]
    differs = subprocess.run([*command, "--config", other], capture_output=True, check=False)
    assert differs.returncode == 3
    [difference] = json.loads(differs.stdout)["differences"]
    assert (difference["rule"], difference["field"]) == ("MemoryFull", "expr")


def test_when_the_watchdog_stays_away_everybody_is_told_until_it_is_back(chain):
    assert chain.told.of("WatchdogMissing") == []
    chain.prometheus.down()
    wait_until(lambda: chain.told.of("WatchdogMissing") == ["fire"])
    chain.prometheus.up()
    wait_until(lambda: chain.told.of("WatchdogMissing") == ["fire", "resolve"])
