"""A port that is free now."""

from __future__ import annotations

import socket


def free_port() -> str:
    """Name a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
