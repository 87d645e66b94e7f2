"""A Prometheus of the tests' own, and a small exporter that it scrapes four times a second."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from x0tta_cli.core.http import Client

TESTBED = Path(__file__).parents[3] / "scripts" / "testbed"
SCRAPE_INTERVAL = "250ms"
REQUESTS_PER_S = 100
ODD_NAMES = ["узел-1", 'a"b\\c', "two\nlines", "{x=y}", "é" * 100, "-1", " "]
PROTOBUF = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)


@dataclass
class Server:
    """A server of the testbed in a folder of its own."""

    folder: Path
    url: str = ""

    def run(self, action: str) -> str:
        command = [TESTBED / "prometheus", action, "--dir", self.folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300)
        return done.stdout.strip()

    def up(self) -> None:
        self.url = self.run("up")

    def kill(self) -> None:
        os.kill(json.loads((self.folder / "process.json").read_text())["pid"], signal.SIGKILL)

    def scrape(self, name: str, port: int, path: str) -> None:
        labels = {
            "job": name,
            "__metrics_path__": path,
            "__scrape_interval__": SCRAPE_INTERVAL,
            "__scrape_timeout__": SCRAPE_INTERVAL,
        }
        beside = self.folder / f"{name}.new"
        beside.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"], "labels": labels}]))
        beside.rename(self.folder / "targets" / f"{name}.json")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression has a value."""
        deadline = time.monotonic() + 30
        with Client(self.url) as client:
            while time.monotonic() < deadline:
                answer = client.request("GET", "/api/v1/query", params={"query": expression})
                if answer.json()["data"]["result"]:
                    return
                time.sleep(0.05)
        pytest.fail(f"Prometheus has no value of {expression}")


@dataclass
class Exporter:
    """Metrics of a mesh on a port that stays the same when the exporter is restarted."""

    port: int = 0
    temperature: float = 20.0
    started: float = field(default_factory=time.time)
    _server: ThreadingHTTPServer | None = None

    def up(self) -> None:
        exporter = self
        self.started = time.time()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                native = self.path == "/native"
                body = native_histogram() if native else exporter.text().encode()
                self.send_response(200)
                form = PROTOBUF if native else "text/plain; version=0.0.4; charset=utf-8"
                self.send_header("Content-Type", form)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def text(self) -> str:
        requests = round(REQUESTS_PER_S * (time.time() - self.started))
        lines = [
            "# TYPE temperature_celsius gauge",
            f'temperature_celsius{{node="a"}} {self.temperature}',
            f'temperature_celsius{{node="b"}} {self.temperature + 1}',
            "# TYPE requests_total counter",
            f'requests_total{{node="a"}} {requests}',
            f'requests_total{{node="b"}} {2 * requests}',
            "# TYPE load gauge",
            'load{node="a",radio="0"} 1',
            'load{node="a",radio="1"} 3',
            "# TYPE strange gauge",
            'strange{node="a"} NaN',
            'strange{node="b"} +Inf',
            'strange{node="c"} 0',
            "# TYPE signal gauge",
            'signal{source="a",destination="b"} -60',
            'signal{source="b",destination="a"} -70',
            'signal{source="b",destination="c"} -80',
            "# TYPE delay_seconds histogram",
            'delay_seconds_bucket{node="a",le="+Inf"} 5',
            'delay_seconds_sum{node="a"} 2.5',
            'delay_seconds_count{node="a"} 5',
            "# TYPE odd gauge",
            *(f"odd{{node={quoted(name)}}} {place}" for place, name in enumerate(ODD_NAMES)),
        ]
        return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def native_histogram() -> bytes:
    """One native histogram, as client_model's metrics.proto has it, length-delimited."""
    histogram = (
        number(1, 5)  # sample_count
        + key(2, 1)
        + struct.pack("<d", 2.5)  # sample_sum
        + number(5, 0)  # schema 0
        + key(6, 1)
        + struct.pack("<d", 1e-9)  # zero_threshold
        + number(7, 0)  # zero_count
        + block(12, number(1, 0) + number(2, 1))  # positive_span: offset 0, length 1
        + number(13, 10)  # positive_delta 5, zigzag
    )
    label = block(1, b"node") + block(2, b"a")
    metric = block(1, label) + block(7, histogram)
    family = block(1, b"native_delay_seconds") + number(3, 4) + block(4, metric)
    return varint(len(family)) + family


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def key(field_number: int, kind: int) -> bytes:
    return varint(field_number << 3 | kind)


def number(field_number: int, value: int) -> bytes:
    return key(field_number, 0) + varint(value)


def block(field_number: int, content: bytes) -> bytes:
    return key(field_number, 2) + varint(len(content)) + content


@dataclass(frozen=True)
class History:
    """When what happened, in Unix seconds; `temperature` was 20, then 30, then 40, then 50."""

    start: float
    restarted: float
    gone: float
    back: float
    killed: float
    up_again: float
    end: float


@pytest.fixture(scope="package")
def prometheus(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("testbed") / "prometheus")
    server.up()
    try:
        yield server
    finally:
        server.run("down")


@pytest.fixture(scope="package")
def exporter() -> Iterator[Exporter]:
    exporter = Exporter()
    exporter.up()
    try:
        yield exporter
    finally:
        exporter.down()


@pytest.fixture(scope="package")
def history(prometheus: Server, exporter: Exporter) -> History:
    """An exporter that is restarted, then gone for a while, and then Prometheus is killed."""
    prometheus.scrape("mesh", exporter.port, "/metrics")
    prometheus.scrape("native", exporter.port, "/native")
    prometheus.wait_for('temperature_celsius{node="b"} and on() native_delay_seconds')
    start = time.time()
    time.sleep(3)
    exporter.down()
    exporter.temperature = 30.0
    exporter.up()
    restarted = time.time()
    time.sleep(3)
    exporter.down()
    gone = time.time()
    time.sleep(3)
    exporter.temperature = 40.0
    exporter.up()
    back = time.time()
    time.sleep(3)
    prometheus.kill()
    killed = time.time()
    time.sleep(2)
    exporter.temperature = 50.0
    prometheus.up()
    up_again = time.time()
    prometheus.wait_for("temperature_celsius == 50")
    time.sleep(2)
    return History(start, restarted, gone, back, killed, up_again, time.time())


@pytest.fixture
def client(prometheus: Server, history: History) -> Iterator[Client]:
    with Client(prometheus.url) as client:
        yield client


@pytest.fixture
def new_client(prometheus: Server, history: History) -> Callable[..., Client]:
    return lambda **options: Client(prometheus.url, **options)


@pytest.fixture
def odd_names() -> list[str]:
    return ODD_NAMES
