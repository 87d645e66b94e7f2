"""Many payments at once, for measurements: quickly made, each a transfer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from fakes.chains import ton, tron

SPREAD = timedelta(hours=12)
_PLACE, _AMOUNT = "ORDER-00000000", 0xABCDEF


def order_of(number: int) -> str:
    """Name the order that a payment is for, which is its memo on TON."""
    return f"ORDER-{number:08}"


def amount_of(number: int) -> int:
    """Give a payment's amount in smallest units, which no other of the crowd has."""
    return 10_000_000 + number


def tron_crowd(count: int, wallet: str, until: datetime) -> tron.TronLedger:
    """Pay a wallet so many times over the twelve hours before an instant."""
    ledger = tron.TronLedger()
    customers = [tron.address_of(f"customer {number}") for number in range(500)]
    for number in range(count):
        at = until - SPREAD + SPREAD * number / count
        ledger.transfer(customers[number % 500], wallet, amount_of(number), at=at)
    return ledger


def ton_crowd(count: int, wallet: str, until: datetime) -> ton.TonLedger:
    """Pay a wallet so many times in jettons over the twelve hours before an instant."""
    ledger = ton.TonLedger()
    sender = ton.account_of("customer")
    holder, from_wallet = ton.jetton_wallet_of(wallet), ton.jetton_wallet_of(sender)
    for number in range(count):
        at = int((until - SPREAD + SPREAD * number / count).timestamp())
        body = _Body(amount_of(number), sender, order_of(number))
        ledger.add(ton.Transaction(holder, from_wallet, 40_000_000, body, at))
    return ledger


@dataclass(frozen=True)
class _Body:
    """An internal_transfer, written by filling in a form: building cells takes much longer."""

    amount: int
    sender: str
    memo: str

    def begin_parse(self) -> object:
        """Read it from its beginning, which is the same in each."""
        return _cell(self.sender).begin_parse()

    def to_boc(self) -> bytes:
        form = _form(self.sender).replace(_coins(_AMOUNT), _coins(self.amount))
        return form.replace(_PLACE.encode(), self.memo.encode())


@cache
def _form(sender: str) -> bytes:
    return bytes(_cell(sender).to_boc())


@cache
def _cell(sender: str) -> ton.Cell:
    return ton.internal_transfer(_AMOUNT, sender, ton.text_comment(_PLACE), 0)


def _coins(amount: int) -> bytes:
    """Give four bytes of the message: an amount of three bytes behind its length in four bits.

    The last four bits begin the sender's address: that there is one, in full, of workchain 0.
    """
    return (3 << 28 | amount << 4 | 0b1000).to_bytes(4, "big")
