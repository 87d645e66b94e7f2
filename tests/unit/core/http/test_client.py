from __future__ import annotations

import json
import logging
import random
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from x0tta_cli.core import secrets
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.http import Client, Response
from x0tta_cli.core.http.client import _pause_s
from x0tta_cli.core.http.connection import is_loopback
from x0tta_cli.core.http.pace import Pace

pytestmark = pytest.mark.slow

OK = (200, {}, b"")
LONG_S = 60.0
SHORT_S = 0.4


def refusal(client: Client, method: str = "GET", path: str = "/", **more: object) -> OperatorError:
    with pytest.raises(OperatorError) as caught:
        client.request(method, path, **more)
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def no_jitter(monkeypatch):
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.0)


def test_a_request_and_its_answer(server):
    server.answers = [(201, {"X-Answer": "yes"}, b'{"a": [1]}')]
    with Client(f"{server.url}/prefix", headers={"X-Asked": "x"}) as client:
        response = client.request("POST", "/api?b=1", json={"ü": None}, params=None)
    assert (response.status, response.json(), response.text) == (201, {"a": [1]}, '{"a": [1]}')
    assert response.headers["x-answer"] == "yes"
    assert response.attempts == 1
    [(method, path, headers, body)] = server.requests
    assert (method, path) == ("POST", "/prefix/api?b=1")
    assert headers["x-asked"] == "x"
    assert headers["user-agent"].startswith("x0tta/")
    assert json.loads(body) == {"ü": None}


def test_parameters_are_encoded(server):
    with Client(server.url) as client:
        client.request("GET", "/api", params={"query": "a&b=c ü"})
    assert server.requests[0][1] == "/api?query=a%26b%3Dc+%C3%BC"


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 409, 501])
def test_an_answer_that_will_not_change_is_given_at_once(server, status):
    server.answers = [(status, {"location": "http://127.0.0.1:1/"}, b"x")]
    with Client(server.url) as client:
        assert client.request("GET", "/").status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_idempotent_request_is_repeated_until_it_is_answered(server, status, no_jitter):
    server.answers = [(status, {}, b""), (status, {}, b""), (200, {}, b"ok")]
    with Client(server.url) as client:
        response = client.request("GET", "/")
    assert (response.status, response.text, response.attempts) == (200, "ok", 3)


def test_the_last_answer_is_given_when_all_attempts_are_used(server, no_jitter):
    server.answers = [(503, {}, b"later")]
    with Client(server.url, retries=2) as client:
        response = client.request("PUT", "/")
    assert (response.status, response.attempts, len(server.requests)) == (503, 3, 3)


@pytest.mark.parametrize(
    ("method", "idempotent", "attempts"),
    [("POST", None, 1), ("POST", True, 3), ("GET", False, 1), ("PATCH", None, 1),
     ("get", None, 3), ("DELETE", None, 3)],
)  # fmt: skip
def test_only_what_does_no_harm_is_repeated(raw_server, no_jitter, method, idempotent, attempts):
    connections = []
    url = raw_server(lambda connection: connections.append(connection.recv(65536)))
    with Client(url, retries=2) as client:
        error = refusal(client, method, idempotent=idempotent)
    assert error.code == "http.unreachable"
    assert len(connections) == attempts


def test_a_server_that_comes_up_in_time_is_reached(no_jitter, monkeypatch, server):
    client = Client(f"http://127.0.0.1:{free_port()}", retries=2)
    error = refusal(client)
    assert (error.code, error.exit_status, error.retryable) == ("http.unreachable", 7, True)
    assert "refused" in error.reason
    server.answers = [(0, {}, b""), (200, {}, b"up")]
    with Client(server.url) as client:
        assert client.request("GET", "/").text == "up"


def test_a_name_that_nobody_knows():
    error = refusal(Client("http://no-such-host.invalid", retries=0))
    assert error.code == "http.unreachable"
    assert error.reason


def test_the_server_says_how_many_seconds_to_wait(server, no_jitter):
    server.answers = [(429, {"Retry-After": "1"}, b""), (200, {}, b"")]
    with Client(server.url, timeout_s=LONG_S) as client:
        assert client.request("GET", "/").status == 200
    assert server.instants[1] - server.instants[0] >= timedelta(seconds=1)


def test_the_server_says_until_when_to_wait(server, no_jitter):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    server.answers = [(503, {"Retry-After": format_datetime(until, usegmt=True)}, b""), OK]
    with Client(server.url, timeout_s=LONG_S) as client:
        assert client.request("GET", "/").status == 200
    assert server.instants[1] >= until


@pytest.mark.parametrize(
    "value", ["3600", "999999999999999999999999", "Fri, 31 Dec 2199 23:59:59 GMT"]
)
def test_a_wait_beyond_the_time_is_not_begun(server, value):
    server.answers = [(503, {"Retry-After": value}, b"closed")]
    with Client(server.url, timeout_s=LONG_S) as client:
        response = client.request("GET", "/")
    assert (response.status, response.attempts) == (503, 1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Wed, 25 Nov 2026 10:02:00 GMT", 120.0),
        ("Wednesday, 25-Nov-26 10:02:00 GMT", 120.0),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 0.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_both_forms_of_retry_after(value, seconds):
    response = Response(429, {"retry-after": value}, b"", "http://x", 1)
    assert response.retry_after_s(datetime(2026, 11, 25, 10, tzinfo=UTC)) == seconds


def test_the_jitter_is_full_and_grows_to_a_ceiling(monkeypatch):
    ranges = []
    monkeypatch.setattr(random, "uniform", lambda low, high: ranges.append((low, high)) or high)
    response = Response(500, {}, b"", "http://x", 1)
    assert [_pause_s(response, attempt) for attempt in (1, 2, 3, 10)] == [0.25, 0.5, 1.0, 10.0]
    assert {low for low, _ in ranges} == {0.0}


def drip_headers(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x-more: 1\r\n")
        time.sleep(0.02)


def drip_body(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize("serve", [drip_headers, drip_body, say_nothing])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_time_bounds_the_whole_request(raw_server, serve, method):
    with Client(raw_server(serve), timeout_s=SHORT_S) as client:
        error = refusal(client, method)
    assert (error.code, error.exit_status, error.retryable) == ("http.timed_out", 7, True)
    assert "0.4 s" in str(error)


def test_the_time_bounds_the_look_up_of_names(monkeypatch):
    looked_up, go_on = threading.Event(), threading.Event()

    def slow(*arguments: object, **options: object) -> list[object]:
        looked_up.set()
        go_on.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        error = refusal(Client("http://example.org", timeout_s=SHORT_S))
    finally:
        go_on.set()
    assert looked_up.is_set()
    assert error.code == "http.timed_out"


def test_what_was_given_up_is_not_sent_later(server, monkeypatch):
    go_on, resolved = threading.Event(), threading.Event()
    original = socket.create_connection

    def slow(*arguments: object, **options: object) -> socket.socket:
        go_on.wait()
        try:
            return original(*arguments, **options)
        finally:
            resolved.set()

    monkeypatch.setattr(socket, "create_connection", slow)
    with Client(server.url, timeout_s=SHORT_S) as client:
        assert refusal(client, "POST", json={"pay": 1}).code == "http.timed_out"
        go_on.set()
        resolved.wait()
        for thread in threading.enumerate():
            if thread.name == "x0tta-http":
                thread.join()
    assert server.requests == []


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_that_is_too_large_is_not_read(raw_server, announced):
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.recv(65536)
        length = b"content-length: 99999999999\r\n" if announced else b""
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        while True:
            sent.append(connection.send(b"x" * 65536))

    with Client(raw_server(flood), timeout_s=LONG_S, max_bytes=100_000) as client:
        error = refusal(client)
    assert (error.code, error.exit_status) == ("http.too_large", 7)
    assert not error.retryable


def test_an_answer_of_the_largest_size_is_read(server):
    server.answers = [(200, {}, b"x" * 1000)]
    with Client(server.url, max_bytes=1000) as client:
        assert len(client.request("GET", "/").body) == 1000
    with Client(server.url, max_bytes=999) as client:
        assert refusal(client).code == "http.too_large"


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"[" * 100_000, b"\xff"])
def test_what_is_not_json_is_not_yet_an_answer(server, body):
    server.answers = [(200, {}, body)]
    with Client(server.url) as client, pytest.raises(OperatorError) as caught:
        client.request("GET", "/").json()
    assert (caught.value.code, caught.value.exit_status) == ("http.not_json", 7)


@pytest.mark.parametrize(
    "serve",
    [b"no http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort", b""],
)
def test_an_answer_that_breaks_off_or_is_no_http(raw_server, serve):
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(serve)

    with Client(raw_server(answer), retries=0) as client:
        assert refusal(client).code == "http.unreachable"


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org", "http://", "http://[::1", "http://x:99999", "/path",
     "http://x:0", "https:///path"],
)  # fmt: skip
def test_a_url_that_leads_to_no_server(url):
    with pytest.raises(OperatorError) as caught:
        Client(url)
    assert (caught.value.code, caught.value.exit_status) == ("http.bad_url", 2)


@pytest.mark.parametrize("path", ["", "api", "//evil.example/api", "http://evil.example/"])
def test_a_path_cannot_lead_to_another_server(server, path):
    with Client(server.url) as client, pytest.raises(ValueError, match="begin"):
        client.request("GET", path)


def test_no_secret_shows_in_errors_answers_or_logs(server, caplog):
    caplog.set_level(logging.DEBUG)
    port = free_port()
    bot = f"/bot123456:{'A' * 35}/sendMessage"
    urls = [f"http://me:hunter2-x@127.0.0.1:{port}", server.url]
    headers = {"Authorization": "Bearer hunter3-x", "X-Api-Key": "hunter4-x"}
    shown = []
    for url in urls:
        with Client(url, headers=headers, retries=1) as client:
            shown.append(client.base_url)
            for path in (bot, "/x?token=hunter5-x&page=1"):
                try:
                    shown.append(client.request("GET", path).url)
                except OperatorError as error:
                    shown.append(json.dumps(error.problem()))
    assert server.requests[1][2]["authorization"] == "Bearer hunter3-x"
    assert server.requests[1][1] == "/x?token=hunter5-x&page=1"
    text = " ".join([*shown, secrets.redact(caplog.text)])
    assert "hunter" not in text
    assert "AAAAA" not in text
    assert "page=1" in text
    own = [record for record in caplog.records if record.name.startswith("x0tta_cli")]
    assert own
    assert not any("hunter" in str(vars(record)) for record in own)


def test_no_proxy_stands_between_loopback_and_us(server, monkeypatch):
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    port = server.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost"):
        with Client(f"http://{host}:{port}", retries=0) as client:
            assert client.request("GET", "/").status == 200


def test_a_proxy_of_the_environment_is_used_for_others(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    with Client("http://alerts.example.org", retries=0) as client:
        assert client.request("GET", "/api").status == 200
    assert server.requests[0][1] == "http://alerts.example.org/api"
    monkeypatch.setenv("no_proxy", "example.org")
    with Client("http://alerts.example.org", retries=0, timeout_s=SHORT_S) as client:
        assert refusal(client).code in {"http.unreachable", "http.timed_out"}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("x.localhost", True), ("127.0.0.1", True), ("127.9.9.9", True),
     ("::1", True), ("10.0.0.1", False), ("localhost.example.org", False), ("example.org", False)],
)  # fmt: skip
def test_what_is_loopback(host, expected):
    assert is_loopback(host) is expected


def test_a_certificate_of_an_unknown_authority_is_refused_once(tmp_path, raw_server, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    connections = []

    def serve(connection: socket.socket) -> None:
        connections.append(connection)
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(65536)
            encrypted.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    url = raw_server(serve).replace("http:", "https:")
    with Client(url) as client:
        error = refusal(client)
    assert error.code == "http.unreachable"
    assert "certificate" in error.reason.lower()
    assert len(connections) == 1
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Client(url) as client:
        assert client.request("GET", "/").text == "ok"


def test_requests_keep_to_the_rate(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace(2.0)
    assert [pace.reserve() for _ in range(4)] == [0.0, 0.0, 0.5, 1.0]
    now[0] += 1.0
    assert pace.reserve() == 0.5
    now[0] += 100.0
    assert [pace.reserve() for _ in range(3)] == [0.0, 0.0, 0.5]


def test_a_client_waits_for_its_turn_and_not_beyond_its_time(server):
    with Client(server.url, requests_per_second=0.001, timeout_s=LONG_S) as client:
        assert client.request("GET", "/").status == 200
        assert refusal(client).code == "http.timed_out"
    assert len(server.requests) == 1


def test_threads_share_a_client(server):
    server.answers = [(200, {}, b"ok")]
    statuses = []
    with Client(server.url) as client:
        threads = [
            threading.Thread(target=lambda: statuses.append(client.request("GET", "/").status))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [200] * 8


class CountedTurns:
    """Lets so many attempts through, and keeps what it is told."""

    def __init__(self, places: int) -> None:
        self.places, self.told = places, []

    def reserve(self) -> float:
        self.told.append("reserve")
        if self.told.count("reserve") > self.places:
            raise OperatorError("internal", "No place is left.")
        return 0.0

    def answered(self) -> None:
        self.told.append("answered")


def test_every_attempt_takes_a_turn_and_says_when_it_is_over(server, no_jitter):
    server.answers = [(502, {}, b""), OK]
    turns = CountedTurns(9)
    with Client(server.url, turns=turns) as client:
        assert client.request("GET", "/").attempts == 2
    assert turns.told == ["reserve", "answered"] * 2


def test_a_turn_that_is_refused_ends_the_request(server, no_jitter):
    server.answers = [(502, {}, b"")]
    turns = CountedTurns(2)
    with Client(server.url, turns=turns) as client:
        assert str(refusal(client)) == "No place is left."
    assert len(server.requests) == 2


def test_statuses_that_pass_can_be_named(server, no_jitter):
    server.answers = [(429, {}, b""), OK]
    with Client(server.url, passing_statuses={502}) as client:
        assert client.request("GET", "/").status == 429
