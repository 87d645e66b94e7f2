"""Which order a transfer is for: pure functions over keys and times.

A transfer has one key: its memo where it has one, else its amount. An order waits under one key in
its wallet: its memo, its unique amount, or any. Keys are compared whole: a prefix never matches.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from x0tta_cli.pay.orders import MatchBy, Terms

ANY_KEY = "*"
# The most that a unique amount may lie above what the order asked for, in smallest units: less
# than a cent of a token with six decimals.
LARGEST_OFFSET = 9_999


def clean_memo(text: str | None) -> str | None:
    """Take control characters out of a memo; None where nothing is left of it."""
    if text is None or text.isprintable():
        return text or None
    cleaned = "".join(sign for sign in text if unicodedata.category(sign) != "Cc")
    return cleaned or None


def key_of_transfer(memo: str | None, amount: int) -> str:
    """Give the key under which a transfer looks for its order."""
    cleaned = clean_memo(memo)
    return f"a:{amount}" if cleaned is None else f"m:{cleaned}"


def key_of_order(by: MatchBy, memo: str | None, amount: int) -> str:
    """Give the key under which an order waits."""
    if by is MatchBy.ADDRESS:
        return ANY_KEY
    return key_of_transfer(memo if by is MatchBy.MEMO else None, amount)


def choose(candidates: Sequence[Terms], at_ms: int) -> Terms | None:
    """Choose among the orders that wait under a transfer's key the one that it is for.

    The one whose window it lies in; else the one whose window ended last before it, for which it
    is late; never one whose window had not begun. Cancelled orders take nothing.
    """
    begun = [one for one in candidates if not one.is_cancelled and one.valid_from_ms <= at_ms]
    open_then = [one for one in begun if not is_late(one, at_ms)]
    if open_then:
        return min(open_then, key=lambda one: one.number)
    return max(begun, key=lambda one: (one.valid_until_ms or 0, one.number), default=None)


def is_late(terms: Terms, at_ms: int) -> bool:
    """Whether a transfer came after an order's window."""
    return terms.valid_until_ms is not None and at_ms > terms.valid_until_ms


def windows_overlap(first: tuple[int, int | None], second: tuple[int, int | None]) -> bool:
    """Whether two closed windows share an instant; an end of None is never."""
    (start_a, end_a), (start_b, end_b) = first, second
    return (end_b is None or start_a <= end_b) and (end_a is None or start_b <= end_a)
