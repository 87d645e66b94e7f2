"""TON's sources: read in one way, whichever of the two APIs has the transactions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.horizon import Horizon
from x0tta_cli.pay.chains.protocol import Page
from x0tta_cli.pay.chains.reading import instant_of_s
from x0tta_cli.pay.chains.ton.crediting import Incoming, receipt_of
from x0tta_cli.pay.chains.ton.listing import Account, Row, Wanted, holder_of, read_account
from x0tta_cli.pay.model import Asset, Chain, Finality, Receipt

__all__ = ["Dialect", "Row", "TonSource"]


class Dialect(Protocol):
    """What the two APIs name differently.

    Methods raise ValueError, TypeError and KeyError for an answer that is none; `place` and `read`
    are those of `listing.Account`.
    """

    kind: str

    def head(self, api: Api) -> Any:
        """Ask for the second of the newest block of the masterchain that is indexed.

        None where the server has no such answer.
        """
        ...

    def rows(self, api: Api, account: str, before_lt: int | None, limit: int) -> list[Row]:
        """Ask for an account's newest rows before a logical time (None: from the head)."""
        ...

    def find(self, api: Api, tx: str) -> Row | None:
        """Ask for one transaction; None where it is unknown."""
        ...

    def place(self, row: Row) -> tuple[int, int | None, int]:
        """Give a row's logical time, that of the row before it, and its second."""
        ...

    def read(self, row: Row) -> Incoming:
        """Read a row as crediting needs it."""
        ...


class TonSource:
    """See `protocol.Source`."""

    chain = Chain.TON
    settles, lists_finally = True, True

    def __init__(self, api: Api, dialect: Dialect, page_size: int, stale_after_s: float) -> None:
        self.api, self.kind, self.page_size = api, dialect.kind, page_size
        self._dialect = dialect
        self._horizon = Horizon(api, self._head_at, stale_after_s)

    def horizon(self) -> datetime:
        """Tell the instant of the newest block of the masterchain that is indexed."""
        return self._horizon.read()

    def pages(
        self, wallet: str, asset: Asset, since: datetime, until: datetime, cursor: str = ""
    ) -> Iterator[Page]:
        """List the newest first; see `listing`."""
        holder, dialect = holder_of(wallet, asset), self._dialect

        def fetch(before_lt: int | None, limit: int) -> list[Row]:
            with self.api.judging():
                return dialect.rows(self.api, holder, before_lt, limit)

        account = Account(holder, fetch, dialect.place, dialect.read)
        wanted = Wanted(wallet, asset, since, until)
        yield from read_account(self.api, account, wanted, self.page_size, cursor)

    def receipt(self, tx: str, wallet: str, asset: Asset) -> Receipt | None:
        """Ask for one transaction; None where it is unknown, not final, or after the horizon."""
        horizon, holder = self.horizon(), holder_of(wallet, asset)
        with self.api.judging():
            row = self._dialect.find(self.api, tx)
            self.api.receipts += 1
            if row is None:
                return None
            incoming = self._dialect.read(row)
            receipt = receipt_of(incoming, tx, holder, wallet, asset, source=self.api.name)
        is_final = incoming.finality is Finality.FINAL and receipt.at <= horizon
        return receipt if is_final else None

    def _head_at(self) -> datetime | None:
        with self.api.judging():
            head = self._dialect.head(self.api)
            return None if head is None else instant_of_s(head)
