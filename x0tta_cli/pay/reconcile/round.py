"""What all steps of one run share: who is read from whom, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from x0tta_cli.core.errors import NotPermittedError, NotYetKnownError, UnavailableError
from x0tta_cli.core.progress import Progress
from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.ledger.database import Ledger
from x0tta_cli.pay.orders import Wallet
from x0tta_cli.pay.reconcile.model import Unread

# What a source may say instead of an answer; none of it means 'unpaid'.
NO_ANSWER = (UnavailableError, NotYetKnownError, NotPermittedError)


@dataclass(slots=True)
class Round:
    """One run over some wallets and sources."""

    ledger: Ledger
    sources: Mapping[str, Source]
    wallets: Sequence[Wallet]
    overlap: timedelta
    since: datetime | None
    progress: Progress
    unread: list[Unread] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    # Sources that have said that they will not answer for now.
    spent: set[str] = field(default_factory=set)
    waiting: int = 0

    def pairs(self) -> Iterator[tuple[Source, Wallet]]:
        """Give each source with each wallet that it can tell of."""
        for source in self.sources.values():
            for wallet in self.wallets:
                asset = ASSETS[wallet.asset]
                if (asset.chain, asset.network) == (source.chain, source.network):
                    yield source, wallet

    def sources_of(self, wallet: Wallet) -> list[Source]:
        """Give the sources that can tell of a wallet."""
        return [source for source, one in self.pairs() if one is wallet]

    def set_aside(
        self,
        source: Source,
        wallet: Wallet,
        error: UnavailableError | NotYetKnownError | NotPermittedError,
    ) -> None:
        """Note why a source gave no answer, and ask it no more in this run.

        Raises the error where it is the ledger's own: then nothing can be stored either.
        """
        if error.code.startswith("pay.ledger"):
            raise error
        self.unread.append(Unread(source.name, wallet.name, error.code, str(error)))
        self.spent.add(source.name)
