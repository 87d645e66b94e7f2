"""The socket, its connections, and who serves them."""

from __future__ import annotations

import logging
import select
import socket
import ssl
import time
from contextlib import suppress
from http.server import ThreadingHTTPServer
from threading import BoundedSemaphore, Lock
from typing import Any

from x0tta_cli.core.listener.handler import Handler
from x0tta_cli.core.listener.messages import Handle

log = logging.getLogger(__name__)

DRAIN_S = 5.0
POLL_S = 0.1


class Server(ThreadingHTTPServer):
    """The socket, its connections, and who serves them; each connection has a thread."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    # Who finds no place in it tries again (tcp(7)); net.core.somaxconn bounds it, too.
    request_queue_size = 1024

    handle: Handle
    context: ssl.SSLContext | None
    token: bytes | None
    max_body_bytes: int
    exchange_s: float

    def __init__(
        self, family: socket.AddressFamily, address: tuple[str, int], max_connections: int
    ) -> None:
        self.address_family = family
        self._connections: dict[socket.socket, float | None] = {}
        # Those that were served and may ask for more, or not.
        self._resting: set[socket.socket] = set()
        self._lock = Lock()
        self.is_crowded = self.is_ending = False
        self._free = BoundedSemaphore(max_connections)
        super().__init__(address, Handler)

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
        """Give a connection a thread, as soon as there is one for it; the others queue behind it.

        The serving loop calls this, which meanwhile takes nobody in.
        """
        while not self._free.acquire(timeout=POLL_S if self.is_crowded else 0):
            if self.is_ending:
                self.shutdown_request(request)
                return
            if not self.is_crowded:
                log.info("too many connections, some have to wait")
            self.is_crowded = True
            self._make_room()
            self.service_actions()
        self.is_crowded = self.is_crowded and _has_more(self.socket)
        super().process_request(request, client_address)

    def _make_room(self) -> None:
        """End connections that have had their answer and ask for nothing now."""
        with self._lock:
            resting = list(self._resting)
        for connection in resting:
            cut(connection, socket.SHUT_RD)

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
            cut(connection, socket.SHUT_RDWR)

    def follow(
        self, connection: socket.socket, seconds: float | None, *, rests: bool = False
    ) -> None:
        """Give a connection that long for what it does now; None is no limit."""
        with self._lock:
            self._connections[connection] = time.monotonic() + seconds if seconds else None
            (self._resting.add if rests else self._resting.discard)(connection)

    def forget(self, connection: socket.socket) -> None:
        """Stop following a connection that has ended."""
        with self._lock:
            self._connections.pop(connection, None)
            self._resting.discard(connection)

    def end(self) -> None:
        """Take no more requests, and let those that were begun be answered."""
        self.server_close()
        with self._lock:
            open_now = list(self._connections)
        for connection in open_now:
            cut(connection, socket.SHUT_RD)
        end_s = time.monotonic() + DRAIN_S
        while self._connections and time.monotonic() < end_s:
            time.sleep(POLL_S / 10)


def cut(connection: socket.socket, how: int) -> None:
    """End a connection under a thread that reads it; TLS's own way would pull its state away."""
    with suppress(OSError):
        socket.socket.shutdown(connection, how)


def _has_more(listening: socket.socket) -> bool:
    """Whether somebody waits to be taken in."""
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    return bool(poll.poll(0))
