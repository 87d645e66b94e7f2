"""A mail server: aiosmtpd's, which speaks RFC 5321, 3207 (STARTTLS) and 4954 (AUTH) by itself.

What it is told to refuse, it refuses with the codes of RFC 5321, section 4.2.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Taken:
    """A message, for whom it came, and whether its connection was protected."""

    mail: EmailMessage
    recipients: tuple[str, ...]
    was_protected: bool
    size_bytes: int


@dataclass
class Post:
    """What the server does; a test may change it while it runs.

    `refuses` has answers by recipient, `refuses_sender` and `refuses_text` one for all. `hangs` is
    a command after which nothing is said any more; `cuts` has the numbers of the texts that are
    taken and not answered: the connection ends.
    """

    host: str = "127.0.0.1"
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0
    refuses: dict[str, str] = field(default_factory=dict)
    refuses_sender: str = ""
    refuses_text: str = ""
    hangs: str = ""
    cuts: set[int] = field(default_factory=set)

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        await self._perhaps_hang("EHLO")
        return responses

    async def handle_MAIL(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self.refuses_sender:
            return self.refuses_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        await self._perhaps_hang("RCPT")
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await self._perhaps_hang("DATA")
        if self.refuses_text:
            return self.refuses_text
        content = envelope.original_content or b""
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.taken.append(
            Taken(parsed, tuple(envelope.rcpt_tos), session.ssl is not None, len(content))
        )
        if len(self.taken) in self.cuts:
            server.transport.abort()
        return "250 OK: queued as 4711"

    async def _perhaps_hang(self, command: str) -> None:
        while self.hangs == command:
            await asyncio.sleep(0.02)


@contextmanager
def running_post(
    certificate: tuple[Path, Path] | None = None,
    *,
    implicit: bool = False,
    password: str = "",
) -> Iterator[Post]:
    """Serve on a free port of 127.0.0.1.

    With a certificate it offers STARTTLS, or speaks TLS from the first byte where `implicit`. With
    a password it demands a login as 'alerts', under TLS alone.
    """
    post = Post()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        post.logins.append(given)
        is_known = given == ("alerts", password)
        # Not handled here: aiosmtpd then answers 535 by itself.
        return AuthResult(success=is_known, handled=False)

    controller = Controller(
        post,
        hostname=post.host,
        # It asks the port that it was given whether it has started: 0 would be none.
        port=_free_port(),
        server_hostname="mail.test",
        tls_context=None if implicit else context,
        ssl_context=context if implicit else None,
        authenticator=authenticate if password else None,
        auth_required=bool(password),
        auth_require_tls=not implicit,
    )
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        post.hangs = ""
        controller.stop()


def make_certificate(folder: Path, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """Make a certificate that signs itself, for a name; gives it and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=mail",
         "-addext", f"subjectAltName={name}"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
