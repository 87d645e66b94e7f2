"""Is one order paid? Its wallet is read, and where a hash is known, its receipts are asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta

from x0tta_cli.core.errors import NotPermittedError, NotYetKnownError, UnavailableError
from x0tta_cli.core.progress import Progress
from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.chains.transactions import parse_transaction
from x0tta_cli.pay.ledger import reading, recording
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.ledger.settling import settle, settle_again
from x0tta_cli.pay.model import Asset
from x0tta_cli.pay.orders import PENDING, Order, OrderState, Verdict, Wallet
from x0tta_cli.pay.reconcile.run import reconcile

PAUSE_S = 5.0


def verify(
    ledger: Ledger,
    sources: Mapping[str, Source],
    order: str,
    progress: Progress,
    *,
    tx: str | None = None,
    overlap: timedelta = timedelta(hours=2),
    waits: bool = False,
    until: float | None = None,
    lock_timeout_s: float = 0.0,
) -> Verdict:
    """Read what the chain says of an order, record it, and answer.

    With `waits` it asks again until there is an answer, or until the monotonic instant `until`,
    when it gives the answer that there is. `tx` is a transaction's id as the payer has written it.
    Raises `pay.unknown_order` (4), `pay.bad_transaction_id` (2), `locks.held`, `pay.locked` (5).
    """
    with ledger.reading() as connection:
        wallet = reading.wallet_of_order(connection, order)
    asset = ASSETS[wallet.asset]
    asked = None if tx is None else parse_transaction(asset.chain, tx)
    serving = _serving(sources, asset)
    while True:
        with ledger.alone(lock_timeout_s):
            run = reconcile(ledger, serving, progress, overlap=overlap, wallet=wallet.name)
            unread = [one.words for one in run.unread]
            for one in _to_ask_for(ledger, order, asked):
                unread += _ask_for(ledger, serving, wallet, one)
        if not serving:
            unread.append(f"no source is configured for {asset.name}")
        with ledger.reading() as connection:
            found = reading.find_order(connection, order)
        is_over = until is not None and time.monotonic() + PAUSE_S >= until
        if not waits or is_over or found.state not in PENDING:
            return _verdict(found, unread, is_blind=not serving or bool(run.blind))
        progress.update(note=f"{order} is {found.state}")
        time.sleep(PAUSE_S)


def _serving(sources: Mapping[str, Source], asset: Asset) -> dict[str, Source]:
    place = (asset.chain, asset.network)
    return {name: one for name, one in sources.items() if (one.chain, one.network) == place}


def _to_ask_for(ledger: Ledger, order: str, asked: str | None) -> list[str]:
    """Name the transactions whose receipts are asked for: the payer's, and what is contradicted."""
    with ledger.reading() as connection:
        evidence = reading.find_order(connection, order).evidence
    disputed = [str(one["tx"]) for one in evidence if one.get("disputed")]
    return list(dict.fromkeys([*([asked] if asked else []), *disputed]))


def _ask_for(ledger: Ledger, sources: Mapping[str, Source], wallet: Wallet, tx: str) -> list[str]:
    """Ask each source for the receipt of a transaction; who could not be asked, in words.

    It is a source's last word: one that has contradicted and now agrees contradicts no more.
    """
    return [words for one in sources.values() if (words := _ask(ledger, one, wallet, tx))]


def _ask(ledger: Ledger, source: Source, wallet: Wallet, tx: str) -> str:
    """Ask one source for a receipt and record it; why it gave none, in words."""
    try:
        receipt = source.receipt(tx, wallet.address, ASSETS[wallet.asset])
    except (UnavailableError, NotYetKnownError, NotPermittedError) as error:
        return f"{source.name}: {error}"
    if receipt is None:
        return ""
    with ledger.writing() as connection:
        changed: set[int] = set()
        if source.settles:
            changed |= recording.record_receipts(connection, wallet, [receipt]).changed
        changed |= recording.attest_receipt(connection, wallet, receipt, is_last_word=True)
        settle(connection)
        settle_again(connection, changed)
    return ""


def _verdict(order: Order, unread: list[str], *, is_blind: bool) -> Verdict:
    reasons = {
        OrderState.EXPECTED: "nothing has come for it",
        OrderState.SEEN: "a transfer is listed, and its receipt is not there yet",
        OrderState.CONFIRMING: "it is not final yet, or a second source has not told of it yet",
        OrderState.UNDERPAID: "less has come than was asked for",
        OrderState.OVERPAID: "more has come than was asked for",
        OrderState.LATE: "it was paid after its time",
        OrderState.DUPLICATE: "it was paid more than once",
        OrderState.CONFLICTING: "sources contradict each other",
    }
    shown = {one.name: getattr(order, one.name) for one in fields(order)}
    reason = reasons.get(order.state, "")
    return Verdict(**shown, reason=reason, unread=tuple(unread), blind=is_blind)
