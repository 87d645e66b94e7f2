"""A ledger with wallets, for tests: orders come in a line each, and so do transfers."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta

from x0tta_cli.pay.ledger import reading, recording, settling
from x0tta_cli.pay.ledger.database import Ledger, open_ledger
from x0tta_cli.pay.ledger.enrolment import Limits, add_orders, add_wallet
from x0tta_cli.pay.model import Chain, Finality, Receipt, Transfer
from x0tta_cli.pay.orders import NewOrder, Order, Wallet

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
SHOP = "TQq4YrKRywkd9vLYw2nZKiFfMpbQiL8gKK"
PAYER = "TAVrrARNdnjHgCGMQYeQV7hv4PSu7mVsMj"
TON_SHOP = "0:" + "ab" * 32
TON_PAYER = "0:" + "cd" * 32


class Till:
    """A ledger that is worked on without a chain."""

    def __init__(self, url: str | None = None) -> None:
        self.ledger: Ledger = open_ledger(url)
        self.tron = add_wallet(self.ledger, "usdt-trc20", SHOP, "shop")
        self.ton = add_wallet(self.ledger, "ton", TON_SHOP, "ton-shop")
        self._numbers = itertools.count()
        with self.ledger.writing() as connection:
            for name in ("trongrid", "tronscan", "tonapi", "toncenter"):
                recording.remember_source(connection, name, name)

    def expect(
        self,
        order: str,
        amount: int,
        *,
        asset: str = "ton",
        days: int | None = None,
        limits: Limits | None = None,
        **details,
    ) -> Order:
        end = None if days is None else BEGIN + timedelta(days=days)
        wallet = self.tron.name if asset == "usdt-trc20" else self.ton.name
        memo = details.pop("memo", None)
        begin = details.pop("begin", BEGIN)
        new = NewOrder(order, asset, wallet, amount, memo, begin, end, **details)
        add_orders(self.ledger, [new], limits or Limits())
        return self.order(order)

    def transfer(self, amount: int, memo: str | None = None, **details) -> Transfer:
        """Make a transfer of TON, or with `asset` of what it says."""
        is_ton = details.get("asset", "ton") == "ton"
        number = next(self._numbers)
        made = {
            "chain": Chain.TON if is_ton else Chain.TRON,
            "asset": "ton",
            "tx": hashlib.sha256(f"till {number}".encode()).hexdigest(),
            "log_index": 0,
            "sender": TON_PAYER if is_ton else PAYER,
            "recipient": TON_SHOP if is_ton else SHOP,
            "at": BEGIN + timedelta(hours=1),
            "finality": Finality.FINAL,
            "source": "tonapi" if is_ton else "trongrid",
        }
        return Transfer(amount=amount, memo=memo, **(made | details))

    def receive(self, *transfers: Transfer) -> None:
        """Record transfers as a page, and settle."""
        for wallet in (self.ton, self.tron):
            page = [one for one in transfers if one.recipient == wallet.address]
            self.record(wallet, page)
        self.settle()

    def record(self, wallet: Wallet, page: list[Transfer]) -> None:
        with self.ledger.writing() as connection:
            recorded = recording.record(connection, wallet, page)
            settling.settle_again(connection, recorded.changed)

    def receipt(self, wallet: Wallet, receipt: Receipt) -> None:
        with self.ledger.writing() as connection:
            recorded = recording.record_receipts(connection, wallet, [receipt])
            settling.settle(connection)
            settling.settle_again(connection, recorded.changed)

    def settle(self) -> settling.Settled:
        with self.ledger.writing() as connection:
            return settling.settle(connection)

    def order(self, name: str) -> Order:
        with self.ledger.reading() as connection:
            return reading.find_order(connection, name)

    def state(self, name: str) -> str:
        return self.order(name).state.value

    def unmatched(self) -> list[object]:
        with self.ledger.reading() as connection:
            return list(reading.unmatched_in(connection))

    def sql(self, statement: str) -> None:
        """Change the ledger behind its back, as whoever may write its file can."""
        with self.ledger.writing() as connection:
            connection.exec_driver_sql(statement)
