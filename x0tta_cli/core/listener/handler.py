"""One connection: requests are read within their limits, handed over, and answered."""

from __future__ import annotations

import hmac
import json
import logging
import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from x0tta_cli.core.errors import ExitStatus, OperatorError
from x0tta_cli.core.listener.messages import Answer, Request

if TYPE_CHECKING:
    from x0tta_cli.core.listener.server import Server

log = logging.getLogger(__name__)

# How long what is refused may still be coming in, so that the client gets to read why.
LINGER_S = 2.0
HTTP_STATUS_OF = {
    ExitStatus.USAGE: 400,
    ExitStatus.NOT_PERMITTED: 403,
    ExitStatus.NOT_FOUND: 404,
    ExitStatus.CONFLICT: 409,
    ExitStatus.UNSUPPORTED: 501,
    ExitStatus.UNAVAILABLE: 503,
    ExitStatus.NOT_YET_KNOWN: 503,
}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    rfile: BufferedReader
    protocol_version = "HTTP/1.1"
    server_version = "x0tta"
    sys_version = ""
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"
    # Head and body leave apart: else the second waits 40 ms for the first to be acknowledged.
    disable_nagle_algorithm = True
    has_answered = False

    def setup(self) -> None:
        """Shake hands in the connection's own thread, so that a slow client delays no other."""
        if self.server.context:
            self.request = self.server.context.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
        self.server.follow(self.request, self.server.exchange_s)
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
        """Wait for a request, read it and answer it, each in a time of its own."""
        self.server.follow(self.connection, self.server.exchange_s, rests=self.has_answered)
        if not self.rfile.peek(1):
            self.close_connection = True
            return
        self.server.follow(self.connection, self.server.exchange_s)
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
        self.server.follow(self.connection, self.server.exchange_s)
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
        if self.server.is_crowded:
            # Those who wait are let in sooner.
            self.close_connection = True
        self.has_answered = True
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
