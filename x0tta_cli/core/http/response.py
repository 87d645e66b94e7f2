"""What a server answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from x0tta_cli.core.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole; header names are in lower case, the URL is without its secrets."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    attempts: int

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none shows as the replacement character."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Read the body as JSON; raises UnavailableError `http.not_json`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise UnavailableError(
                "http.not_json",
                f"{self.url} answered with something that is not JSON.",
                reason=f"{error}; it begins with {self.text[:80]!r}.",
                fix="See whether the URL is the service's own; a proxy or log-in page may answer.",
                context={"url": self.url, "status": self.status},
            ) from error

    def retry_after_s(self, now: datetime) -> float | None:
        """Tell how long the server wants to be left alone (RFC 9110, section 10.2.3).

        `Retry-After` has seconds or an HTTP date; None where there is none that can be read.
        """
        from email.utils import parsedate_to_datetime

        written = self.headers.get("retry-after", "").strip()
        if written.isascii() and written.isdigit():
            return float(written[:12])
        try:
            instant = parsedate_to_datetime(written)
        except ValueError:
            return None
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return max(0.0, (aware - now).total_seconds())
