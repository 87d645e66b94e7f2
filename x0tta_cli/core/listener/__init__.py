"""A small HTTP server in threads, for webhooks, metrics and health: protected, bounded, quiet.

    with listen("127.0.0.1:9790", answer, token=settings.token) as listener:
        ...

It stands on loopback, or demands a bearer token or a client certificate. Head and body of a
request have to come within half a minute altogether, however slowly a client drips them. Where
more clients come than it serves at once, the others wait until it is their turn.

Sources: RFC 9110, RFC 9112 (6.3, message body length; 9.6, closing), RFC 6750 (bearer tokens).
"""

from __future__ import annotations

from x0tta_cli.core.listener.certificates import TlsFiles
from x0tta_cli.core.listener.listening import Listener, listen
from x0tta_cli.core.listener.messages import Answer, Handle, Request

__all__ = ["Answer", "Handle", "Listener", "Request", "TlsFiles", "listen"]
