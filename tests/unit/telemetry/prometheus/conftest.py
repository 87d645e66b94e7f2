"""A server on a real socket that speaks Prometheus' HTTP API, refusals included.

Answers and texts are those of Prometheus 2.42 and 2.53 (web/api/v1/api.go).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from x0tta_cli.core.http import Client

TOO_MANY = (
    "exceeded maximum resolution of 11,000 points per timeseries. "
    "Try decreasing the query resolution (?step=XX)"
)
Points = dict[float, str]


@dataclass
class Prometheus:
    """What the server knows, and what it was asked.

    `series` per expression, `types` per metric (None: a store without that endpoint), `members`
    beside the data, or a `failure` in place of all.
    """

    series: dict[str, list[tuple[dict[str, str], Points]]] = field(default_factory=dict)
    types: dict[str, str] | None = field(default_factory=dict)
    members: dict[str, object] = field(default_factory=dict)
    failure: tuple[int, bytes] | None = None
    backwards: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, bytes]:
        if path == "/api/v1/metadata" and self.types is not None:
            known = self.types.get(params["metric"])
            data = {params["metric"]: [{"type": known, "help": "", "unit": ""}]} if known else {}
            return 200, json.dumps({"status": "success", "data": data}).encode()
        if path != "/api/v1/query_range":
            return 404, b"404 page not found\n"
        self.asked.append(params)
        if self.failure:
            return self.failure
        start, end, step = (float(params[name]) for name in ("start", "end", "step"))
        if (end - start) / step > 11_000:
            return 400, error("bad_data", TOO_MANY)
        data = {"resultType": "matrix", "result": self._matrix(params["query"], start, end)}
        return 200, json.dumps({"status": "success", "data": data, **self.members}).encode()

    def _matrix(self, expression: str, start: float, end: float) -> list[dict[str, object]]:
        result = []
        for labels, points in self.series.get(expression, []):
            inside = [[at, value] for at, value in points.items() if start <= at <= end]
            if inside:
                result.append(
                    {"metric": labels, "values": inside[::-1] if self.backwards else inside}
                )
        return result


def error(kind: str, text: str) -> bytes:
    return json.dumps({"status": "error", "errorType": kind, "error": text}).encode()


@contextmanager
def serving(known: Prometheus) -> Iterator[Prometheus]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            params = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = known.answer(parts.path, params)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield known
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    with serving(Prometheus()) as known:
        yield known


@pytest.fixture
def client(prometheus: Prometheus) -> Iterator[Callable[..., Client]]:
    """Make a client of that server, which does not try again."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Client(prometheus.url, retries=0, **options))


@pytest.fixture
def error_answer() -> Callable[[str, str], bytes]:
    return error
