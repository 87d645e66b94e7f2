"""Hosts as operators write them, turned into addresses."""

from __future__ import annotations

import ipaddress
import socket

from x0tta_cli.core.errors import NotFoundError
from x0tta_cli.ebpf.addresses import Address


def resolve(host: str) -> list[Address]:
    """Give the addresses of a host, one where it is an address; NotFoundError `ebpf.no_such_host`.

    Names are resolved before anything is attached: afterwards the answer might not come back.
    """
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotFoundError(
            "ebpf.no_such_host",
            f"The host '{host}' is not known.",
            reason=f"{error.strerror or error}.",
            fix="Give its address.",
            context={"host": host},
        ) from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return list(dict.fromkeys(addresses))
