"""The channel `apprise`: the long tail of services, by the library of that name.

apprise says whether a service took a message, and not what became of it: `handed_on`. Where it did
not, its log alone tells why; the words are kept, its URLs are not: they hold the secrets, and so do
the addresses that it makes of them. A text that a service takes only in pieces is sent in pieces;
where one of them fails, all are sent again.

Source: https://github.com/caronc/apprise/wiki (URLs; `Development_API`).
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from x0tta_cli.alert.channels.plain_text import text_of, title_of
from x0tta_cli.alert.channels.protocol import Outcome, Traits
from x0tta_cli.alert.model import Action, DeliveryState, Message
from x0tta_cli.alert.settings import AppriseChannel
from x0tta_cli.core import secrets
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.extras import require
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.text import escape

# Services that take pieces of 2,000 characters would ring forty times for more.
MAX_TEXT_BYTES = 20_000
MAX_WORDS = 300
# A shorter piece of a URL is a word such as 'alerts', and would tear holes into other texts.
SHORTEST_TOKEN = 8
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
# The place of a host may hold a token (slack://…), which has no dots in it.
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+|localhost", re.IGNORECASE)


def open_channel(name: str, settings: AppriseChannel, timeout_s: float) -> Apprise:
    """Make the channel; raises `extras.missing` (8) and ConfigurationError `alert.bad_apprise_url`.

    Nothing is sent.
    """
    require("apprise")
    return Apprise(name, settings, timeout_s)


class Apprise:
    """Notifies each service that the URL names; every one of them is a peer."""

    kind = "apprise"

    def __init__(self, name: str, settings: AppriseChannel, timeout_s: float) -> None:
        _keep_quiet()
        from apprise import Apprise as Library

        self.name = name
        # It waits 5.5 s between the pieces of a text for most services.
        self.traits = Traits(max_attempt_s=12 * timeout_s)
        url = settings.url.get_secret_value()
        _register_secrets(url)
        library = Library()
        if not library.add(url) or not len(library):
            raise _bad_url(name)
        self._services = _named(library)
        for service in self._services.values():
            _prepare(service, timeout_s)

    def peers(self) -> tuple[str, ...]:
        """Name the services by the scheme of their URL: anything else of it may be a secret."""
        return tuple(self._services)

    def close(self) -> None:
        """Close nothing: the library keeps no connections."""

    def reach(self, peer: str) -> str:
        """Say that nobody knows: the library can't ask without telling."""
        return f"{peer} is configured; apprise can't ask it without telling"

    def deliver(
        self,
        peer: str,
        batch: Sequence[Message],
        memory: Mapping[str, str],  # noqa: ARG002 - nothing is remembered
    ) -> Sequence[Outcome]:
        """Hand each message on, once."""
        return [self._notify(peer, message) for message in batch]

    def _notify(self, peer: str, message: Message) -> Outcome:
        from apprise import Apprise as Library
        from apprise import NotifyFormat

        # A library of its own for each call: one service, in this thread.
        library = Library()
        library.add(self._services[peer])
        with _caught_lines() as lines:
            answer = library.notify(
                body=text_of(message, MAX_TEXT_BYTES),
                title=title_of(message),
                notify_type=_type_of(message),
                body_format=NotifyFormat.TEXT,
            )
        if answer:
            return Outcome(DeliveryState.HANDED_ON, f"{peer} has taken it")
        # None says that nobody was asked, False that one or more pieces were not taken.
        # Releases from 2.0 on work in threads of their own, and give what they logged.
        logged = getattr(answer, "logs", None)
        said = " ".join(
            _word(line) for line in ([e.message for e in logged()] if logged else lines)
        )
        words = said or "apprise could not deliver it, and does not say why"
        return Outcome(DeliveryState.QUEUED, words[:MAX_WORDS])


def _type_of(message: Message) -> Any:
    from apprise import NotifyType

    if message.action is Action.RESOLVE:
        return NotifyType.SUCCESS
    return {
        Severity.INFO: NotifyType.INFO,
        Severity.WARNING: NotifyType.WARNING,
    }.get(message.notice.severity, NotifyType.FAILURE)


def _named(services: Any) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for service in services:
        scheme = str(service.schema or "apprise")
        name, number = scheme, 2
        while name in named:
            name, number = f"{scheme}-{number}", number + 1
        named[name] = service
    return named


def _prepare(service: Any, timeout_s: float) -> None:
    from apprise import OverflowMode

    service.overflow_mode = OverflowMode.SPLIT
    service.socket_connect_timeout = timeout_s
    service.socket_read_timeout = timeout_s


def _register_secrets(url: str) -> None:
    """Remember all pieces of the URL that can be secret; each service has its own order of them."""
    secrets.register(url)
    parts = urlsplit(url)
    pieces = [
        *(piece for piece in re.split(r"[@:]", parts.netloc) if not _HOST.fullmatch(piece)),
        *parts.path.split("/"),
        *(value for _, value in parse_qsl(parts.query)),
    ]
    # What is a password, and not only the name of a host or folder, may be shorter.
    for piece in {*pieces, *map(unquote, pieces)}:
        if len(piece) >= SHORTEST_TOKEN:
            secrets.register(piece)
    password = parts.netloc.rpartition("@")[0].rpartition(":")[2]
    secrets.register(unquote(password))


def _keep_quiet() -> None:
    """Let the library's log reach nobody but the channel: at -v it would tell URLs and texts."""
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).propagate = False


class _Catcher(logging.Handler):
    """Keeps what one thread logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        if threading.get_ident() == self._thread:
            self.lines.append(record.getMessage())


@contextmanager
def _caught_lines() -> Iterator[list[str]]:
    """Catch the library's warnings of this thread for the block."""
    logger, catcher = logging.getLogger("apprise"), _Catcher()
    logger.addHandler(catcher)
    try:
        yield catcher.lines
    finally:
        logger.removeHandler(catcher)


def _word(line: str) -> str:
    """Take URLs and secrets out of a line."""
    return secrets.redact(escape(_URL.sub(secrets.HIDDEN, line)))


def _bad_url(name: str) -> ConfigurationError:
    return ConfigurationError(
        "alert.bad_apprise_url",
        f"apprise can't use the URL of the channel {name}.",
        reason="It knows no such service, or something in the URL is missing.",
        fix=f"Correct the secret to which url of [alert.channels.{name}] points.",
        context={"channel": name},
    )
