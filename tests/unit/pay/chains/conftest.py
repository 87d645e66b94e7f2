"""Sources that read fakes on real sockets, by a clock that lives through a pause in no time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from fakes.chains import tonapi, toncenter, tron, trongrid, tronscan
from fakes.chains.server import Fake
from fakes.chains.ton import TonLedger, account_of
from fakes.chains.tron import TronLedger

from x0tta_cli.pay.assets import find_asset
from x0tta_cli.pay.chains.protocol import Page, Source
from x0tta_cli.pay.chains.registry import CountedHere, open_source
from x0tta_cli.pay.chains.settings import SourceSettings
from x0tta_cli.pay.model import Asset, Transfer

SERVE = {
    "trongrid": trongrid.serve,
    "tronscan": tronscan.serve,
    "tonapi": tonapi.serve,
    "toncenter": toncenter.serve,
}


class PatientClock:
    """The machine's clock, moved on by whatever is slept."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.slept_s

    def sleep(self, duration_s: float) -> None:
        self.slept_s += duration_s


class Reading:
    """One wallet, read from one source that shows a simulated chain."""

    def __init__(self, fake: Fake, source: Source, wallet: str, asset: Asset) -> None:
        self.fake, self.source, self.wallet, self.asset = fake, source, wallet, asset

    def window(self, hours: float = 24.0) -> tuple[datetime, datetime]:
        until = self.source.horizon()
        return until - timedelta(hours=hours), until

    def pages(self, cursor: str = "", hours: float = 24.0) -> list[Page]:
        return list(self.source.pages(self.wallet, self.asset, *self.window(hours), cursor))

    def transfers(self, hours: float = 24.0) -> list[Transfer]:
        pages = self.pages(hours=hours)
        assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
        return [transfer for page in pages for transfer in page.transfers]

    def receipt(self, tx: str):
        return self.source.receipt(tx, self.wallet, self.asset)


@pytest.fixture
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture
def tron_ledger() -> TronLedger:
    return TronLedger()


@pytest.fixture
def ton_ledger() -> TonLedger:
    return TonLedger()


@pytest.fixture
def reading(tron_ledger, ton_ledger, clock) -> Iterator[Callable[..., Reading]]:
    """Opens a source of a kind over the chain it is for."""
    with ExitStack() as stack:

        def start(
            kind: str,
            asset: str = "",
            *,
            key: str = "",
            server_key: str = "",
            usage=None,
            patience_s: float = 0.0,
            limit_per_second: int | None = None,
            **settings,
        ) -> Reading:
            is_tron = kind in {"trongrid", "tronscan"}
            ledger = tron_ledger if is_tron else ton_ledger
            fake = stack.enter_context(
                SERVE[kind](ledger, key=server_key, limit_per_second=limit_per_second)
            )
            source = open_source(
                kind,
                SourceSettings(
                    kind=kind,
                    base_url=fake.url,
                    key=key or None,
                    **({"requests_per_second": 1000} | settings),
                ),
                usage=usage or CountedHere(),
                patience_s=patience_s,
                clock=clock,
            )
            stack.callback(source.close)
            wallet = tron.address_of("shop") if is_tron else account_of("shop")
            return Reading(
                fake, source, wallet, find_asset(asset or ("usdt-trc20" if is_tron else "usdt-ton"))
            )

        yield start
