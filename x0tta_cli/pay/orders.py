"""The nouns of the ledger: orders, their states, and the evidence of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from x0tta_cli.core.errors import ExitStatus, NotFoundError, UsageError
from x0tta_cli.pay.amounts import LARGEST
from x0tta_cli.pay.model import Asset


class OrderState(StrEnum):
    """What is known of an order.

    `expected`: nothing has come. `seen`: an index lists a transfer. `confirming`: it is on the
    chain, and not final or not agreed on by two sources. `late`: enough came, some of it after
    the window. `duplicate`: it was paid, and then again. `conflicting`: sources contradict each
    other. `unmatched` is the state of a transfer that belongs to no order.
    """

    EXPECTED = "expected"
    SEEN = "seen"
    CONFIRMING = "confirming"
    PAID = "paid"
    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"
    LATE = "late"
    DUPLICATE = "duplicate"
    UNMATCHED = "unmatched"
    CONFLICTING = "conflicting"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


# Still open: what comes may change it.
PENDING = (OrderState.EXPECTED, OrderState.SEEN, OrderState.CONFIRMING)
# Paid otherwise than was asked for: somebody has to look at it.
WRONG = (OrderState.UNDERPAID, OrderState.OVERPAID, OrderState.LATE, OrderState.DUPLICATE)
# Whatever is not here is no: also too much, which somebody has to look at.
_STATUS_OF = {
    OrderState.PAID: ExitStatus.DONE,
    OrderState.SEEN: ExitStatus.NOT_YET_KNOWN,
    OrderState.CONFIRMING: ExitStatus.NOT_YET_KNOWN,
    OrderState.CONFLICTING: ExitStatus.NOT_YET_KNOWN,
}


class MatchBy(StrEnum):
    """What tells that a transfer is for an order."""

    MEMO = "memo"
    AMOUNT = "amount"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Wallet:
    """One asset at one address of ours; `number` is the ledger's own."""

    number: int
    name: str
    asset: str
    address: str


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be added; `amount` in smallest units, `memo` None where it goes by amount.

    `by` is None where it follows from the asset: a memo on TON, a unique amount on TRON.
    """

    order: str
    asset: str
    wallet: str
    amount: int
    memo: str | None
    valid_from: datetime
    valid_until: datetime | None
    by: MatchBy | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for, in the ledger's own forms: amounts in smallest units, times in ms.

    `quorum` and `tolerance` are those of the time when it was added: above `quorum`, two kinds of
    sources must agree; within `tolerance` of the amount it is right.
    """

    number: int
    order: str
    amount: int
    valid_from_ms: int
    valid_until_ms: int | None
    quorum: int
    tolerance: int
    is_cancelled: bool = False
    is_refunded: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """One transfer that is claimed by an order; `sources` agree on it, `disputed` says who not.

    `counted` is whether it is part of what the order has received.
    """

    chain: str
    tx: str
    log_index: int | None
    amount: int
    sender: str
    at: datetime
    finality: str
    sources: tuple[str, ...]
    counted: bool
    disputed: str = ""

    def shown(self) -> Mapping[str, object]:
        """Give the members that JSON has for it; money as an integer string."""
        return {
            "chain": self.chain,
            "tx": self.tx,
            "log_index": self.log_index,
            "amount": str(self.amount),
            "from": self.sender,
            "at": self.at,
            "finality": self.finality,
            "sources": list(self.sources),
            "counted": self.counted,
            **({"disputed": self.disputed} if self.disputed else {}),
        }


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it is shown; `amount` and `received` are integers in smallest units, as text."""

    order: str
    state: OrderState
    asset: str
    wallet: str
    amount: str
    received: str
    unit: str
    decimals: int
    memo: str | None
    valid_from: datetime
    valid_until: datetime | None
    evidence: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Verdict(Order):
    """The answer to 'is it paid?': the order, why it is as it is, and who could not be asked."""

    reason: str
    unread: tuple[str, ...]
    blind: bool

    @property
    def exit_status(self) -> ExitStatus:
        """Paid 0, wrong or unpaid 3, pending or contradicting 10; 7 where no source could look.

        Absence is only known where somebody has looked: unknown is not unpaid.
        """
        status = _STATUS_OF.get(self.state, ExitStatus.NO)
        if self.blind and self.state in {OrderState.EXPECTED, OrderState.UNDERPAID}:
            return ExitStatus.UNAVAILABLE
        return status


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A transfer that belongs to no order, with a link where it can be looked at."""

    chain: str
    tx: str
    log_index: int | None
    asset: str
    wallet: str
    amount: str
    unit: str
    decimals: int
    sender: str
    at: datetime
    memo: str | None
    finality: str
    sources: tuple[str, ...]
    link: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not fit: where, what is stored, and what follows from the rest."""

    about: str
    stored: str
    derived: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found; `anchored` says whether the log goes on from the head that was given."""

    orders: int
    transfers: int
    log_entries: int
    log_head: str
    anchored: bool | None
    differences: tuple[Difference, ...]

    @property
    def exit_status(self) -> ExitStatus:
        """Any difference is a no."""
        return ExitStatus.NO if self.differences else ExitStatus.DONE


def unknown_order(order: str) -> NotFoundError:
    """Word that no order has this name."""
    return NotFoundError(
        "pay.unknown_order",
        f"There is no order '{order}'.",
        fix="x0tta pay list shows those that there are.",
        context={"order": order},
    )


def parse_head(written: str) -> str:
    """Read a head of the log: 64 hex digits; raises UsageError `pay.bad_head`."""
    found = written.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", found):
        raise UsageError(
            "pay.bad_head",
            f"'{written}' is not a head of the log.",
            reason="A head is 64 hex digits.",
            fix="Take it from a heartbeat, or from what an earlier x0tta pay reconcile has shown.",
            context={"head": written},
        )
    return found


def smallest_units(written: str, asset: Asset) -> int:
    """Read a limit of the configuration in an asset's smallest units; digits beyond are dropped.

    More than there can be of any asset is as good as no limit.
    """
    whole, _, fraction = written.partition(".")
    return min(int(whole + fraction[: asset.decimals].ljust(asset.decimals, "0")), LARGEST)
