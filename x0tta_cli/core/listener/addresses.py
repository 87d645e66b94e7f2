"""Where a listener stands, and who gets there."""

from __future__ import annotations

import ipaddress
import socket

from x0tta_cli.core.errors import UsageError


def parsed(address: str) -> tuple[str, int]:
    """Read HOST:PORT; raises UsageError `listener.bad_address`."""
    host, colon, port = address.strip().rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isdecimal() or int(port) > 65_535 or (":" in host) != is_bracketed:
        raise bad_address(address, "It has to be HOST:PORT; an address of IPv6 in brackets.")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine gets there; a name may stand for several addresses."""
    return all(ipaddress.ip_address(found[1][0]).is_loopback for found in addresses(host, 0))


def addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Find where a host is; an empty one is every address of the machine. Raises as `parsed`."""
    if not host:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        return [(family, ("::" if family == socket.AF_INET6 else "0.0.0.0", port))]  # noqa: S104
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise bad_address(f"{url_host(host)}:{port}", f"{error}.") from None
    # A scope (fe80::1%eth0) stands in the fourth place and goes with the address's text.
    return [(family, (str(address[0]), int(address[1]))) for family, *_, address in found]


def url_host(host: str) -> str:
    """Write a host as in a URL."""
    if not host:
        return "localhost"
    return f"[{host}]" if ":" in host else host


def bad_address(address: str, reason: str) -> UsageError:
    """Word why nothing can stand on an address."""
    return UsageError(
        "listener.bad_address",
        f"It is not possible to listen on '{address}'.",
        reason=reason,
        fix="Write it as 127.0.0.1:9790 or [::1]:9790, with an address of this machine.",
        context={"address": address},
    )


def unprotected(address: str) -> UsageError:
    """Word that anybody could come to an address."""
    return UsageError(
        "listener.unprotected",
        f"{address} can be reached from other machines, and nothing protects it.",
        reason="Beyond loopback a listener needs a bearer token or client certificates.",
        fix="Configure one of them, or listen on 127.0.0.1.",
        context={"address": address},
    )
