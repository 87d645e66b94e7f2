"""Notices: the one form in which every capability reports an event, and who takes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

# The most that a deduplication key may have at PagerDuty (`dedup_key`, Events API v2).
MAX_KEY_LENGTH = 255
# These say how bad and how often; a notice that only gets worse is still the same notice.
_NOT_IDENTIFYING = frozenset({"severity"})


class Severity(StrEnum):
    """How bad it is, in the four words of PagerDuty's Events API v2."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is behind a notice, facts kept apart from guesses and from ignorance.

    `observed` are measured numbers, `inferred` is what a model or rule concluded from them, and
    `unknown` is what could not be measured: absence of data is not evidence.
    """

    observed: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One event that someone should know of.

    `labels` identify what it is about and stay the same as long as it lasts; measured values and
    texts belong into `annotations`. `ends_at` is None while the end is not known.
    """

    name: str
    severity: Severity
    labels: Mapping[str, str]
    starts_at: datetime
    annotations: Mapping[str, str] = field(default_factory=dict)
    ends_at: datetime | None = None
    explanation: Explanation = field(default_factory=Explanation)
    source_url: str = ""
    runbook_url: str = ""

    def key(self) -> str:
        """Give the deduplication key: name and identifying labels, in any order, hashed.

        Severity, annotations and times are no part of it, so that a notice that gets worse or
        comes again updates the one that is open. At most 255 characters, of which 64 tell notices
        apart and the others tell a reader which it is.
        """
        digest = hashlib.sha256()
        for text in (self.name, *self._identity()):
            # What is no Unicode is '?', as in all that is kept and sent.
            written = text.encode("utf-8", "replace")
            # The length goes first, so that no two sequences of texts give the same bytes.
            digest.update(f"{len(written)}:".encode() + written)
        readable = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in self.name)
        return f"x0tta-{readable[: MAX_KEY_LENGTH - 71]}-{digest.hexdigest()}"

    def _identity(self) -> list[str]:
        # An empty label is no label: Alertmanager drops it.
        identifying = {
            name: value
            for name, value in self.labels.items()
            if value and name not in _NOT_IDENTIFYING
        }
        return [text for pair in sorted(identifying.items()) for text in pair]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one notice on one channel.

    `channel` is the kind ("alertmanager"), `peer` who took it (a URL without its secrets),
    `state` how far it got ("visible", "acknowledged", "queued"), `attempts` how many tries it took.
    """

    channel: str
    peer: str
    state: str
    attempts: int
    detail: str = ""


class Notifier(Protocol):
    """Whoever takes notices; both calls raise `UnavailableError` where nobody took them."""

    def deliver(self, notice: Notice) -> Delivery:
        """Open the notice, or update the one with the same key."""
        ...

    def resolve(self, notice: Notice) -> Delivery:
        """Close the notice with the same key."""
        ...
