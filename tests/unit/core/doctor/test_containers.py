from __future__ import annotations

import http.server
import json
import socketserver
import threading

import pytest

from x0tta_cli.core.doctor import containers


@pytest.fixture(autouse=True)
def no_engine(monkeypatch, tmp_path):
    monkeypatch.setattr(containers, "sockets", lambda: iter([str(tmp_path / "docker.sock")]))
    monkeypatch.setenv("PATH", str(tmp_path))


def engine(tmp_path, answer, status=200):
    """Serve one answer on the socket of an engine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = answer.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "socket"

        def log_message(self, *arguments):
            pass

    server = socketserver.UnixStreamServer(str(tmp_path / "docker.sock"), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("told", "summary"),
    [
        ({"Version": "27.0.3", "Components": [{"Name": "Engine"}]}, "docker 27.0.3"),
        ({"Version": "4.9.3", "Components": [{"Name": "Podman Engine"}]}, "podman 4.9.3"),
        ({"Version": "1.0", "Components": None}, "docker 1.0"),
    ],
)
def test_an_engine_that_answers_is_named(surroundings, tmp_path, told, summary):
    with engine(tmp_path, json.dumps(told)):
        observed = containers.look_at_engine(surroundings)
    assert (observed.summary, observed.findings) == (summary, ())


@pytest.mark.parametrize(("answer", "status"), [("no JSON", 200), ("[]", 200), ("{}", 500)])
def test_something_else_on_the_socket_is_no_engine(surroundings, tmp_path, codes, answer, status):
    with engine(tmp_path, answer, status):
        observed = containers.look_at_engine(surroundings)
    [(code, subject)] = codes(observed)
    assert (code, subject) == (
        "doctor.container_engine_silent",
        str(tmp_path / "docker.sock"),
    )


def test_without_an_engine(surroundings, codes):
    observed = containers.look_at_engine(surroundings)
    assert codes(observed) == [("doctor.no_container_engine", "container engine")]


def test_podman_needs_no_service(surroundings, tmp_path):
    (tmp_path / "podman").write_text("#!/bin/sh\n")
    (tmp_path / "podman").chmod(0o755)
    assert containers.look_at_engine(surroundings).findings == ()
