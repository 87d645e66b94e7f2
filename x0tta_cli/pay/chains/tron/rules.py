"""What counts as a TRC-20 transfer: the Transfer log of a transaction that succeeded, solidified.

Neither calldata nor `contractResult` is asked: a failed transaction has an amount in its calldata,
and USDT returns zero when it succeeds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from x0tta_cli.pay.addresses import tron
from x0tta_cli.pay.chains.reading import (
    amount_of,
    instant_of_ms,
    part_of,
    said_of,
    transaction_of,
)
from x0tta_cli.pay.model import Asset, Chain, Finality, Receipt, Transfer

_BASE58 = re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}")
# keccak256("Transfer(address,address,uint256)")
TRANSFER_TOPIC = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def read_receipt(info: Any, tx: str, wallet: str, asset: Asset, source: str) -> Receipt | None:
    """Judge a solidified transaction by `gettransactioninfobyid`; raises ValueError.

    None where a contract was called and nothing says how that ended: absent is not failed.
    https://developers.tron.network/reference/gettransactioninfobyid-1
    """
    if transaction_of(info.get("id")) != tx:
        raise ValueError("it is the receipt of another transaction")
    at = instant_of_ms(info.get("blockTimeStamp"))
    result = part_of(info, "receipt").get("result")
    if result is None and info.get("result") != "FAILED" and info.get("contract_address"):
        return None
    is_failed = info.get("result") == "FAILED" or result != "SUCCESS"
    if is_failed:
        reason = f"It failed: {result or 'no result'}"
        return Receipt(Chain.TRON, tx, False, at, (), f"{said_of(reason)}.", source)
    logs = info.get("log") or []
    if not isinstance(logs, list):
        raise ValueError("its log is no list")  # noqa: TRY004 - an answer's fault
    to = Credited(wallet, asset, source, Finality.FINAL)
    transfers = []
    for index, entry in enumerate(logs):
        if not isinstance(entry, dict) or _contract(entry) != asset.contract:
            continue
        movement = _movement(entry)
        if movement is None or movement[1] != wallet or movement[2] == 0:
            continue
        sender, _, amount = movement
        transfers.append(to.by(tx, index, amount, sender, at=at, block=info.get("blockNumber")))
    reason = "" if transfers else f"It moved no {asset.name} to this wallet."
    return Receipt(Chain.TRON, tx, True, at, tuple(transfers), reason, source)


@dataclass(frozen=True, slots=True)
class Credited:
    """Whose transfers a source tells of, and how sure it is of them."""

    wallet: str
    asset: Asset
    source: str
    finality: Finality

    def by(
        self, tx: str, log_index: int | None, amount: int, sender: str, *, at: datetime, block: Any
    ) -> Transfer:
        """Make a transfer to the wallet; `block` is 0 where the source says none."""
        return Transfer(
            Chain.TRON,
            self.asset.name,
            tx,
            log_index,
            amount,
            sender,
            self.wallet,
            at,
            None,
            self.finality,
            self.source,
            block if type(block) is int else 0,
        )


def is_address(value: Any, address: str) -> bool:
    """Whether an answer names this address: base58check as documented, or hex with its 41."""
    if value == address:
        return True
    return isinstance(value, str) and len(value) == 42 and value.lower() == tron.to_hex(address)


def sender_of(value: Any) -> str:
    """Read who sent, in base58check by shape alone; raises ValueError.

    Its checksum is the chain's business, and costs as much as all else about a row.
    """
    if isinstance(value, str) and _BASE58.fullmatch(value):
        return value
    return tron.read(str(value))


def _contract(entry: dict[str, Any]) -> str:
    address = entry.get("address")
    if not isinstance(address, str):
        raise ValueError("a log without an address")  # noqa: TRY004 - an answer's fault
    # Hex without the 41; base58 where `visible` was asked for.
    return tron.from_log(address) if len(address) == 40 else tron.read(address)


def _movement(entry: dict[str, Any]) -> tuple[str, str, int] | None:
    """Read sender, recipient and amount of a Transfer log; None for another event."""
    topics, data = entry.get("topics"), entry.get("data")
    if not isinstance(topics, list) or not topics or topics[0] != TRANSFER_TOPIC:
        return None
    words = [*topics[1:], data]
    if len(words) != 3 or not all(isinstance(word, str) and len(word) == 64 for word in words):
        raise ValueError("a Transfer log without two addresses and an amount")
    return (
        tron.from_log(topics[1]),
        tron.from_log(topics[2]),
        amount_of(int(entry["data"], 16)),
    )
