"""Which order a transfer is for: pure functions over keys and times.

A transfer has one key: its memo where it has one, else its amount. An order waits under one key in
its wallet: its memo, its unique amount, or any. Keys are compared whole: a prefix never matches.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from x0tta_cli.pay.orders import MatchBy, Terms

ANY_KEY = "*"
# The most that a unique amount may lie above what the order asked for, in smallest units: less
# than a cent of a token with six decimals.
LARGEST_OFFSET = 9_999
# No order has a longer memo; a stranger's may be as long as they like, and a key is indexed.
LONGEST_MEMO = 120
# Nobody pays an order in ten thousand parts, and who is short of a fee is short of a cent at least.
# What is smaller is what strangers send to every address that they have seen.
PARTS = 10_000
LARGEST_DUST = LARGEST_OFFSET


def clean_memo(text: str | None) -> str | None:
    """Take control characters out of a memo; None where nothing is left of it."""
    if text is None or text.isprintable():
        return text or None
    cleaned = "".join(sign for sign in text if unicodedata.category(sign) != "Cc")
    return cleaned or None


def key_of_transfer(memo: str | None, amount: int) -> str:
    """Give the key under which a transfer looks for its order."""
    cleaned = clean_memo(memo)
    if cleaned is None:
        return f"a:{amount}"
    if len(cleaned) <= LONGEST_MEMO:
        return f"m:{cleaned}"
    return f"x:{hashlib.sha256(cleaned.encode(errors='surrogatepass')).hexdigest()}"


def key_of_order(by: MatchBy, memo: str | None, amount: int) -> str:
    """Give the key under which an order waits."""
    if by is MatchBy.ADDRESS:
        return ANY_KEY
    return key_of_transfer(memo if by is MatchBy.MEMO else None, amount)


def choose(candidates: Sequence[Terms], at_ms: int, amount: int) -> Terms | None:
    """Choose among the orders that wait under a transfer's key the one that it is for.

    The one whose window it lies in; else the one whose window ended last before it, for which it
    is late; never one whose window had not begun. Orders that were cancelled or refunded take
    nothing any more, and none takes dust.
    """
    begun = [
        one
        for one in candidates
        if one.valid_from_ms <= at_ms
        and not (one.is_cancelled or one.is_refunded or is_dust(one, amount))
    ]
    open_then = [one for one in begun if not is_late(one, at_ms)]
    if open_then:
        return min(open_then, key=lambda one: one.number)
    return max(begun, key=lambda one: (one.valid_until_ms or 0, one.number), default=None)


def is_dust(terms: Terms, amount: int) -> bool:
    """Whether an amount is too small to be part of what an order asks for."""
    return amount <= LARGEST_DUST and amount < terms.amount // PARTS


def is_late(terms: Terms, at_ms: int) -> bool:
    """Whether a transfer came after an order's window."""
    return terms.valid_until_ms is not None and at_ms > terms.valid_until_ms


def windows_overlap(first: tuple[int, int | None], second: tuple[int, int | None]) -> bool:
    """Whether two closed windows share an instant; an end of None is never."""
    (start_a, end_a), (start_b, end_b) = first, second
    return (end_b is None or start_a <= end_b) and (end_a is None or start_b <= end_a)
