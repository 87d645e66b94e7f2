"""The listener over real sockets, with clients that behave and clients that do not."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from fakes.certificates import make_authority
from pydantic import SecretStr

from x0tta_cli.core.errors import (
    ConflictError,
    NotFoundError,
    NotPermittedError,
    UnavailableError,
    UsageError,
)
from x0tta_cli.core.listener import Answer, TlsFiles, listen

pytestmark = pytest.mark.slow

HERE = "127.0.0.1:0"
TOKEN = SecretStr("a-token-of-tests")


def echo(request):
    """Answer with what was asked."""
    told = {
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "agent": request.headers.get("user-agent"),
        "body": request.body.decode(),
    }
    return Answer(body=json.dumps(told).encode(), content_type="application/json")


def ask(port, method="GET", path="/", body=None, headers=None, context=None):
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        if context
        else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    )
    with closing(connection):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read(), dict(response.headers)


def raw(port, *pieces):
    """Send bytes as they are; gives all that comes back until the server hangs up or resets."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        suppress(ConnectionResetError),
    ):
        for piece in pieces:
            connection.sendall(piece)
        while more := connection.recv(65_536):
            answer += more
    return answer


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with a certificate authority, a server's certificate, and a client's."""
    folder = tmp_path_factory.mktemp("tls")
    return make_authority(folder, server="IP:127.0.0.1", client="IP:127.0.0.1")


@pytest.fixture
def tls(authority):
    return TlsFiles(authority / "server.pem", authority / "server.key")


def client_context(authority, *, certificate=False):
    context = ssl.create_default_context(cafile=authority / "ca.pem")
    if certificate:
        context.load_cert_chain(authority / "client.pem", authority / "client.key")
    return context


def test_a_request_is_handed_over_whole_and_its_answer_comes_back():
    with listen(HERE, echo) as listening:
        assert listening.url == f"http://127.0.0.1:{listening.port}"
        status, body, headers = ask(
            listening.port, "POST", "/hook?a=1&b=&a=2", "snow ☃".encode(), {"User-Agent": "test"}
        )
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert "Date" in headers
    assert json.loads(body) == {
        "method": "POST",
        "path": "/hook",
        "query": {"a": "2", "b": ""},
        "agent": "test",
        "body": "snow ☃",
    }


def test_a_connection_serves_many_requests_and_many_connections_are_served_at_once():
    meeting = threading.Barrier(8, timeout=10)

    def together(request):
        meeting.wait()
        return Answer()

    statuses = []

    def client():
        with closing(http.client.HTTPConnection("127.0.0.1", listening.port)) as connection:
            for _ in range(3):
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
                statuses.append(response.status)

    with listen(HERE, together) as listening:
        clients = [threading.Thread(target=client) for _ in range(8)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
    assert statuses == [200] * 24


def test_head_is_answered_without_the_body():
    with listen(HERE, lambda _: Answer(body=b"four")) as listening:
        status, body, headers = ask(listening.port, "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", "4")


def test_the_port_is_free_again_afterwards():
    with listen(HERE, echo) as listening:
        pass
    with pytest.raises(ConnectionRefusedError):
        ask(listening.port)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic YS10b2tlbg=="},
        {"Authorization": "Bearer ä"},
    ],
)
def test_without_the_token_nothing_is_handed_over(header):
    seen = []
    with listen(HERE, lambda request: seen.append(request) or Answer(), token=TOKEN) as listening:
        status, _, headers = ask(listening.port, "POST", "/", b"x" * 100_000, header)
    assert (status, headers["WWW-Authenticate"], seen) == (401, "Bearer", [])


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_a_request_is_answered(scheme):
    header = {"Authorization": f"{scheme} {TOKEN.get_secret_value()}"}
    with listen(HERE, echo, token=TOKEN) as listening:
        assert ask(listening.port, headers=header)[0] == 200


def test_a_body_beyond_the_limit_is_refused_with_413_which_the_client_gets_to_read():
    seen = []
    with listen(
        HERE, lambda request: seen.append(request) or Answer(), max_body_bytes=1000
    ) as listening:
        assert ask(listening.port, "POST", "/", b"x" * 1000)[0] == 200
        assert ask(listening.port, "POST", "/", b"x" * 1001)[0] == 413
        assert ask(listening.port, "POST", "/", b"x" * 3_000_000)[0] == 413
    assert len(seen) == 1


def test_a_client_that_asks_first_is_refused_before_it_sends():
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
    with listen(HERE, echo, max_body_bytes=10) as listening:
        assert raw(listening.port, head + b"11\r\n\r\n").startswith(b"HTTP/1.1 413 ")
        rest = b"4\r\nConnection: close\r\n\r\nbody"
        assert raw(listening.port, head + rest).startswith(b"HTTP/1.1 100 ")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", b"400"),
        (b"POST http://[x/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
    ],
    ids=[
        "chunked",
        "negative",
        "signed",
        "two-lengths",
        "target",
        "no-http",
        "method",
        "long",
        "many-headers",
    ],
)
def test_what_is_no_request_is_refused(request_text, status):
    with listen(HERE, echo) as listening:
        answer = raw(listening.port, request_text)
    assert status in answer.splitlines()[0]


def test_a_client_that_drips_its_request_is_cut_off():
    stop = threading.Event()
    with listen(HERE, echo, exchange_s=0.3) as listening:
        with socket.create_connection(("127.0.0.1", listening.port), timeout=20) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")

            def drip():
                while not stop.wait(0.02):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

            dripping = threading.Thread(target=drip)
            dripping.start()
            try:
                assert connection.recv(1) == b""
            except ConnectionResetError:
                pass
            finally:
                stop.set()
                dripping.join()
        assert ask(listening.port)[0] == 200


def test_a_request_may_take_longer_to_answer_than_to_be_sent():
    slow = threading.Event()
    with listen(
        HERE, lambda _: slow.wait(0.6) or Answer(body=b"done"), exchange_s=0.2
    ) as listening:
        assert ask(listening.port)[1] == b"done"


def test_a_body_that_breaks_off_is_not_handed_over():
    seen = []
    with (
        listen(HERE, lambda request: seen.append(request) or Answer()) as listening,
        socket.create_connection(("127.0.0.1", listening.port), timeout=10) as connection,
    ):
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert seen == []


def test_what_comes_beyond_the_limit_waits_for_its_turn():
    with listen(HERE, echo, max_connections=2) as listening:
        where = ("127.0.0.1", listening.port)
        silent = [socket.create_connection(where, timeout=10) for _ in range(2)]
        answers = []
        others = [
            threading.Thread(target=lambda: answers.append(ask(listening.port)[0]))
            for _ in range(5)
        ]
        for other in others:
            other.start()
        others[0].join(0.5)
        assert answers == []
        for one in silent:
            one.close()
        for other in others:
            other.join(10)
        assert answers == [200] * 5


def test_who_has_its_answer_makes_room_for_who_waits():
    with listen(HERE, echo, max_connections=1) as listening:
        kept = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=10)
        with closing(kept):
            for _ in range(2):
                kept.request("GET", "/")
                assert kept.getresponse().read()
            assert ask(listening.port)[0] == 200
            assert kept.sock.recv(1) == b""
        # The crowd is gone: connections are kept open again.
        again = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=10)
        with closing(again):
            for _ in range(2):
                again.request("GET", "/")
                answer = again.getresponse()
                assert (answer.status, answer.headers["Connection"]) == (200, None)
                answer.read()


def test_who_waits_is_let_go_when_the_listener_ends():
    with listen(HERE, echo, max_connections=1) as listening:
        where = ("127.0.0.1", listening.port)
        silent, waiting = (socket.create_connection(where, timeout=10) for _ in range(2))
        with silent:
            assert threading.Event().wait(0.3) is False
    with waiting:
        assert raw_end(waiting) == b""


def raw_end(connection):
    """Read to the end, however the server has ended it."""
    with suppress(ConnectionResetError):
        return connection.recv(1)
    return b""


def test_a_request_that_was_begun_is_answered_when_the_listener_ends():
    begun, going_on = threading.Event(), threading.Event()

    def handle(_):
        begun.set()
        going_on.wait(10)
        return Answer(body=b"to the end")

    answers = []
    with listen(HERE, handle) as listening:
        client = threading.Thread(target=lambda: answers.append(ask(listening.port)[1]))
        client.start()
        begun.wait(10)
        threading.Timer(0.3, going_on.set).start()
    client.join()
    assert answers == [b"to the end"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnavailableError("state.disk_full", "There is no room."), 503),
        (ConflictError("journal.busy", "Locked.", retryable=True), 503),
        (ConflictError("journal.busy", "Locked."), 409),
        (NotFoundError("files.not_found", "Nowhere."), 404),
        (NotPermittedError("run.read_only", "Read-only."), 403),
        (UsageError("http.bad_url", "No."), 400),
    ],
    ids=str,
)
def test_an_error_of_the_handler_becomes_a_status_and_a_problem(error, status):
    def handle(_):
        raise error

    with listen(HERE, handle) as listening:
        found, body, headers = ask(listening.port)
    assert (found, headers["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(body)["code"] == error.code


def test_a_defect_of_the_handler_is_logged_and_tells_the_client_nothing(caplog):
    with listen(HERE, lambda _: 1 / 0) as listening:
        status, body, _ = ask(listening.port)
        assert (status, body) == (500, b"internal error\n")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("address", ["0.0.0.0:0", ":0", "[::]:0"])
def test_beyond_loopback_nothing_stands_unprotected(address, tls):
    for given in (None, tls):
        with pytest.raises(UsageError) as refused, listen(address, echo, tls=given):
            pass
        assert refused.value.code == "listener.unprotected"
    with pytest.raises(UsageError), listen(address, echo, token=SecretStr("")):
        pass


def test_beyond_loopback_a_token_or_client_certificates_protect(authority, tls):
    with listen("0.0.0.0:0", echo, token=TOKEN) as listening:
        assert ask(listening.port)[0] == 401
    mutual = TlsFiles(tls.certificate, tls.key, authority / "ca.pem")
    with listen(":0", echo, tls=mutual) as listening:
        context = client_context(authority, certificate=True)
        assert ask(listening.port, context=context)[0] == 200


@pytest.mark.parametrize("address", ["localhost:0", "[::1]:0", "127.8.9.1:0"])
def test_loopback_has_several_names(address):
    with listen(address, echo) as listening:
        assert listening.port > 0


@pytest.mark.parametrize(
    "address",
    [
        "",
        "9790",
        "127.0.0.1",
        "127.0.0.1:x",
        "127.0.0.1:65536",
        "::1:9790",
        "no.such.host.invalid:9790",
        "192.0.2.1:9790",
    ],
)
def test_an_address_that_can_be_none_is_refused(address):
    with pytest.raises(UsageError) as refused, listen(address, echo, token=TOKEN):
        pass
    assert refused.value.code == "listener.bad_address"


def test_a_port_that_is_taken_is_a_conflict():
    with (
        listen(HERE, echo) as listening,
        pytest.raises(ConflictError) as refused,
        listen(f"127.0.0.1:{listening.port}", echo),
    ):
        pass
    assert refused.value.code == "listener.address_in_use"


def test_tls_is_spoken_with_a_certificate(authority, tls):
    with listen(HERE, echo, tls=tls) as listening:
        assert listening.url.startswith("https://")
        assert ask(listening.port, context=client_context(authority))[0] == 200
        # One that speaks plain HTTP gets nothing, and harms nobody.
        assert not raw(listening.port, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP")
        assert ask(listening.port, context=client_context(authority))[0] == 200


def test_client_certificates_are_demanded_where_authorities_are_given(authority, tls):
    mutual = TlsFiles(tls.certificate, tls.key, authority / "ca.pem")
    with listen(HERE, echo, tls=mutual) as listening:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(listening.port, context=client_context(authority))
        context = client_context(authority, certificate=True)
        assert ask(listening.port, context=context)[0] == 200


def test_a_handshake_that_never_comes_delays_nobody_and_is_cut_off(authority, tls):
    with (
        listen(HERE, echo, tls=tls, exchange_s=0.5) as listening,
        socket.create_connection(("127.0.0.1", listening.port), timeout=20) as silent,
    ):
        assert ask(listening.port, context=client_context(authority))[0] == 200
        assert silent.recv(1) == b""


def test_new_certificates_are_used_after_a_reload(authority, tmp_path):
    own = TlsFiles(tmp_path / "own.crt", tmp_path / "own.key")
    own.certificate.write_bytes((authority / "client.pem").read_bytes())
    own.key.write_bytes((authority / "client.key").read_bytes())
    with listen(HERE, echo, tls=own) as listening:
        before = ssl.get_server_certificate(("127.0.0.1", listening.port))
        own.certificate.write_bytes((authority / "server.pem").read_bytes())
        own.key.write_bytes((authority / "server.key").read_bytes())
        listening.reload_certificates()
        after = ssl.get_server_certificate(("127.0.0.1", listening.port))
    assert before.strip() == (authority / "client.pem").read_text().strip()
    assert after.strip() == (authority / "server.pem").read_text().strip()


def test_a_key_that_is_not_the_certificates_own_is_refused(authority):
    with (
        pytest.raises(UsageError) as refused,
        listen(HERE, echo, tls=TlsFiles(authority / "server.pem", authority / "client.key")),
    ):
        pass
    assert refused.value.code == "listener.bad_certificate"


def test_a_certificate_that_is_missing_is_named(tmp_path, authority):
    with (
        pytest.raises(NotFoundError) as refused,
        listen(HERE, echo, tls=TlsFiles(tmp_path / "none.crt", authority / "server.key")),
    ):
        pass
    assert refused.value.context["file"] == str(tmp_path / "none.crt")


def test_no_descriptor_is_left_behind(tls, authority):
    context = client_context(authority)

    def exercise():
        with listen(HERE, echo, tls=tls) as listening:
            ask(listening.port, context=context)
            raw(listening.port, b"no tls at all\r\n\r\n")

    exercise()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        exercise()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
