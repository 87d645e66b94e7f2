"""TronScan: lists TRC-20 transfers, and has a second opinion on a transaction.

Its answers carry no log index, so it can agree with a receipt but not give one that settles.
https://docs.tronscan.org · transfers: `/api/token_trc20/transfers`
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.horizon import Horizon
from x0tta_cli.pay.chains.protocol import Page
from x0tta_cli.pay.chains.reading import (
    amount_of,
    instant_of_ms,
    rows_of,
    said_of,
    to_ms,
    transaction_of,
)
from x0tta_cli.pay.chains.tron.rules import Credited, is_address, sender_of
from x0tta_cli.pay.model import Asset, Chain, Finality, Receipt, Transfer

# Rows beyond this are left out without a word.
REACH = 10_000
# Blocks are solidified within about a minute of the head, which is all that is asked for.
SOLID_AFTER = timedelta(minutes=2)
_Row = dict[str, Any]


class _Stretch:
    """How far a stretch of rows is read: those up to `end` (ms), the next page from `start`."""

    def __init__(self, end: int) -> None:
        self.end, self.start = end, 0
        self._count = -1
        self._before: frozenset[tuple[object, ...]] = frozenset()
        self._boundary = end

    def take(self, answer: _Row, rows: list[_Row], oldest: int, limit: int) -> bool:
        """Go on after a page; whether it was the last one. Raises ValueError where rows lack.

        Where the answer does not count them, a page that is not full is the last one.
        """
        identities, count = frozenset(_identity(row) for row in rows), _count_of(answer)
        again = identities & self._before if self.start else frozenset()
        if again and not self._are_equal_transfers(again, count):
            self._begin_at(self._boundary)
            return False
        if count < self._count:
            raise ValueError("its count shrank while it was read")
        self.start, self._count = self.start + len(rows), count
        self._before, self._boundary = identities, oldest
        if count < 0:
            is_last = len(rows) < limit
        elif len(rows) < limit and self.start < count:
            raise ValueError(f"{self.start} rows were listed of {count} that it counts")
        else:
            is_last = self.start >= count
        if not is_last and self.start + limit > REACH:
            self._begin_at(oldest)
        return is_last

    def _are_equal_transfers(self, again: frozenset[tuple[object, ...]], count: int) -> bool:
        """Whether rows come twice because one transaction has moved the same many times.

        Believed where a stretch can't begin later, and the answer counts its rows: whoever makes
        such a transaction must not keep a wallet from being read.
        """
        is_one = len({transaction for transaction, *_ in again}) == 1
        return is_one and self._boundary >= self.end and count >= 0

    def _begin_at(self, instant: int) -> None:
        if instant >= self.end:
            raise ValueError("the same rows came again, and none that are older")
        self.end, self.start, self._count = instant, 0, -1


class TronScan:
    """See `protocol.Source`."""

    chain, kind = Chain.TRON, "tronscan"
    settles, lists_finally = False, False

    def __init__(self, api: Api, page_size: int, stale_after_s: float) -> None:
        self.api, self.page_size = api, page_size
        self._horizon = Horizon(api, self._head_at, stale_after_s)

    def horizon(self) -> datetime:
        """Tell up to when blocks are surely solidified: two minutes behind the head."""
        return self._horizon.read() - SOLID_AFTER

    def pages(
        self, wallet: str, asset: Asset, since: datetime, until: datetime, cursor: str = ""
    ) -> Iterator[Page]:
        """List the newest first, in stretches of at most 10,000 rows.

        Within a stretch pages are counted off. Where a row comes twice, the order of rows of one
        instant is not stable, and another may have been missed: then the next stretch begins at
        that instant, as it does where a stretch is full. The cursor is the oldest row's instant.
        """
        begin, stretch = to_ms(since), _Stretch(int(cursor or to_ms(until)))
        while True:
            answer = self.api.get(
                "/api/token_trc20/transfers",
                _listing(wallet, asset, (begin, stretch.end), stretch.start, self.page_size),
            )
            with self.api.judging():
                rows = rows_of(answer, "token_transfers", "data", "Data")
                transfers, oldest = self._read(rows, wallet, asset, (begin, stretch.end))
                is_last = stretch.take(answer, rows, oldest, self.page_size)
            self.api.pages += 1
            cursor, ignored = "" if is_last else str(oldest), len(rows) - len(transfers)
            yield Page(transfers, len(rows), ignored, cursor, is_last)
            if is_last:
                return

    def receipt(self, tx: str, wallet: str, asset: Asset) -> Receipt | None:
        """Ask for one transaction; None while it is not confirmed."""
        answer = self.api.get("/api/transaction-info", {"hash": tx})
        self.api.receipts += 1
        with self.api.judging():
            return _read_receipt(answer, tx, wallet, asset, self.api.name)

    def _head_at(self) -> datetime | None:
        answer = self.api.find("/api/block", {"sort": "-number", "start": "0", "limit": "1"})
        if answer is None:
            return None
        with self.api.judging():
            return instant_of_ms(rows_of(answer, "data")[0]["timestamp"])

    def _read(
        self, rows: list[_Row], wallet: str, asset: Asset, window: tuple[int, int]
    ) -> tuple[tuple[Transfer, ...], int]:
        """Give what came in, and the instant (ms) of the oldest row."""
        begin, end = window
        oldest, transfers = end, []
        to = Credited(wallet, asset, self.api.name, Finality.LISTED)
        for row in rows:
            written_ms = row["block_ts"]
            at = instant_of_ms(written_ms)
            oldest = min(oldest, max(begin, written_ms))
            is_ours = (
                is_address(row["to_address"], wallet)
                and is_address(row["contract_address"], asset.contract)
                and begin <= written_ms <= end
                and row.get("confirmed") is not False
                and row.get("contractRet", "SUCCESS") == "SUCCESS"
                and row.get("finalResult", "SUCCESS") == "SUCCESS"
                and not row.get("revert")
            )
            amount = amount_of(row["quant"]) if is_ours else 0
            if amount:
                tx, sender = transaction_of(row["transaction_id"]), sender_of(row["from_address"])
                transfers.append(to.by(tx, None, amount, sender, at=at, block=row.get("block")))
        return tuple(transfers), oldest


def _listing(
    wallet: str, asset: Asset, window: tuple[int, int], start: int, limit: int
) -> dict[str, str]:
    """Name a page. The recipient is asked for by name: directions differ between endpoints."""
    return {
        "toAddress": wallet,
        "contract_address": asset.contract,
        "start_timestamp": str(window[0]),
        "end_timestamp": str(window[1]),
        "confirm": "0",
        "start": str(start),
        "limit": str(limit),
    }


def _count_of(answer: _Row) -> int:
    """Give how many rows the stretch has; -1 where that is not said.

    `rangeTotal` counts all of them; `total` stops at 10,000, which is then no count.
    """
    for name, end in (("rangeTotal", None), ("total", REACH)):
        counted = answer.get(name)
        if type(counted) is int and (end is None or counted < end):
            return counted
    return -1


def _identity(row: _Row) -> tuple[object, ...]:
    return (
        row["transaction_id"],
        row["from_address"],
        row["to_address"],
        row["contract_address"],
        row["quant"],
    )


def _read_receipt(answer: _Row, tx: str, wallet: str, asset: Asset, source: str) -> Receipt | None:
    if not answer.get("hash"):
        return None
    if transaction_of(answer["hash"]) != tx:
        raise ValueError("it is another transaction")
    if answer.get("confirmed") is not True:
        return None
    at, result = instant_of_ms(answer["timestamp"]), answer.get("contractRet")
    if result != "SUCCESS" or answer.get("revert"):
        return Receipt(Chain.TRON, tx, False, at, (), f"It failed: {said_of(result)}.", source)
    to, block = Credited(wallet, asset, source, Finality.FINAL), answer.get("block")
    transfers = tuple(
        to.by(
            tx,
            None,
            amount_of(row["amount_str"]),
            sender_of(row["from_address"]),
            at=at,
            block=block,
        )
        for row in rows_of(answer, "trc20TransferInfo")
        if is_address(row["contract_address"], asset.contract)
        and is_address(row["to_address"], wallet)
        and amount_of(row["amount_str"])
    )
    reason = "" if transfers else f"It moved no {asset.name} to this wallet."
    return Receipt(Chain.TRON, tx, True, at, transfers, reason, source)
