"""What somebody has to know of: sources that contradict each other, and wallets nobody reads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Delivery, Explanation, Notice, Notifier, Severity
from x0tta_cli.core.times import format_instant
from x0tta_cli.pay.orders import Order
from x0tta_cli.pay.reconcile.freshness import Reading

log = logging.getLogger(__name__)


def tell(
    notifier: Notifier,
    conflicts: Sequence[Order],
    agreed: Sequence[str],
    before: Sequence[Reading],
    after: Sequence[Reading],
) -> None:
    """Open a notice for each conflict and each wallet that is not read; close those that are over.

    `agreed` are the orders that are contradicted no more. A notice that nobody takes is a warning
    in the log: the run is done and stored.
    """
    for notice in (*map(_conflict, conflicts), *_unread(after)):
        _hand(notifier.deliver, notice)
    now_unread = {notice.key() for notice in _unread(after)}
    for notice in _unread(before):
        if notice.key() not in now_unread:
            _hand(notifier.resolve, notice)
    for order in agreed:
        _hand(notifier.resolve, _disagreement(order, datetime.now(UTC)))


def _conflict(order: Order) -> Notice:
    """Give the notice of one order; it begins with what is contradicted, equal from run to run."""
    disputed = [one for one in order.evidence if one.get("disputed")]
    begun = min((one["at"] for one in disputed if isinstance(one["at"], datetime)), default=None)
    told = tuple(f"{one['tx']}: {one['disputed']}" for one in disputed)
    return _disagreement(order.order, begun or datetime.now(UTC), told)


def _disagreement(order: str, begun: datetime, told: tuple[str, ...] = ()) -> Notice:
    return Notice(
        "PaymentSourcesDisagree",
        Severity.ERROR,
        {"order": order},
        begun,
        {
            "summary": f"Sources contradict each other about the payment of order {order}.",
            "description": f"x0tta pay show {order} shows both answers.",
        },
        explanation=Explanation(
            observed=told,
            unknown=("which of the sources is right",),
        ),
    )


def _unread(readings: Sequence[Reading]) -> Iterator[Notice]:
    """Give a notice for each wallet that no source has read in time."""
    well = {one.wallet for one in readings if one.state == "ok"}
    for wallet in sorted({one.wallet for one in readings} - well):
        until = max(
            (one.read_until for one in readings if one.wallet == wallet and one.read_until),
            default=None,
        )
        since = "It was never read." if until is None else f"Read until {format_instant(until)}."
        yield Notice(
            "PaymentWalletUnread",
            Severity.WARNING,
            {"wallet": wallet},
            until or datetime.now(UTC),
            {
                "summary": f"The wallet {wallet} is not read: what comes in is not known.",
                "description": f"{since} x0tta pay wallets check shows each source.",
            },
            explanation=Explanation(observed=(since,), unknown=("what has come in since",)),
        )


def _hand(give: Callable[[Notice], Delivery], notice: Notice) -> None:
    try:
        give(notice)
    except OperatorError as error:
        log.warning("notice not taken: %s", error, extra={"notice": notice.name})
