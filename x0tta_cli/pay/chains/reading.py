"""Values of an answer, checked: what is of another kind raises ValueError with the reason.

A provider's answer is text from outside. A number that arrives as a float, a second where a
millisecond is meant, a hash that is none: nothing is guessed from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from x0tta_cli.pay.amounts import LARGEST

# 2001-09-09 to 5138-11-16 in milliseconds; as seconds the lower bound would be in the year 33658.
_FIRST_MS, _LAST_MS = 10**12, 10**14
_FIRST_S, _LAST_S = 10**9, 10**11
_TRANSACTION = re.compile(r"[0-9a-f]{64}")
_MOST_DIGITS = 78


def instant_of_ms(value: Any) -> datetime:
    """Read milliseconds since 1970."""
    if type(value) is not int or not _FIRST_MS <= value < _LAST_MS:
        raise ValueError(f"{value!r} stands where milliseconds since 1970 should")
    return datetime.fromtimestamp(value / 1000, UTC)


def instant_of_s(value: Any) -> datetime:
    """Read seconds since 1970, a number or digits."""
    return datetime.fromtimestamp(second_of(value), UTC)


def second_of(value: Any) -> int:
    """Read seconds since 1970, and leave them a number."""
    number = int(value) if type(value) is str and _are_digits(value) else value
    if type(number) is not int or not _FIRST_S <= number < _LAST_S:
        raise ValueError(f"{value!r} stands where seconds since 1970 should")
    return number


def to_ms(instant: datetime) -> int:
    """Write an instant as milliseconds since 1970, rounded down."""
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000


def amount_of(value: Any) -> int:
    """Read an amount in smallest units: digits, or a JSON integer; zero is one, too."""
    number = int(value) if type(value) is str and _are_digits(value) else value
    if type(number) is int and 0 <= number <= LARGEST:
        return number
    raise ValueError(f"{str(value)[:80]!r} stands where an amount in smallest units should")


def _are_digits(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS


def transaction_of(value: Any) -> str:
    """Read a transaction id in lower-case hex."""
    if not isinstance(value, str) or not _TRANSACTION.fullmatch(value):
        raise ValueError(f"{str(value)[:80]!r} stands where a transaction id should")
    return value


def rows_of(answer: Any, *names: str) -> list[dict[str, Any]]:
    """Give the list of objects that stands under the first of the names that is there."""
    if isinstance(answer, Mapping):
        for name in names:
            rows = answer.get(name)
            if isinstance(rows, list) and set(map(type, rows)) <= {dict}:
                return rows
    raise ValueError(f"no list stands under '{names[0]}'")


def part_of(answer: Any, name: str) -> dict[str, Any]:
    """Give the object that stands under a name."""
    part = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(part, dict):
        raise ValueError(f"no object stands under '{name}'")  # noqa: TRY004 - an answer's fault
    return part


def said_of(value: Any) -> str:
    """Word what an answer says, which is kept and shown: in ASCII, without control characters."""
    return ascii(str(value)[:80])[1:-1]


def said(error: Exception) -> str:
    """Word what is wrong with an answer that could not be read."""
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
