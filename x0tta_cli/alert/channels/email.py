"""The channel `email`: a mail server takes each message, for each recipient by itself.

Every recipient is a peer, so that one whose mailbox is full or gone costs the others nothing, and
`outbox list` shows who has what. A server that has taken a message says no more than that it will
hand it on. Where the connection is cut after the text was sent, nobody knows whether it was taken:
it is sent again under the same Message-ID, and may come twice.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 3463 (codes).
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Timer

from x0tta_cli.alert.channels.email_message import THREAD, address_of, compose, thread_of
from x0tta_cli.alert.channels.protocol import Outcome, Traits
from x0tta_cli.alert.model import DeliveryState, Message
from x0tta_cli.alert.settings import EmailChannel
from x0tta_cli.core.errors import ConfigurationError, UnavailableError
from x0tta_cli.core.secrets import redact, register
from x0tta_cli.core.text import escape

# One connection takes so many, so that a storm costs few handshakes.
BATCH_SIZE = 20
MAX_WORDS = 300
# What is longer than the server takes (RFC 5321, 4.2.3): this message alone, not the sender.
TOO_LARGE = 552


def open_channel(name: str, settings: EmailChannel, timeout_s: float) -> Email:
    """Make the channel; raises `http.bad_certificate` (9) for a `ca_file` that TLS can't use."""
    return Email(name, settings, timeout_s)


class _NotForUsError(Exception):
    """The server refuses us as a whole: whatever the message is."""


class Email:
    """Sends each message once, over one connection for each batch."""

    kind = "email"

    def __init__(self, name: str, settings: EmailChannel, timeout_s: float) -> None:
        self.name = name
        self.traits = Traits(batch_size=BATCH_SIZE, max_attempt_s=6 * timeout_s)
        self._settings, self._timeout_s = settings, timeout_s
        self._password = settings.password.get_secret_value() if settings.password else ""
        register(self._password)
        self._context = None if settings.protection == "none" else _context(settings)

    def peers(self) -> tuple[str, ...]:
        """Name the recipients by their addresses."""
        return tuple(dict.fromkeys(map(address_of, self._settings.recipients)))

    def close(self) -> None:
        """Close nothing: connections end with each batch."""

    def reach(self, peer: str) -> str:
        """Connect and log in; raises UnavailableError `alert.smtp_unavailable`."""
        try:
            with self._session() as server:
                server.noop()
        except _NotForUsError as error:
            raise self._unavailable(str(error)) from error
        return f"{self._server} takes mail for {peer}"

    def deliver(
        self,
        peer: str,
        batch: Sequence[Message],
        memory: Mapping[str, str],  # noqa: ARG002 - nothing is remembered of a server
    ) -> Sequence[Outcome]:
        """Send each message to one recipient; raises UnavailableError `alert.smtp_unavailable`."""
        outcomes: list[Outcome] = []
        try:
            with self._session() as server:
                for message in batch:
                    # What was taken counts, also where a later one ends the connection.
                    outcomes.append(self._send(server, peer, message))  # noqa: PERF401
        except _NotForUsError as error:
            rest = Outcome(DeliveryState.QUEUED, str(error), disables=True)
            return outcomes + [rest] * (len(batch) - len(outcomes))
        except UnavailableError as error:
            if not outcomes:
                raise
            # What the server has taken must not be sent again with the rest.
            rest = Outcome(DeliveryState.QUEUED, f"{error} {error.reason}")
            return outcomes + [rest] * (len(batch) - len(outcomes))
        return outcomes

    def _send(self, server: smtplib.SMTP, peer: str, message: Message) -> Outcome:
        sender = self._settings.sender
        mail = compose(message, sender, self._settings.recipients, datetime.now(UTC))
        try:
            server.send_message(mail, address_of(sender), [peer])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, words)] = error.recipients.values()
            return _refused(code, words)
        except smtplib.SMTPSenderRefused as error:
            if 500 <= error.smtp_code < 600 and error.smtp_code != TOO_LARGE:
                raise _NotForUsError(_words(error.smtp_code, error.smtp_error)) from error
            return _refused(error.smtp_code, error.smtp_error)
        except smtplib.SMTPDataError as error:
            return _refused(error.smtp_code, error.smtp_error)
        return Outcome(
            DeliveryState.HANDED_ON,
            f"{self._server} has taken it",
            remember={THREAD: thread_of(message, sender)},
        )

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Connect, protect the connection and log in.

        Raises UnavailableError `alert.smtp_unavailable`, and _NotForUsError where trying again soon
        is no use.
        """
        server = self._unconnected()
        # Each step has its time-out; a server that drips would get a new one with every byte.
        timer = Timer(self.traits.max_attempt_s, _cut, [server])
        timer.daemon = True
        timer.start()
        try:
            self._connect(server)
            yield server
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        except smtplib.SMTPNotSupportedError as error:
            raise _NotForUsError(f"{self._server}: {escape(str(error))}") from error
        except smtplib.SMTPResponseException as error:
            words = _words(error.smtp_code, error.smtp_error)
            if 500 <= error.smtp_code < 600:
                raise _NotForUsError(words) from error
            raise self._unavailable(words) from error
        except ssl.SSLCertVerificationError as error:
            raise _NotForUsError(f"{self._server}: {error.verify_message}") from error
        except OSError as error:
            raise self._unavailable(escape(error.strerror or str(error))) from error
        finally:
            timer.cancel()
            server.close()

    def _unconnected(self) -> smtplib.SMTP:
        settings = self._settings
        # Never the DNS: asking it who we are could take longer than all the rest. RFC 5321, 4.1.4.
        host = socket.gethostname()
        name = host if "." in host else "[127.0.0.1]"
        if settings.protection == "tls":
            assert self._context is not None  # noqa: S101 - it is made with the channel
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                local_hostname=name, timeout=self._timeout_s, context=self._context
            )
        else:
            server = smtplib.SMTP(local_hostname=name, timeout=self._timeout_s)
        # The library notes whom to verify only where it connects at once.
        vars(server)["_host"] = settings.host
        return server

    def _connect(self, server: smtplib.SMTP) -> None:
        settings = self._settings
        code, words = server.connect(settings.host, settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        server.ehlo_or_helo_if_needed()
        if settings.protection == "starttls":
            code, words = server.starttls(context=self._context)
            if code != 220:
                raise smtplib.SMTPResponseException(code, words)
            server.ehlo_or_helo_if_needed()
        if settings.username is not None:
            try:
                server.login(settings.username, self._password)
            except UnicodeError:
                raise _NotForUsError("name and password have to be ASCII for SMTP") from None

    @property
    def _server(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _unavailable(self, words: str) -> UnavailableError:
        return UnavailableError(
            "alert.smtp_unavailable",
            f"The mail server {self._server} takes nothing now.",
            reason=f"It says: {words}",
            fix="See whether it is up, and host, port, security, username and password of the "
            "channel.",
            retryable=True,
            context={"server": self._server},
        )


def _context(settings: EmailChannel) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigurationError(
            "http.bad_certificate",
            f"TLS can't be set up with {settings.ca_file}.",
            reason=f"{error.strerror or error}.",
            fix="Name a PEM file that this user may read.",
            context={"files": [str(settings.ca_file)]},
        ) from error


def _refused(code: int, words: bytes | str) -> Outcome:
    """Judge a refusal by its first digit: 4 is for now, 5 for ever (RFC 5321, section 4.2.1)."""
    state = DeliveryState.REJECTED if 500 <= code < 600 else DeliveryState.QUEUED
    return Outcome(state, _words(code, words))


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return redact(escape(" ".join(f"{code} {text}".split())))[:MAX_WORDS]


def _cut(server: smtplib.SMTP) -> None:
    sock = server.sock
    if sock is not None:
        # Not TLS's own way: that would pull the state away under the thread that reads.
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
