"""TON, simulated: accounts with their chains of transactions, and jetton wallets of their own.

A jetton transfer makes the three transactions that it makes there: on the sender's jetton wallet,
on the recipient's, and, where a notification was paid for, on the recipient.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pytoniq_core import Address, Cell, begin_cell
from pytoniq_core.boc.builder import Builder

USDT = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"
_CODE = bytes.fromhex("8f452d7a4dfd74066b682365177259ed05734435be76b5fd4bd5d8af2b7c3d68")
_FIRST_LT = 60_000_000_000_000


def account_of(name: str) -> str:
    """Make an account that is somebody's, as a raw address."""
    return f"0:{hashlib.sha256(name.encode()).hexdigest()}"


def jetton_wallet_of(owner: str, master: str = USDT) -> str:
    """Give the account where an owner's jettons lie."""
    code = Builder(type_=2).store_uint(2, 8).store_bytes(_CODE).end_cell()
    data = begin_cell().store_uint(0, 4).store_coins(0)
    data = data.store_address(Address(owner)).store_address(Address(master)).end_cell()
    state = begin_cell().store_bits("00110").store_ref(code).store_ref(data).end_cell()
    return f"0:{state.hash.hex()}"


@dataclass
class Transaction:
    """What an account did on one message; phases that are None are not said."""

    account: str
    source: str | None
    value: int
    body: Cell | None
    at: int
    lt: int = 0
    previous_lt: int = 0
    tx: str = ""
    bounce: bool = True
    bounced: bool | None = False
    aborted: bool = False
    is_skipped: bool = False
    # Its computing went well, and its actions failed.
    fails_late: bool = False
    exit_code: int = 0
    bounce_phase: str | None = None
    rows: dict[str, bytes] = field(default_factory=dict)

    def row(
        self,
        kind: str,
        write: Callable[[Transaction], dict[str, Any]],
        lacks: Iterable[str] = (),
        parts: Iterable[str] = (),
    ) -> bytes:
        """Give the transaction as a provider writes it, which is worked out once for each kind.

        `lacks` names keys that are left out, of the row and of its `parts`.
        """
        if kind not in self.rows:
            row = write(self)
            for part in (row, *(row[name] for name in parts)):
                for name in lacks:
                    part.pop(name, None)
            self.rows[kind] = json.dumps(row).encode()
        return self.rows[kind]


class TonLedger:
    """The truth about TON."""

    def __init__(self, now: datetime | None = None) -> None:
        self.accounts: dict[str, list[Transaction]] = defaultdict(list)
        self.by_tx: dict[str, Transaction] = {}
        self.index_until: datetime | None = None
        self.hidden: set[str] = set()
        self._fixed_now = now
        self._numbers = itertools.count()

    def now(self) -> datetime:
        return self._fixed_now or datetime.now(UTC)

    def head(self) -> datetime:
        """Tell the instant of the newest block that is indexed."""
        return self.index_until or self.now() - timedelta(seconds=5)

    def pay_ton(
        self,
        sender: str | None,
        wallet: str,
        amount: int,
        comment: str | None = None,
        *,
        at: datetime | None = None,
        **details: object,
    ) -> str:
        """Send coins; gives the transaction's id. `details` are fields of Transaction."""
        body = None if comment is None else text_comment(comment)
        return self.add(Transaction(wallet, sender, amount, body, self._second(at), **details))

    def pay_usdt(
        self,
        sender: str,
        wallet: str,
        amount: int,
        comment: str | None = None,
        *,
        at: datetime | None = None,
        forward: int = 1,
        is_refused: bool = False,
        master: str = USDT,
        holder: str = "",
    ) -> str:
        """Send jettons; gives the id of the transaction on the recipient's jetton wallet.

        `forward` nanotons go with the notification: with the customary one there is no gas for
        it, with none it is not sent. `is_refused`: the jetton wallet fails. `holder` is another
        account than the jetton wallet of that master.
        """
        second = self._second(at)
        account = holder or jetton_wallet_of(wallet, master)
        payload = None if comment is None else text_comment(comment)
        tx = self.add(
            Transaction(
                account,
                jetton_wallet_of(sender, master),
                40_000_000,
                internal_transfer(amount, sender, payload, forward),
                second,
                aborted=is_refused,
                exit_code=47 if is_refused else 0,
                bounce_phase="ok" if is_refused else None,
            )
        )
        if forward and not is_refused:
            notice = transfer_notification(amount, sender, payload)
            self._notify(wallet, account, forward, notice, second)
        return tx

    def _notify(self, owner: str, holder: str, value: int, body: Cell, second: int) -> None:
        """Tell an owner of jettons that came in; without gas that fails, and nothing else does."""
        has_gas = value > 1_000_000
        self.add(
            Transaction(
                owner,
                holder,
                value,
                body,
                second,
                bounce=False,
                aborted=not has_gas,
                is_skipped=not has_gas,
            )
        )

    def add(self, made: Transaction) -> str:
        """Append a transaction to its account's chain; gives its id."""
        number = next(self._numbers)
        chain = self.accounts[made.account]
        made.lt = _FIRST_LT + number * 1_000_000 + 3
        made.previous_lt = chain[-1].lt if chain else 0
        if chain and made.at < chain[-1].at:
            raise ValueError("an account's transactions come in the order of time")
        made.tx = made.tx or hashlib.sha256(f"ton {number}".encode()).hexdigest()
        chain.append(made)
        self.by_tx[made.tx] = made
        return made.tx

    def listed(self, account: str, before_lt: int | None, limit: int) -> list[Transaction]:
        """List an account's transactions before a logical time, the newest first."""
        chain = self.accounts.get(account, [])
        end = len(chain) if before_lt is None else bisect_left(chain, before_lt, key=_lt)
        if self.index_until is None and not self.hidden:
            return chain[max(0, end - limit) : end][::-1]
        last = int(self.head().timestamp())
        known = (one for one in reversed(chain[:end]) if one.at <= last)
        return list(itertools.islice((one for one in known if one.tx not in self.hidden), limit))

    def find(self, tx: str) -> Transaction | None:
        """Give a transaction by its id, where it is indexed."""
        made = self.by_tx.get(tx)
        is_known = made is not None and made.at <= self.head().timestamp()
        return made if is_known and tx not in self.hidden else None

    def reorganise(self, tx: str) -> None:
        """Let the newest transaction of an account never have happened."""
        made = self.by_tx.pop(tx)
        if self.accounts[made.account].pop() is not made:
            raise ValueError("another transaction came after it")

    def _second(self, at: datetime | None) -> int:
        return int((at or self.now() - timedelta(seconds=90)).timestamp())


def text_comment(text: str | bytes) -> Cell:
    """Write a comment, over as many cells as it takes."""
    content = text if isinstance(text, bytes) else text.encode()
    first, rest = content[:119], content[119:]
    pieces = [rest[start : start + 127] for start in range(0, len(rest), 127)]
    behind = None
    for piece in reversed(pieces):
        builder = begin_cell().store_bytes(piece)
        behind = (builder.store_ref(behind) if behind else builder).end_cell()
    builder = begin_cell().store_uint(0, 32).store_bytes(first)
    return (builder.store_ref(behind) if behind else builder).end_cell()


def opcode_of(body: Cell) -> str | None:
    """Give the first 32 bits of a message as both APIs write them; None where it has fewer."""
    begun = body.begin_parse()
    return f"0x{begun.load_uint(32):08x}" if len(begun.bits) >= 32 else None


def internal_transfer(amount: int, sender: str, payload: Cell | None, forward: int = 1) -> Cell:
    """Write how jettons come in (TEP-74)."""
    builder = begin_cell().store_uint(0x178D4519, 32).store_uint(7, 64).store_coins(amount)
    builder = builder.store_address(Address(sender)).store_address(Address(sender))
    return _with_payload(builder.store_coins(forward), payload)


def transfer_notification(amount: int, sender: str, payload: Cell | None) -> Cell:
    """Write what a jetton wallet tells its owner (TEP-74)."""
    builder = begin_cell().store_uint(0x7362D09C, 32).store_uint(7, 64).store_coins(amount)
    return _with_payload(builder.store_address(Address(sender)), payload)


def _with_payload(builder: Builder, payload: Cell | None) -> Cell:
    if payload is None:
        return builder.store_bit(0).end_cell()
    return builder.store_bit(1).store_ref(payload).end_cell()


def _lt(made: Transaction) -> int:
    return made.lt
