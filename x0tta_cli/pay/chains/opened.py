"""A source as the ledger holds it: what reads the chain, and the books about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from x0tta_cli.pay.chains.api import Api
from x0tta_cli.pay.chains.protocol import Allowance, Page
from x0tta_cli.pay.model import Asset, Chain, Network, Receipt, SourceReport


class Reader(Protocol):
    """What the four APIs do differently; the methods are those of `protocol.Source`."""

    chain: Chain
    kind: str
    settles: bool
    lists_finally: bool
    page_size: int
    api: Api

    def horizon(self) -> datetime:
        """See `protocol.Source`."""
        ...

    def pages(
        self, wallet: str, asset: Asset, since: datetime, until: datetime, cursor: str = ""
    ) -> Iterator[Page]:
        """See `protocol.Source`."""
        ...

    def receipt(self, tx: str, wallet: str, asset: Asset) -> Receipt | None:
        """See `protocol.Source`."""
        ...


class OpenedSource:
    """See `protocol.Source`."""

    def __init__(self, reader: Reader, network: Network) -> None:
        self.name, self.kind, self.network = reader.api.name, reader.kind, network
        self.chain, self.page_size = reader.chain, reader.page_size
        self.settles, self.lists_finally = reader.settles, reader.lists_finally
        self.horizon, self.pages, self.receipt = reader.horizon, reader.pages, reader.receipt
        self._api = reader.api

    def allowance(self) -> Allowance:
        """Tell how many requests may still be sent."""
        turnstile = self._api.turnstile
        return Allowance(turnstile.per_second, turnstile.per_day, turnstile.left_today())

    def report(self) -> SourceReport:
        """Tell what was asked so far, and how well it went."""
        api = self._api
        return SourceReport(
            self.name,
            self.kind,
            self.chain,
            self.network,
            api.state,
            requests=api.turnstile.sent,
            pages=api.pages,
            receipts=api.receipts,
            refused=api.refused,
            reason=api.reason,
        )

    def close(self) -> None:
        """Close its connections, and give back what was reserved of the budget."""
        self._api.close()
