"""How the client is connected: which proxies, which TLS, which headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from x0tta_cli import __version__
from x0tta_cli.core import secrets
from x0tta_cli.core.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    import ssl

    import httpx

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class Trust:
    """Files for TLS where the machine's authorities are not enough.

    `ca_file` are the authorities that the server is checked with, in place of the machine's;
    `certificate_file` and `key_file` prove to the server who we are (mutual TLS).
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


def connect(base_url: str, headers: Mapping[str, str], trust: Trust | None = None) -> httpx.Client:
    """Make an httpx client for one server; nothing is sent yet.

    Raises `http.bad_url` (2), and `http.bad_certificate` (9) for files that TLS can't use.
    """
    import sys

    # Its command line, which nobody here runs, would bring rich and pygments along: half its start.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    from urllib.request import getproxies

    import httpx

    parts = _checked(base_url)
    host = parts.hostname or ""
    stays_here = is_loopback(host)
    _register_secrets(parts, headers)
    # Loading the authorities takes 30 ms, and a context that trusts nobody 3. Where no TLS can come
    # up none is needed; httpcore would make its own.
    speaks_plain = parts.scheme == "http" and (stays_here or not getproxies())
    trusting: ssl.SSLContext | bool = _context(trust) if trust is not None else True
    return httpx.Client(
        verify=None if speaks_plain else trusting,  # type: ignore[arg-type]
        base_url=base_url,
        headers={
            "user-agent": f"x0tta/{__version__}",
            # A compressed body can unfold to a thousand times of what was counted on the wire.
            "accept-encoding": "identity",
            **headers,
        },
        follow_redirects=False,
        # No proxy for this host, whatever the environment says.
        mounts={f"all://{_in_url(host)}": None} if stays_here else None,
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine (RFC 6761, section 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _context(trust: Trust) -> ssl.SSLContext:
    import ssl

    try:
        context = ssl.create_default_context(cafile=trust.ca_file)
        if trust.certificate_file is not None:
            context.load_cert_chain(trust.certificate_file, trust.key_file)
    except OSError as error:
        # ssl.SSLError is one; neither says which file it is about.
        files = [
            str(file) for file in (trust.ca_file, trust.certificate_file, trust.key_file) if file
        ]
        raise ConfigurationError(
            "http.bad_certificate",
            f"TLS can't be set up with {', '.join(files)}.",
            reason=f"{error.strerror or error}.",
            fix="Name PEM files that this user may read; the key has to fit its certificate.",
            context={"files": files},
        ) from error
    return context


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _checked(base_url: str) -> SplitResult:
    reason = "It has to begin with http:// or https:// and name a host."
    try:
        parts = urlsplit(base_url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError as error:
        reason = f"{str(error).capitalize()}."
    raise UsageError(
        "http.bad_url",
        f"'{base_url}' is not the URL of a server.",
        reason=reason,
        fix="Write it as http://127.0.0.1:9093 or https://alerts.example.org/prefix.",
        context={"url": base_url},
    )


def _register_secrets(parts: SplitResult, headers: Mapping[str, str]) -> None:
    if parts.password:
        secrets.register(parts.password)
    for name, value in headers.items():
        if name.lower() in _CREDENTIAL_HEADERS or secrets.is_secret_name(name):
            secrets.register(value)
            # Behind the scheme, as in `Bearer TOKEN`.
            secrets.register(value.rpartition(" ")[2])
