"""What counts as income on TON; both sources give what they know as `Incoming`.

A coin is credited where its message did not bounce, in or out. A jetton is credited where the
internal_transfer succeeded on our own jetton wallet; whether the notification to the owner
succeeded says nothing. A field that is missing is not false: what can't be judged is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.pay.amounts import LARGEST
from x0tta_cli.pay.chains.ton.cells import Cell
from x0tta_cli.pay.chains.ton.messages import read_comment, read_internal_transfer
from x0tta_cli.pay.model import Asset, Chain, Finality, Receipt, Transfer


@dataclass(slots=True)
class Incoming:
    """A transaction and the message that caused it; None where the source does not say.

    `account` is whose transaction it is, `sender` None for a message from outside. `bounces_back`:
    the bounce phase returned the coins. `has_bounce_phase`: there was one, however it ended.
    """

    tx: str
    lt: int
    at: datetime
    account: str
    sender: str | None
    value: int | None
    bounce: bool | None
    bounced: bool | None
    aborted: bool | None
    compute_ok: bool | None
    action_ok: bool | None
    has_bounce_phase: bool
    bounces_back: bool
    body: Cell | None
    finality: Finality
    block: int


def credit(incoming: Incoming, wallet: str, asset: Asset, source: str) -> Transfer | None:
    """Tell what came in by a transaction on the account that holds the asset for the wallet.

    None where nothing did. Raises ValueError where it can't be told.
    """
    if asset.contract:
        return _credit_jetton(incoming, wallet, asset, source)
    return _credit_coin(incoming, wallet, asset, source)


def receipt_of(
    incoming: Incoming, tx: str, holder: str, wallet: str, asset: Asset, *, source: str
) -> Receipt:
    """Judge one transaction that was asked for by its id; `holder` is where the asset lies.

    Raises ValueError where it can't be judged.
    """
    if incoming.tx != tx:
        raise ValueError("it is another transaction")
    if incoming.account != holder:
        reason = f"It is a transaction of {incoming.account}, where nothing of ours lies."
        return Receipt(Chain.TON, tx, True, incoming.at, (), reason, source)
    transfer = credit(incoming, wallet, asset, source)
    if transfer is not None:
        return Receipt(Chain.TON, tx, True, incoming.at, (transfer,), "", source)
    reason = "It failed." if incoming.aborted else f"No {asset.name} came in by it."
    return Receipt(Chain.TON, tx, not incoming.aborted, incoming.at, (), reason, source)


def _credit_coin(incoming: Incoming, wallet: str, asset: Asset, source: str) -> Transfer | None:
    if incoming.sender is None or incoming.value == 0:
        return None
    if incoming.value is None:
        raise ValueError("it does not say how much came in")
    bounced = _known(incoming.bounced, "whether its message had bounced")
    if bounced or incoming.bounces_back:
        return None
    if not incoming.has_bounce_phase:
        # A transaction that failed keeps the coins if they were sent so, or if its computing went
        # well: what fails afterwards sends nothing back.
        aborted = _known(incoming.aborted, "whether it was aborted")
        failed_late = incoming.compute_ok is True and incoming.action_ok is False
        if aborted and not failed_late and _known(incoming.bounce, "whether its message bounces"):
            raise ValueError("it does not say what became of the coins of an aborted transaction")
    memo = read_comment(incoming.body) if incoming.body is not None else None
    came = (incoming.value, incoming.sender, memo)
    return _transfer(incoming, wallet, asset, source, came)


def _credit_jetton(incoming: Incoming, wallet: str, asset: Asset, source: str) -> Transfer | None:
    if incoming.sender is None or incoming.bounced or incoming.body is None:
        return None
    if incoming.aborted or incoming.compute_ok is False or incoming.action_ok is False:
        return None
    move = read_internal_transfer(incoming.body)
    if move is None or not 0 < move.amount <= LARGEST:
        return None
    if incoming.bounced is None or incoming.aborted is None:
        raise ValueError("it does not say whether its message had bounced, or it was aborted")
    if incoming.compute_ok is None or incoming.action_ok is None:
        raise ValueError("it does not say how its compute or its action phase ended")
    came = (move.amount, move.sender or incoming.sender, move.memo)
    return _transfer(incoming, wallet, asset, source, came)


def _transfer(
    incoming: Incoming,
    wallet: str,
    asset: Asset,
    source: str,
    came: tuple[int, str, str | None],
) -> Transfer:
    """Make a transfer of what `came`: how much, from whom, with which memo."""
    amount, sender, memo = came
    return Transfer(
        Chain.TON,
        asset.name,
        incoming.tx,
        0,
        amount,
        sender,
        wallet,
        incoming.at,
        memo,
        incoming.finality,
        source,
        incoming.block,
        incoming.lt,
    )


def _known(value: bool | None, what: str) -> bool:
    if value is None:
        raise ValueError(f"it does not say {what}")
    return value
