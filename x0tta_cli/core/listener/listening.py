"""Opens a listener for a block."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from x0tta_cli.core.errors import ConflictError, NotPermittedError
from x0tta_cli.core.listener.addresses import (
    addresses,
    bad_address,
    is_loopback,
    parsed,
    unprotected,
    url_host,
)
from x0tta_cli.core.listener.certificates import TlsFiles, context_of, load
from x0tta_cli.core.listener.messages import Handle
from x0tta_cli.core.listener.server import POLL_S, Server

if TYPE_CHECKING:
    from pydantic import SecretStr

MAX_BODY_BYTES = 1 << 20
MAX_CONNECTIONS = 64
EXCHANGE_S = 30.0


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the server stands; `port` is the one that the system chose where 0 was asked for."""

    url: str
    port: int
    reload_certificates: Callable[[], None]


@contextmanager
def listen(
    address: str,
    handle: Handle,
    *,
    token: SecretStr | None = None,
    tls: TlsFiles | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_connections: int = MAX_CONNECTIONS,
    exchange_s: float = EXCHANGE_S,
) -> Iterator[Listener]:
    """Serve on `HOST:PORT` for as long as the block runs; `handle` is called in several threads.

    An empty host is every address of the machine, port 0 any free one. An OperatorError that
    `handle` raises becomes the HTTP status that fits (503 where trying again helps) with its
    RFC 9457 object. At the end requests that were begun are answered, for `DRAIN_S` at most.
    `max_connections` are served at once, and each has `exchange_s` seconds to ask.

    Raises UsageError `listener.bad_address`, `listener.unprotected` (neither loopback nor token
    nor client certificates), `listener.bad_certificate`; ConflictError `listener.address_in_use`;
    NotPermittedError `listener.not_permitted`; `files.not_found`.
    """
    host, port = parsed(address)
    if not token and not (tls and tls.client_authorities) and not is_loopback(host):
        raise unprotected(address)
    context = context_of(tls)
    server = _open(host, port, address, max_connections)
    server.exchange_s = exchange_s
    server.handle, server.context, server.max_body_bytes = handle, context, max_body_bytes
    server.token = token.get_secret_value().encode() if token else None
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
    thread.start()
    try:
        yield Listener(
            f"{'https' if tls else 'http'}://{url_host(host)}:{server.server_port}",
            server.server_port,
            lambda: load(context, tls) if context and tls else None,
        )
    finally:
        server.is_ending = True
        server.shutdown()
        thread.join()
        server.end()


def _open(host: str, port: int, address: str, max_connections: int) -> Server:
    family, where = addresses(host, port)[0]
    try:
        return Server(family, where, max_connections)
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
        raise bad_address(address, f"{error.strerror}.") from None
