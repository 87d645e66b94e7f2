"""Servers that the configuration names: whether they can be reached, and speak as they should."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from x0tta_cli.core.doctor.model import Check, Finding, Observed, Surroundings
from x0tta_cli.core.doctor.settings import DoctorSettings
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.secrets import redact

if TYPE_CHECKING:
    from x0tta_cli.core.http.connection import Trust

ANSWER_S = 3.0
# OpenSSL's name for a certificate of an authority that is not known here.
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
# PostgreSQL's SSLRequest: its length and its number; the answer is one letter.
# https://www.postgresql.org/docs/current/protocol-message-formats.html
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of server: its name, and how its address is asked whether all is well."""

    name: str
    schemes: tuple[str, ...]
    ask: Callable[[Address], str]

    @property
    def speaks_http(self) -> bool:
        """Whether its scheme is that of other servers as well, and its answers have a date."""
        return "http" in self.schemes


@dataclass(frozen=True, slots=True)
class Address:
    """Where a configured server is, by the key that says so; whom its TLS trusts."""

    key: str
    url: str
    trust: Trust | None = None


def configured(surroundings: Surroundings, server: Server) -> Iterator[Address]:
    """Find the URLs of such a server, whichever capability names it.

    A key has them when its name has the server's in it (`prometheus_url`), when the `kind` beside
    it is the server's name, or when no other server has such URLs.
    """
    settings = dict(surroundings.settings())
    for key, value in settings.items():
        table, _, name = key.rpartition(".")
        is_named = server.name in name or settings.get(f"{table}.kind") == server.name
        if not is_named and server.speaks_http:
            continue
        for text in map(_plain, value if isinstance(value, list | tuple) else [value]):
            if urlsplit(text).scheme in server.schemes:
                yield Address(key, text, _trust(table, settings))


def http_addresses(surroundings: Surroundings) -> list[Address]:
    """List the addresses of all configured servers that speak HTTP."""
    return [
        address
        for server in SERVERS
        if server.speaks_http
        for address in configured(surroundings, server)
    ]


def look_at(server: Server, surroundings: Surroundings) -> Observed:
    """Ask each configured address of a server."""
    addresses = list(configured(surroundings, server))
    if not addresses:
        return Observed(findings=(_not_configured(server),))
    findings, reached = [], []
    for address in addresses:
        try:
            problem = server.ask(address)
        except OperatorError as error:
            problem = error.reason or str(error)
            if UNTRUSTED in problem:
                # Whose authority a cluster has of its own is for the command that uses it to know.
                problem = ""
        except OSError as error:
            problem = f"{error.strerror or error}."
        if problem:
            findings.append(_unreachable(server, address, problem))
        else:
            reached.append(f"{server.name} at {urlsplit(address.url).hostname}")
    return Observed(", ".join(reached), tuple(findings))


def ask_http(path: str, address: Address) -> str:
    """Ask whether a server is ready; what is wrong, or nothing. Raises `http.unreachable` (7)."""
    from x0tta_cli.core.http import Client

    with Client(address.url, timeout_s=ANSWER_S, retries=0, trust=address.trust) as client:
        status = client.request("GET", path).status
    # One that asks who we are is there: what it needs to know is for the command that uses it.
    return "" if status in {200, 401, 403} else f"It answers {path} with status {status}."


def ask_postgresql(address: Address) -> str:
    """Ask a PostgreSQL server for TLS, which it answers before it knows who asks."""
    place = _place(urlsplit(address.url))
    with socket.create_connection(place, timeout=ANSWER_S) as connection:
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


def _trust(table: str, settings: Mapping[str, object]) -> Trust | None:
    from x0tta_cli.core.http.connection import Trust

    files = [
        path if isinstance(path, Path) else None
        for path in (settings.get(f"{table}.{field.name}") for field in fields(Trust))
    ]
    return Trust(*files) if any(files) else None


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
        f"x0tta config set doctor.{own} URL"
        if (own := f"{server.name}_url") in DoctorSettings.model_fields
        else "x0tta config schema shows the keys that there are.",
    )


def _unreachable(server: Server, address: Address, problem: str) -> Finding:
    parts = urlsplit(address.url)
    place = parts.netloc.rpartition("@")[2]
    shown = redact(parts._replace(netloc=place, query="").geturl())
    host, port = _place(parts)
    return Finding(
        "doctor.server_unreachable",
        Severity.ERROR,
        address.key,
        f"{server.name} at {shown} is not ready.",
        f"curl -v {shown}" if server.speaks_http else f"pg_isready -h {host} -p {port}",
        redact(problem),
    )
