"""What is written beside an attachment so that any process knows whose it is: its label.

It stands in the name of a pin, or on the command line of the keeper that holds the link. The
kernel's own answer about that very link is what counts; the label explains it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

_TIME = "%Y%m%dT%H%M%SZ"
_LASTING = "lasting"
# The BPF file system keeps names with a dot to itself, and '-' separates the fields.
_PLAIN = re.compile(r"[A-Za-z0-9_]")


class Label(NamedTuple):
    """Program, operation, instants, and the digest of the parameters it was loaded with."""

    program: str
    operation: str
    attached_at: datetime
    parameters_digest: str
    expires_at: datetime | None = None

    def __str__(self) -> str:
        """Write it so that `parse_label` reads it back: fields without '-' and '.' between '-'."""
        until = self.expires_at.astimezone(UTC).strftime(_TIME) if self.expires_at else _LASTING
        fields = (
            quoted(self.program),
            self.operation,
            self.attached_at.astimezone(UTC).strftime(_TIME),
            until,
            quoted(self.parameters_digest),
        )
        return "-".join(fields)


def parse_label(text: str) -> Label | None:
    """Read a label; None where the text is none."""
    fields = text.split("-")
    if len(fields) != 5:
        return None
    try:
        return Label(
            unquote(fields[0]),
            fields[1],
            _instant(fields[2]),
            unquote(fields[4]),
            None if fields[3] == _LASTING else _instant(fields[3]),
        )
    except ValueError:
        return None


def quoted(text: str) -> str:
    """Write a text in letters, digits, '_' and '%' alone."""
    return "".join(
        sign
        if _PLAIN.fullmatch(sign)
        else "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogateescape"))
        for sign in text
    )


def _instant(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
