"""What state an order is in, derived from its terms and evidence alone: a pure function.

`audit` derives every state again with it and compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from x0tta_cli.pay.model import Finality
from x0tta_cli.pay.orders import OrderState, Terms

# What a receipt has shown to be no payment, and a listing whose receipt has taken its place.
FAILED, SETTLED = "failed", "settled"
# What was not final, and is not in the chain any more: it may come back.
GONE = "gone"
NEVER_COUNTED = frozenset({FAILED, SETTLED})
NOT_COUNTED = NEVER_COUNTED | {GONE}


@dataclass(frozen=True, slots=True)
class Claimed:
    """One transfer that an order has claimed; `kinds` counts the kinds of sources that agree."""

    amount: int
    is_late: bool
    finality: str
    kinds: int
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """An order's state and what counts as received for it, in smallest units."""

    state: OrderState
    received: int


def derive(terms: Terms, evidence: Sequence[Claimed]) -> Standing:
    """Derive an order's state; the evidence comes in the order of the transfers' times."""
    live = [one for one in evidence if one.finality not in NOT_COUNTED]
    sure = [one for one in live if is_sure(terms, one)]
    received = sum(one.amount for one in sure)
    if terms.is_refunded:
        return Standing(OrderState.REFUNDED, received)
    if terms.is_cancelled:
        return Standing(OrderState.CANCELLED, 0)
    if any(one.is_disputed for one in live):
        return Standing(OrderState.CONFLICTING, received)
    return Standing(_state(terms, live, sure), received)


def counts(terms: Terms, one: Claimed) -> bool:
    """Whether a transfer is part of what its order has received; for a cancelled one, none is."""
    return not terms.is_cancelled and is_sure(terms, one)


def is_sure(terms: Terms, one: Claimed) -> bool:
    """Whether a transfer counts as received: final, and above the quorum by two kinds of sources.

    Asked for what is small too where the order is large: parts of it must not go round the quorum.
    """
    needs_two = max(terms.amount, one.amount) > terms.quorum
    return one.finality == Finality.FINAL and one.kinds >= (2 if needs_two else 1)


def _state(terms: Terms, live: Sequence[Claimed], sure: Sequence[Claimed]) -> OrderState:
    needed = terms.amount - terms.tolerance
    received = sum(one.amount for one in sure)
    in_time = sum(one.amount for one in sure if not one.is_late)
    if in_time >= needed:
        if received <= terms.amount + terms.tolerance:
            return OrderState.PAID
        before_the_last = sum(one.amount for one in sure[:-1])
        return OrderState.DUPLICATE if before_the_last >= needed else OrderState.OVERPAID
    waiting = [one for one in live if one not in sure]
    if waiting:
        listed_only = all(one.finality == Finality.LISTED for one in waiting) and not sure
        return OrderState.SEEN if listed_only else OrderState.CONFIRMING
    if received >= needed:
        return OrderState.LATE
    return OrderState.UNDERPAID if sure else OrderState.EXPECTED
