"""How an account's transactions are read, whichever source has them: back in logical time.

Each transaction names the one before it on its account, so a gap in an index shows itself. Paging
goes by logical time, which is unique on an account: nothing shifts, repeats or vanishes when new
transactions come or several have the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from x0tta_cli.core.errors import NotYetKnownError, UnavailableError
from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.protocol import Page
from x0tta_cli.pay.chains.ton.crediting import Incoming, credit
from x0tta_cli.pay.chains.ton.jettons import jetton_wallet
from x0tta_cli.pay.model import Asset, Finality, Transfer

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """One account, by its canonical address, as a source lists it.

    `fetch(before_lt, limit)` gives the newest rows before a logical time (None: from the head),
    the newest first. `place` gives a row's logical time, that of the row before it (None where it
    is not said) and its second; `read` a row's details. Both raise ValueError.
    """

    address: str
    fetch: Callable[[int | None, int], list[Row]]
    place: Callable[[Row], tuple[int, int | None, int]]
    read: Callable[[Row], Incoming]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: transfers to a wallet in a window, both ends included."""

    wallet: str
    asset: Asset
    since: datetime
    until: datetime


def holder_of(wallet: str, asset: Asset) -> str:
    """Give the account on which an asset of a wallet comes in."""
    return jetton_wallet(wallet, asset.contract) if asset.contract else wallet


def read_account(
    api: Api, account: Account, wanted: Wanted, page_size: int, cursor: str
) -> Iterator[Page]:
    """Read a window page by page.

    A cursor is a place (see `_Place`), or of a whole window `@` and its anchor, a logical time
    below which each row was read, final, and named by the one after it: nothing can come in there
    any more, so that the next window goes back to it and no further. Raises NotYetKnownError
    `pay.index_gap` after the page before a gap.
    """
    place = _Place.read(cursor)
    limit = min(place.limit or page_size, page_size)
    while True:
        try:
            rows = account.fetch(place.before_lt, limit)
        except UnavailableError as error:
            # Comments of strangers can make rows as large as they like; fewer of them are less.
            if error.code != "http.too_large" or limit == 1:
                raise
            limit = max(1, limit // 2)
            continue
        with api.judging():
            walked = _Walk(account, wanted, api.name, place).over(rows, limit)
        api.pages += 1
        # Behind the large rows there are others of the usual size.
        limit = min(2 * limit, page_size)
        place = replace(walked.place, limit=limit)
        cursor = place.anchored() if walked.is_complete else place.written()
        ignored = len(rows) - len(walked.transfers)
        yield Page(walked.transfers, len(rows), ignored, cursor, walked.is_complete)
        if walked.is_complete:
            return
        if walked.has_gap:
            raise _gap(api, place.before_lt)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a window is read on: the oldest row so far, and the one that it names before it.

    `anchor` is that of the window before; `newest` the logical time of the newest row from which
    on down all are final and linked, so far.
    """

    before_lt: int | None = None
    expected: int | None = None
    limit: int = 0
    anchor: int | None = None
    newest: int | None = None

    @classmethod
    def read(cls, cursor: str) -> _Place:
        if cursor.startswith("@"):
            return cls(anchor=int(cursor[1:]))
        if not cursor:
            return cls()
        before_lt, expected, limit, anchor, newest = (
            int(part) if part else None for part in cursor.split(":")
        )
        return cls(before_lt, expected, limit or 0, anchor, newest)

    def written(self) -> str:
        parts = (self.before_lt, self.expected, self.limit, self.anchor, self.newest)
        return ":".join("" if part is None else str(part) for part in parts)

    def anchored(self) -> str:
        """Give the cursor with which the next window begins."""
        anchor = self.newest or self.anchor
        return "" if anchor is None else f"@{anchor}"


@dataclass(frozen=True, slots=True)
class _Walked:
    transfers: tuple[Transfer, ...]
    place: _Place
    is_complete: bool
    has_gap: bool


@dataclass(frozen=True, slots=True)
class _Walk:
    """One page on the way back, from a place on."""

    account: Account
    wanted: Wanted
    source: str
    place: _Place

    def over(self, rows: list[Row], limit: int) -> _Walked:
        wanted, place, read = self.wanted, self.account.place, self.account.read
        since, until = int(wanted.since.timestamp()), int(wanted.until.timestamp())
        before_lt, expected = self.place.before_lt, self.place.expected
        newest, anchor = self.place.newest, self.place.anchor
        transfers: list[Transfer] = []

        def walked(*, is_complete: bool, has_gap: bool = False) -> _Walked:
            reached = _Place(before_lt, expected, 0, anchor, newest)
            return _Walked(tuple(transfers), reached, is_complete, has_gap)

        for row in rows:
            lt, previous, second = place(row)
            if before_lt is not None and lt >= before_lt:
                raise ValueError("rows are not in the order of logical time")
            if expected is not None and lt != expected:
                if lt > expected:
                    raise ValueError("a row that no other row names as the one before it")
                return walked(is_complete=False, has_gap=True)
            # At the anchor all is known; where there is none, a row may be too old.
            if lt == anchor or (second < since and (anchor is None or lt < anchor)):
                return walked(is_complete=True)
            before_lt, expected = lt, previous
            if second <= until:
                incoming = read(row)
                if incoming.account != self.account.address:
                    raise ValueError("a transaction of another account")
                transfer = credit(incoming, wanted.wallet, wanted.asset, self.source)
                if transfer is not None:
                    transfers.append(transfer)
                stays = previous is not None and incoming.finality is Finality.FINAL
                newest = (newest or lt) if stays else None
        # A short page ends the list only where nothing is known to come before its last row.
        is_complete = expected == 0 or (expected is None and len(rows) < limit)
        return walked(is_complete=is_complete, has_gap=not rows and not is_complete)


def _gap(api: Api, before_lt: int | None) -> NotYetKnownError:
    return NotYetKnownError(
        "pay.index_gap",
        f"'{api.name}' has not indexed all transactions of an account.",
        reason=f"What happened right before logical time {before_lt} is missing from its list.",
        fix="Wait for it, or ask another source.",
        retryable=True,
        context={"source": api.name, "before_lt": before_lt},
    )
