"""Servers that the configuration names: whether they can be reached, and speak as they should."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import SplitResult, urlsplit

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.secrets import redact

ANSWER_S = 3.0
# PostgreSQL's SSLRequest: its length and its number; the answer is one letter.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server: its name, and how its address is asked whether all is well.

    A key of the configuration is its address when the key's name has the server's in it and its
    value is a URL, so that every capability that names such a server is served.
    """

    name: str
    schemes: tuple[str, ...]
    ask: Callable[[str], str]


def configured(surroundings: Surroundings, server: Server) -> Iterator[tuple[str, str]]:
    """Give the keys that name such a server, and its addresses."""
    for key, value in surroundings.settings():
        text = _plain(value)
        is_meant = server.name in key and urlsplit(text).scheme in server.schemes
        if is_meant:
            yield key, text


def http_addresses(surroundings: Surroundings) -> list[str]:
    """List the addresses of all configured servers that speak HTTP."""
    return [
        address
        for server in SERVERS
        if "http" in server.schemes
        for _, address in configured(surroundings, server)
    ]


def look_at(server: Server, surroundings: Surroundings) -> Observed:
    """Ask each configured address of a server."""
    addresses = list(configured(surroundings, server))
    if not addresses:
        return Observed(findings=(_not_configured(server),))
    findings, reached = [], []
    for key, address in addresses:
        try:
            problem = server.ask(address)
        except OperatorError as error:
            problem = error.reason or str(error)
        except OSError as error:
            problem = f"{error}."
        if problem:
            findings.append(_unreachable(server, key, address, problem))
        else:
            reached.append(f"{server.name} at {urlsplit(address).hostname}")
    return Observed(", ".join(reached), tuple(findings))


def ask_http(path: str, address: str) -> str:
    """Ask whether a server is ready; what is wrong, or nothing. Raises `http.unreachable` (7)."""
    from x0tta_cli.core.http import Client

    with Client(address, timeout_s=ANSWER_S, retries=0) as client:
        status = client.request("GET", path).status
    # One that asks who we are is there: what it needs to know is for the command that uses it.
    return "" if status in {200, 401, 403} else f"It answers {path} with status {status}."


def ask_postgresql(address: str) -> str:
    """Ask a PostgreSQL server for TLS, which it answers before it knows who asks."""
    parts = urlsplit(address)
    with socket.create_connection(_place(parts), timeout=ANSWER_S) as connection:
        connection.sendall(SSL_REQUEST)
        answer = connection.recv(1)
    return "" if answer in {b"S", b"N"} else "Something else than PostgreSQL answers there."


SERVERS = (
    Server("prometheus", ("http", "https"), partial(ask_http, "/-/ready")),
    Server("alertmanager", ("http", "https"), partial(ask_http, "/-/ready")),
    Server("kubernetes", ("http", "https"), partial(ask_http, "/readyz")),
    Server("postgres", ("postgresql", "postgres"), ask_postgresql),
)
CHECKS = tuple(Check(server.name, partial(look_at, server), is_remote=True) for server in SERVERS)


def _plain(value: object) -> str:
    reveal = getattr(value, "get_secret_value", None)
    return str(reveal() if reveal else value)


def _place(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "localhost", parts.port or 5432


def _not_configured(server: Server) -> Finding:
    return Finding(
        "doctor.server_not_configured",
        Severity.INFO,
        server.name,
        f"The configuration names no {server.name}.",
        "x0tta config schema shows the keys that there are.",
    )


def _unreachable(server: Server, key: str, address: str, problem: str) -> Finding:
    shown = redact(address)
    is_http = "http" in server.schemes
    return Finding(
        "doctor.server_unreachable",
        Severity.ERROR,
        key,
        f"{server.name} at {shown} is not ready.",
        f"curl -v {shown}" if is_http else f"pg_isready -d {shown}",
        redact(problem),
    )
