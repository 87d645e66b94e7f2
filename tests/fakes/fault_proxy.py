"""A TCP proxy before a fake or a real server that does to connections what networks do.

    with running_proxy(server.base_url) as proxy:
        proxy.fault = Fault.CUT          # the server reads and answers; nobody hears of it
        ...                              # clients talk to proxy.url
        proxy.fault = Fault.NONE

A fault holds for connections that begin while it is set; those that are open are ended when it
changes, so that no client goes on over an old one.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

BUFFER = 65_536


class Fault(Enum):
    """What happens to a connection.

    NONE      it is passed on
    REFUSE    it is reset at once
    DROP      it is taken and what comes is read, but nothing goes on and nothing comes back
    DELAY     it is passed on, each way `delay_s` later
    TRUNCATE  the request is passed on, and of the answer no more than `truncate_at` bytes
    CUT       the request is passed on, and the answer is not: the connection ends in its place
    """

    NONE = "none"
    REFUSE = "refuse"
    DROP = "drop"
    DELAY = "delay"
    TRUNCATE = "truncate"
    CUT = "cut"


class FaultProxy:
    """Passes connections on to one server. `faulty` counts those that met a fault."""

    def __init__(self, target: str, *, delay_s: float, truncate_at: int) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.delay_s, self.truncate_at = delay_s, truncate_at
        self.faulty = 0
        self._fault = Fault.NONE
        self._open: set[socket.socket] = set()
        self._lock, self._ends = Lock(), Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def fault(self) -> Fault:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        with self._lock:
            self._fault = fault
            ending = list(self._open)
        for each in ending:
            _end(each)

    def close(self) -> None:
        self._ends.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.fault = Fault.NONE
        self._thread.join(2)

    def _accept(self) -> None:
        while not self._ends.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            fault = self._fault
            self.faulty += fault is not Fault.NONE
            self._open.add(client)
        try:
            if fault is Fault.REFUSE:
                # Closing with this option sends a reset.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif fault is Fault.DROP:
                _swallow(client)
            else:
                self._pass_on(client, fault)
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def _pass_on(self, client: socket.socket, fault: Fault) -> None:
        try:
            server = socket.create_connection(self._target, 5)
        except OSError:
            return
        delay_s = self.delay_s if fault is Fault.DELAY else 0.0
        limit = {Fault.CUT: 0, Fault.TRUNCATE: self.truncate_at}.get(fault)
        with server:
            with self._lock:
                self._open.add(server)
            up = Thread(target=_pump, args=(client, server, delay_s, None), daemon=True)
            up.start()
            _pump(server, client, delay_s, limit)
            _end(client)
            _end(server)
            up.join(5)
            with self._lock:
                self._open.discard(server)


@contextmanager
def running_proxy(
    target: str, *, delay_s: float = 0.3, truncate_at: int = 20
) -> Iterator[FaultProxy]:
    """Stand before the server at a URL, on a free port of 127.0.0.1."""
    proxy = FaultProxy(target, delay_s=delay_s, truncate_at=truncate_at)
    try:
        yield proxy
    finally:
        proxy.close()


def _pump(source: socket.socket, sink: socket.socket, delay_s: float, limit: int | None) -> None:
    """Pass on what comes until there is no more, or `limit` bytes were passed."""
    passed = 0
    with suppress(OSError):
        while content := source.recv(BUFFER):
            if delay_s:
                time.sleep(delay_s)
            if limit is not None:
                content = content[: limit - passed]
            if content:
                sink.sendall(content)
            passed += len(content)
            if limit is not None and passed >= limit:
                return
        sink.shutdown(socket.SHUT_WR)


def _swallow(client: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(BUFFER):
            pass


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
