"""Months, as reports name them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from x0tta_cli.core.errors import UsageError


def parse_period(text: str) -> tuple[datetime, datetime]:
    """Read `2026-11`: its first instant in UTC, and that of the next month.

    Raises UsageError `pay.bad_period`.
    """
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text.strip())
    year, month = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (1970 <= year < 9999 and 1 <= month <= 12):
        raise UsageError(
            "pay.bad_period",
            f"'{text}' is not a month.",
            fix="Write it as 2026-11.",
            context={"period": text},
        )
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)
