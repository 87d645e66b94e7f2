"""TronGrid: lists TRC-20 transfers, and gives receipts of solidified blocks.

https://developers.tron.network/reference/get-trc20-transaction-info-by-account-address
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.horizon import Horizon
from x0tta_cli.pay.chains.protocol import Page
from x0tta_cli.pay.chains.reading import (
    amount_of,
    instant_of_ms,
    part_of,
    rows_of,
    to_ms,
    transaction_of,
)
from x0tta_cli.pay.chains.tron.rules import Credited, is_address, read_receipt, sender_of
from x0tta_cli.pay.model import Asset, Chain, Finality, Receipt, Transfer

# More than the blocks of TRON hold: whoever lists more of one instant repeats itself.
MOST_OF_ONE_INSTANT = 20_000


class TronGrid:
    """See `protocol.Source`. Pages are listings; their receipts settle."""

    chain, kind = Chain.TRON, "trongrid"
    settles, lists_finally = True, False

    def __init__(self, api: Api, page_size: int, stale_after_s: float) -> None:
        self.api, self.page_size = api, page_size
        self._horizon = Horizon(api, self._solid_block_at, stale_after_s)

    def horizon(self) -> datetime:
        """Tell the instant of the newest solidified block, which is never rolled back."""
        return self._horizon.read()

    def pages(
        self, wallet: str, asset: Asset, since: datetime, until: datetime, cursor: str = ""
    ) -> Iterator[Page]:
        """List the oldest first. The window ends before the head, so no page shifts.

        The cursor is the instant of the last row: a fingerprint need not outlive the process.
        """
        begin, end = int(cursor or to_ms(since)), to_ms(until)
        path, filters = _listing(wallet, asset, begin, end, self.page_size)
        used: set[str] = set()
        before: list[dict[str, Any]] | None = None
        newest, fingerprint, same = begin, "", 0
        while True:
            more = {"fingerprint": fingerprint} if fingerprint else {}
            answer = self.api.get(path, filters | more)
            with self.api.judging():
                rows, fingerprint = rows_of(answer, "data"), _next_fingerprint(answer)
                _refuse_repetition(fingerprint in used or (rows == before and not _is_one(rows)))
                oldest = newest
                transfers, newest = self._read(rows, wallet, asset, (oldest, end))
                same = same + len(rows) if newest == oldest else 0
                _refuse_repetition(same > MOST_OF_ONE_INSTANT)
            before = rows
            used |= {fingerprint} - {""}
            if newest > end:
                # It lists by time, so all behind is later than what was asked for.
                fingerprint = ""
            self.api.pages += 1
            ignored = len(rows) - len(transfers)
            cursor = str(newest) if fingerprint else ""
            yield Page(transfers, len(rows), ignored, cursor, not fingerprint)
            if not fingerprint:
                return

    def receipt(self, tx: str, wallet: str, asset: Asset) -> Receipt | None:
        """Ask walletsolidity: an empty answer is not yet known, never failed."""
        answer = self.api.post("/walletsolidity/gettransactioninfobyid", {"value": tx})
        self.api.receipts += 1
        with self.api.judging():
            _refuse_error(answer)
            return read_receipt(answer, tx, wallet, asset, self.api.name) if answer else None

    def _solid_block_at(self) -> datetime:
        answer = self.api.get("/walletsolidity/getnowblock")
        with self.api.judging():
            _refuse_error(answer)
            raw = part_of(part_of(answer, "block_header"), "raw_data")
            _refuse_other_block(answer.get("blockID"), raw.get("number"))
            return instant_of_ms(raw.get("timestamp"))

    def _read(
        self, rows: list[dict[str, Any]], wallet: str, asset: Asset, window: tuple[int, int]
    ) -> tuple[tuple[Transfer, ...], int]:
        """Give what came in, and the instant (ms) of the last row; rows may not go back in time."""
        (at_ms, end), transfers = window, []
        to = Credited(wallet, asset, self.api.name, Finality.LISTED)
        for row in rows:
            written_ms = row["block_timestamp"]
            at = instant_of_ms(written_ms)
            if written_ms < at_ms:
                raise ValueError("rows are not in the order of time")
            at_ms = written_ms
            is_ours = (
                row["type"] == "Transfer"
                and is_address(row["to"], wallet)
                and is_address(row["token_info"]["address"], asset.contract)
                and written_ms <= end
            )
            if not is_ours:
                continue
            amount, sender = amount_of(row["value"]), sender_of(row["from"])
            if amount:
                tx = transaction_of(row["transaction_id"])
                transfers.append(to.by(tx, None, amount, sender, at=at, block=None))
        return tuple(transfers), at_ms


def _listing(
    wallet: str, asset: Asset, begin: int, end: int, page_size: int
) -> tuple[str, dict[str, str]]:
    return f"/v1/accounts/{wallet}/transactions/trc20", {
        "only_confirmed": "true",
        "only_to": "true",
        "contract_address": asset.contract,
        "order_by": "block_timestamp,asc",
        "min_timestamp": str(begin),
        "max_timestamp": str(end),
        "limit": str(page_size),
    }


def _next_fingerprint(answer: Any) -> str:
    if answer.get("success") is not True:
        raise ValueError(f"it says {str(answer.get('error'))[:200]!r}")
    fingerprint = part_of(answer, "meta").get("fingerprint", "")
    if not isinstance(fingerprint, str):
        raise ValueError("a fingerprint that is no text")  # noqa: TRY004 - an answer's fault
    return fingerprint


def _is_one(rows: list[dict[str, Any]]) -> bool:
    """Whether all rows are of one transaction: it may have moved the same many times."""
    return len({row["transaction_id"] for row in rows}) == 1


def _refuse_repetition(is_repeated: bool) -> None:
    if is_repeated:
        raise ValueError("the same page came again")


def _refuse_other_block(block_id: Any, number: Any) -> None:
    # Its first 8 bytes are the number; some gateways leave it out.
    if block_id is not None and int(block_id[:16], 16) != number:
        raise ValueError("the block's id and number differ")


def _refuse_error(answer: Any) -> None:
    """Nodes tell of their errors with status 200."""
    if not isinstance(answer, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - an answer's fault
    if "Error" in answer:
        raise ValueError(f"it says {str(answer['Error'])[:200]!r}")
