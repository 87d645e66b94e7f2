"""A small HTTP server in threads, for webhooks, metrics and health: protected, bounded, quiet.

    with listen("127.0.0.1:9790", answer, token=settings.token) as listener:
        ...

It stands on loopback, or demands a bearer token or a client certificate. Head and body of a
request have to come within `EXCHANGE_S` altogether, however slowly a client drips them.

Sources: RFC 9110, RFC 9112 (6.3, message body length), RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import errno
import hmac
import ipaddress
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from x0tta_cli.core.errors import (
    ConflictError,
    ExitStatus,
    NotPermittedError,
    OperatorError,
    UsageError,
)
from x0tta_cli.core.files import reading_errors

if TYPE_CHECKING:
    from pydantic import SecretStr

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1 << 20
MAX_CONNECTIONS = 64
EXCHANGE_S = 30.0
# How long what is refused may still be coming in, so that the client gets to read why.
LINGER_S = 2.0
DRAIN_S = 5.0
POLL_S = 0.1
HTTP_STATUS_OF = {
    ExitStatus.USAGE: 400,
    ExitStatus.NOT_PERMITTED: 403,
    ExitStatus.NOT_FOUND: 404,
    ExitStatus.CONFLICT: 409,
    ExitStatus.UNSUPPORTED: 501,
    ExitStatus.UNAVAILABLE: 503,
    ExitStatus.NOT_YET_KNOWN: 503,
}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and key in PEM; with `client_authorities` clients have to show a certificate."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` without its query, names of `headers` in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the server stands; `port` is the one that the system chose where 0 was asked for."""

    url: str
    port: int
    reload_certificates: Callable[[], None]


Handle = Callable[[Request], Answer]


@contextmanager
def listen(
    address: str,
    handle: Handle,
    *,
    token: SecretStr | None = None,
    tls: TlsFiles | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> Iterator[Listener]:
    """Serve on `HOST:PORT` for as long as the block runs; `handle` is called in several threads.

    An empty host is every address of the machine, port 0 any free one. An OperatorError that
    `handle` raises becomes the HTTP status that fits (503 where trying again helps) with its
    RFC 9457 object. At the end requests that were begun are answered, for `DRAIN_S` at most.

    Raises UsageError `listener.bad_address`, `listener.unprotected` (neither loopback nor token
    nor client certificates), `listener.bad_certificate`; ConflictError `listener.address_in_use`;
    NotPermittedError `listener.not_permitted`; `files.not_found`.
    """
    host, port = _parsed(address)
    if not token and not (tls and tls.client_authorities) and not _is_loopback(host):
        raise _unprotected(address)
    context = _context_of(tls)
    server = _open(host, port, address)
    server.handle, server.context, server.max_body_bytes = handle, context, max_body_bytes
    server.token = token.get_secret_value().encode() if token else None
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
    thread.start()
    try:
        yield Listener(
            f"{'https' if tls else 'http'}://{_url_host(host)}:{server.server_port}",
            server.server_port,
            lambda: _load(context, tls) if context and tls else None,
        )
    finally:
        server.shutdown()
        thread.join()
        server.end()


class _Server(ThreadingHTTPServer):
    """The socket, its connections, and who serves them; each connection has a thread."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    handle: Handle
    context: ssl.SSLContext | None
    token: bytes | None
    max_body_bytes: int

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int]) -> None:
        self.address_family = family
        self._connections: dict[socket.socket, float | None] = {}
        self._lock = Lock()
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for the machine's name, as the library would."""
        if self.address_family == socket.AF_INET6:
            # An address of IPv4 then reaches `[::]` as well, whatever net.ipv6.bindv6only says.
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, or close it where there are too many."""
        if not self._free.acquire(blocking=False):
            log.warning("too many connections, one is refused", extra={"limit": MAX_CONNECTIONS})
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log why a connection broke; clients come and go."""
        log.info("a connection broke", exc_info=True)

    def service_actions(self) -> None:
        """Cut the connections whose time is over; the serving loop calls this."""
        now_s = time.monotonic()
        with self._lock:
            late = [one for one, end_s in self._connections.items() if end_s and end_s < now_s]
        for connection in late:
            _cut(connection, socket.SHUT_RDWR)

    def follow(self, connection: socket.socket, seconds: float | None) -> None:
        """Give a connection that long for what it does now; None is no limit."""
        with self._lock:
            self._connections[connection] = time.monotonic() + seconds if seconds else None

    def forget(self, connection: socket.socket) -> None:
        """Stop following a connection that has ended."""
        with self._lock:
            self._connections.pop(connection, None)

    def end(self) -> None:
        """Take no more requests, and let those that were begun be answered."""
        self.server_close()
        with self._lock:
            open_now = list(self._connections)
        for connection in open_now:
            _cut(connection, socket.SHUT_RD)
        end_s = time.monotonic() + DRAIN_S
        while self._connections and time.monotonic() < end_s:
            time.sleep(POLL_S / 10)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "x0tta"
    sys_version = ""
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    # Head and body leave apart: else the second waits 40 ms for the first to be acknowledged.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Shake hands in the connection's own thread, so that a slow client delays no other."""
        if self.server.context:
            self.request = self.server.context.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
        self.server.follow(self.request, EXCHANGE_S)
        try:
            if self.server.context:
                self.request.do_handshake()
            super().setup()
        except BaseException:
            self.server.forget(self.request)
            self.request.close()
            raise

    def finish(self) -> None:
        """Say goodbye."""
        try:
            super().finish()
        finally:
            self.server.forget(self.request)
            # The library closes what it accepted, which TLS has taken the connection from.
            self.request.close()

    def handle_one_request(self) -> None:
        """Read a request and answer it, each in a time of its own."""
        self.server.follow(self.connection, EXCHANGE_S)
        super().handle_one_request()

    def handle_expect_100(self) -> bool:
        """Let the refusals of `_exchange` come before a client that asks sends its body."""
        if self._refusal() is None:
            return super().handle_expect_100()
        return True

    def _exchange(self) -> None:
        refusal = self._refusal()
        if refusal is not None:
            self.close_connection = True
            self._answer(refusal)
            self._linger()
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self.server.follow(self.connection, None)
        answer = self._handled(self._request(body))
        self.server.follow(self.connection, EXCHANGE_S)
        self._answer(answer)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _exchange  # noqa: N815

    def _refusal(self) -> Answer | None:
        """Say why a request is not even read; None where it is."""
        if self.server.token is not None and not self._knows_token(self.server.token):
            return Answer(
                401, b"a bearer token is needed\n", headers={"WWW-Authenticate": "Bearer"}
            )
        if not _is_target(self.path):
            return Answer(400, b"the path can't be read\n")
        if "Transfer-Encoding" in self.headers:
            return Answer(411, b"a Content-Length is needed\n")
        lengths = set(self.headers.get_all("Content-Length", []))
        if len(lengths) > 1 or not all(text.isascii() and text.isdecimal() for text in lengths):
            return Answer(400, b"the Content-Length is no number\n")
        if any(int(text) > self.server.max_body_bytes for text in lengths):
            return Answer(413, f"at most {self.server.max_body_bytes} bytes are taken\n".encode())
        return None

    def _knows_token(self, token: bytes) -> bool:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        # Headers are read as Latin-1: back to the bytes that were sent.
        is_same = hmac.compare_digest(given.strip().encode("latin-1", "replace"), token)
        return scheme.lower() == "bearer" and is_same

    def _request(self, body: bytes) -> Request:
        target = urlsplit(self.path)
        return Request(
            method=self.command,
            path=target.path,
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )

    def _handled(self, request: Request) -> Answer:
        try:
            return self.server.handle(request)
        except OperatorError as error:
            status = 503 if error.retryable else HTTP_STATUS_OF.get(error.exit_status, 500)
            problem = json.dumps(error.problem()).encode()
            return Answer(status, problem, "application/problem+json")
        except Exception:
            log.exception("a request failed", extra={"path": request.path})
            return Answer(500, b"internal error\n")

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _linger(self) -> None:
        """Take in what is still sent, for a moment: a reset would swallow the answer."""
        self.wfile.flush()
        self.server.follow(self.connection, LINGER_S)
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_WR)
            while self.rfile.read1(65_536):
                pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log an exchange where -v asks for it."""
        log.info("exchange", extra={"client": self.client_address[0], "what": format % args})


def _is_target(path: str) -> bool:
    try:
        return bool(urlsplit(path).path)
    except ValueError:
        return False


def _cut(connection: socket.socket, how: int) -> None:
    """End a connection under a thread that reads it; TLS's own way would pull its state away."""
    with suppress(OSError):
        socket.socket.shutdown(connection, how)


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.strip().rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isdecimal() or int(port) > 65_535 or (":" in host) != is_bracketed:
        raise _bad_address(address, "It has to be HOST:PORT; an address of IPv6 in brackets.")
    return host.strip("[]"), int(port)


def _is_loopback(host: str) -> bool:
    """Whether only this machine gets there; a name may stand for several addresses."""
    return all(ipaddress.ip_address(found[1][0]).is_loopback for found in _addresses(host, 0))


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    if not host:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        return [(family, ("::" if family == socket.AF_INET6 else "0.0.0.0", port))]  # noqa: S104
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _bad_address(f"{_url_host(host)}:{port}", f"{error}.") from None
    # A scope (fe80::1%eth0) stands in the fourth place and goes with the address's text.
    return [(family, (str(address[0]), int(address[1]))) for family, *_, address in found]


def _url_host(host: str) -> str:
    if not host:
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _open(host: str, port: int, address: str) -> _Server:
    family, where = _addresses(host, port)[0]
    try:
        return _Server(family, where)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConflictError(
                "listener.address_in_use",
                f"Another program listens on {address}.",
                reason=f"{error.strerror}.",
                fix=f"See who: ss -ltnp 'sport = :{port}'; or choose another port.",
                context={"address": address},
            ) from None
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise NotPermittedError(
                "listener.not_permitted",
                f"This user may not listen on {address}.",
                reason=f"{error.strerror}.",
                fix="Choose a port from 1024 on.",
                context={"address": address},
            ) from None
        raise _bad_address(address, f"{error.strerror}.") from None


def _context_of(tls: TlsFiles | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, tls)
    return context


def _load(context: ssl.SSLContext, tls: TlsFiles) -> None:
    """Read the certificates, also anew: connections that stand keep the old ones."""
    for path in (tls.certificate, tls.key, tls.client_authorities):
        if path is not None:
            with reading_errors(path), path.open("rb"):
                pass
    try:
        # A password that is asked for would wait on a terminal that nobody sits at.
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
        if tls.client_authorities is not None:
            context.load_verify_locations(tls.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(
            "listener.bad_certificate",
            f"The certificate {tls.certificate} and its key can't be used.",
            reason=f"{error}.",
            fix=f"See openssl x509 -in {tls.certificate} -noout -text; the key must be its own "
            "and have no password.",
            context={"certificate": str(tls.certificate), "key": str(tls.key)},
        ) from None


def _bad_address(address: str, reason: str) -> UsageError:
    return UsageError(
        "listener.bad_address",
        f"It is not possible to listen on '{address}'.",
        reason=reason,
        fix="Write it as 127.0.0.1:9790 or [::1]:9790, with an address of this machine.",
        context={"address": address},
    )


def _unprotected(address: str) -> UsageError:
    return UsageError(
        "listener.unprotected",
        f"{address} can be reached from other machines, and nothing protects it.",
        reason="Beyond loopback a listener needs a bearer token or client certificates.",
        fix="Configure one of them, or listen on 127.0.0.1.",
        context={"address": address},
    )
