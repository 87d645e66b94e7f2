"""Both chains, simulated and served as their four public APIs, and the configuration of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes.chains import tonapi, toncenter, tron, trongrid, tronscan
from fakes.chains.server import Fake
from fakes.chains.ton import TonLedger, account_of
from fakes.chains.tron import TronLedger

SHOP = tron.address_of("shop")
PAYER = tron.address_of("payer")
TON_SHOP = account_of("shop")
TON_PAYER = account_of("payer")
MODULES = {"trongrid": trongrid, "tronscan": tronscan, "tonapi": tonapi, "toncenter": toncenter}


@dataclass
class World:
    """What there is to read; `config` is a file that names it."""

    tron: TronLedger
    ton: TonLedger
    fakes: dict[str, Fake]
    config: Path

    def pay_tron(self, amount: int, **details: object) -> str:
        return self.tron.transfer(PAYER, SHOP, amount, **details)

    def pay_ton(self, amount: int, comment: str | None, **details: object) -> str:
        details.setdefault("at", datetime.now(UTC) - timedelta(seconds=60))
        return self.ton.pay_ton(TON_PAYER, TON_SHOP, amount, comment, **details)

    def pay_usdt(self, amount: int, comment: str | None, **details: object) -> str:
        details.setdefault("at", datetime.now(UTC) - timedelta(seconds=60))
        return self.ton.pay_usdt(TON_PAYER, TON_SHOP, amount, comment, **details)


@contextmanager
def world(folder: Path, *names: str, extra: str = "", **limits: object) -> Iterator[World]:
    """Serve the named APIs, all four where none is named."""
    ledgers = {"tron": TronLedger(), "ton": TonLedger()}
    with ExitStack() as stack:
        fakes = {}
        for name in names or MODULES:
            ledger = ledgers["tron" if name.startswith("tron") else "ton"]
            fakes[name] = stack.enter_context(MODULES[name].serve(ledger, **limits))
        config = folder / "pay.toml"
        lines = [f"[pay]\n{extra}\n"]
        for name, fake in fakes.items():
            lines.append(
                f'[pay.sources.{name}]\nkind = "{name}"\nbase_url = "{fake.url}"\n'
                "requests_per_second = 1000\n"
            )
        config.write_text("\n".join(lines))
        yield World(ledgers["tron"], ledgers["ton"], fakes, config)
