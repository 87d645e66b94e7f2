"""How the client is connected: which proxies, which TLS, which headers."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from x0tta_cli import __version__
from x0tta_cli.core import secrets
from x0tta_cli.core.errors import UsageError

if TYPE_CHECKING:
    import httpx

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


def connect(base_url: str, headers: Mapping[str, str]) -> httpx.Client:
    """Make an httpx client for one server; nothing is sent yet. Raises `http.bad_url` (2)."""
    import ssl

    import httpx

    parts = _checked(base_url)
    host = parts.hostname or ""
    stays_here = is_loopback(host)
    _register_secrets(parts, headers)
    # Loading the authorities takes 30 ms. Where no TLS can come up, a context that trusts nobody
    # will do.
    speaks_plain = stays_here and parts.scheme == "http"
    return httpx.Client(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if speaks_plain else True,
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
