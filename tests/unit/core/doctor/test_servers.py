from __future__ import annotations

import http.server
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Literal

import pytest
from fakes.certificates import make_authority
from pydantic import BaseModel, SecretStr

from x0tta_cli.core import config
from x0tta_cli.core.doctor import servers
from x0tta_cli.core.doctor import time as times
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.core.notices import Severity

pytestmark = pytest.mark.slow


class Nested(BaseModel):
    prometheus_url: str | None = None


class Channel(BaseModel):
    kind: Literal["alertmanager", "webhook"]
    urls: tuple[str, ...]
    ca_file: Path | None = None


class Settings(BaseModel):
    alertmanager_url: str | None = None
    database_url: SecretStr | None = None
    inner: Nested = Nested()
    channels: dict[str, Channel] = {}


@contextmanager
def answering(status=200, ahead_s=0.0, date=None, tls=()):
    """Serve one status and one clock; over TLS with a certificate and its key."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def date_time_string(self, timestamp=None):
            return date or formatdate(time() + ahead_s, usegmt=True)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def speaking(answer):
    """Accept one connection, and say something on it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(8) == servers.SSL_REQUEST
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"postgresql://user:hunter2@127.0.0.1:{listener.getsockname()[1]}/mesh"


def refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def configured(surroundings):
    """Surroundings with some configured addresses."""

    def make(**environ):
        variables = {f"X0TTA_SERVICE__{name.upper()}": value for name, value in environ.items()}
        return replace(
            surroundings,
            configuration=config.load(environ=variables),
            models={"service": Settings},
        )

    return make


def look(name, surroundings):
    [server] = [server for server in servers.SERVERS if server.name == name]
    return servers.look_at(server, surroundings)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("prometheus", "x0tta config set doctor.prometheus_url URL"),
        ("kubernetes", "x0tta config set doctor.kubernetes_url URL"),
        ("postgres", "x0tta config schema shows the keys that there are."),
    ],
)
def test_what_nobody_configured_is_a_note(configured, codes, name, mend):
    observed = look(name, configured())
    assert codes(observed) == [("doctor.server_not_configured", name)]
    assert (observed.findings[0].severity, observed.findings[0].fix) == (Severity.INFO, mend)


def test_a_server_is_known_by_the_kind_beside_its_urls(configured, codes):
    """As [alert.channels.NAME] has them: each of a cluster's is asked, and no other kind's."""
    with answering() as url:
        down = f"http://{refused()}"
        given = configured(
            channels__am__kind="alertmanager",
            channels__am__urls=f"{url},{down}",
            channels__prometheus__kind="webhook",
            channels__prometheus__urls=down,
        )
        observed = look("alertmanager", given)
        assert codes(observed) == [("doctor.server_unreachable", "service.channels.am.urls")]
        assert down in observed.findings[0].message
        assert observed.summary == "alertmanager at 127.0.0.1"
        assert codes(look("prometheus", given)) == [("doctor.server_not_configured", "prometheus")]
        # Its clock is as good as that of a server of the internet.
        assert times.look_at_clock(given).summary == "clock right"


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_server_with_an_authority_of_its_own_is_there(configured, tmp_path, is_trusted):
    make_authority(tmp_path, server="IP:127.0.0.1")
    trust = {"channels__am__ca_file": str(tmp_path / "ca.pem")} if is_trusted else {}
    with answering(tls=(tmp_path / "server.pem", tmp_path / "server.key")) as url:
        given = configured(channels__am__kind="alertmanager", channels__am__urls=url, **trust)
        observed = look("alertmanager", given)
        assert (observed.summary, observed.findings) == ("alertmanager at 127.0.0.1", ())
        assert bool(times.look_at_clock(given).summary) is is_trusted


@pytest.mark.parametrize(("status", "is_ready"), [(200, True), (401, True), (503, False)])
def test_a_configured_server_is_asked(configured, codes, status, is_ready):
    with answering(status) as url:
        observed = look("prometheus", configured(inner__prometheus_url=url))
    found = [] if is_ready else [("doctor.server_unreachable", "service.inner.prometheus_url")]
    assert codes(observed) == found
    assert (observed.summary == "prometheus at 127.0.0.1") is is_ready


def test_a_server_that_is_down_is_an_error_that_says_why(configured, codes):
    url = f"http://{refused()}"
    observed = look("alertmanager", configured(alertmanager_url=url))
    [finding] = observed.findings
    assert (finding.code, finding.severity) == ("doctor.server_unreachable", Severity.ERROR)
    assert url in finding.message
    assert "refused" in finding.reason.lower()


@pytest.mark.parametrize(("answer", "is_ready"), [(b"S", True), (b"N", True), (b"H", False)])
def test_postgresql_is_asked_in_its_own_words(configured, codes, answer, is_ready):
    with speaking(answer) as url:
        observed = look("postgres", configured(database_url=url))
    assert codes(observed) == (
        [] if is_ready else [("doctor.server_unreachable", "service.database_url")]
    )
    assert "hunter2" not in repr(observed)


def test_postgresql_that_is_down(configured):
    observed = look("postgres", configured(database_url=f"postgresql://u:hunter2@{refused()}/x"))
    assert [finding.code for finding in observed.findings] == ["doctor.server_unreachable"]
    assert "hunter2" not in repr(observed)


@pytest.mark.parametrize(
    ("ahead_s", "found"),
    [
        (0, []),
        (30, [Severity.WARNING]),
        (-30, [Severity.WARNING]),
        (3600, [Severity.ERROR]),
    ],
)
def test_the_clock_is_held_against_a_configured_server(configured, ahead_s, found):
    with answering(ahead_s=ahead_s) as url:
        observed = times.look_at_clock(configured(alertmanager_url=url))
    assert [finding.severity for finding in observed.findings] == found
    if found:
        word = "behind" if ahead_s > 0 else "ahead of"
        assert word in observed.findings[0].message


def test_the_clock_is_held_against_a_well_known_server_where_none_is_configured(surroundings):
    with answering(ahead_s=3600) as url:
        observed = times.look_at_clock(replace(surroundings, internet_url=url))
    assert [finding.code for finding in observed.findings] == ["doctor.clock_off"]


def test_without_any_clock_the_own_one_is_neither_right_nor_wrong(surroundings):
    observed = times.look_at_clock(surroundings)
    assert (observed.summary, observed.findings) == ("", ())
    assert observed.unknown
    with answering(date="yesterday") as url:
        observed = times.look_at_clock(replace(surroundings, internet_url=url))
    assert observed.unknown


def test_the_internet_is_there_when_anything_answers(surroundings, codes):
    with answering(404) as url:
        assert times.look_at_internet(replace(surroundings, internet_url=url)).findings == ()
    observed = times.look_at_internet(surroundings)
    assert codes(observed) == [("doctor.no_internet", surroundings.internet_url)]


def test_asking_what_is_not_there_is_an_error():
    with pytest.raises(UnavailableError):
        times.ask(servers.Address("", f"http://{refused()}"))


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        (None, []),
        ("", []),
        ("UTC", []),
        ("Europe/Berlin", []),
        (":Europe/Berlin", []),
        ("CET-1CEST", []),
        ("/etc/localtime", []),
        ("Europe/Nowhere", [("doctor.unknown_zone", "Europe/Nowhere")]),
        ("../../etc/passwd", [("doctor.unknown_zone", "../../etc/passwd")]),
    ],
)
def test_the_time_zone_that_is_named_exists(surroundings, monkeypatch, codes, zone, found):
    monkeypatch.delenv("TZ", raising=False)
    if zone is not None:
        monkeypatch.setenv("TZ", zone)
    assert codes(times.look_at_zones(surroundings)) == found


def test_a_machine_without_time_zones(surroundings, monkeypatch, codes):
    monkeypatch.setattr(times, "A_ZONE", "Nowhere/At_All")
    assert codes(times.look_at_zones(surroundings)) == [("doctor.no_zone_data", "tzdata")]
