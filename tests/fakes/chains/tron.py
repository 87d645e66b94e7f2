"""TRON, simulated: blocks of three seconds, transactions with logs, a solid part that stays."""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import base58

USDT = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
SOLID_AFTER = timedelta(seconds=57)
BLOCK_MS = 3000
# Block 78,000,000 came at about this instant.
_FIRST_BLOCK, _FIRST_BLOCK_MS = 78_000_000, 1_767_225_600_000


def address_of(name: str) -> str:
    """Make an address that is somebody's."""
    digest = hashlib.sha256(name.encode()).digest()[:20]
    return base58.b58encode_check(b"\x41" + digest).decode()


@dataclass(frozen=True)
class Token:
    """What a contract says of itself, which anybody can say."""

    symbol: str = "USDT"
    decimals: int = 6
    name: str = "Tether USD"


@dataclass(frozen=True)
class Move:
    """A Transfer log."""

    sender: str
    recipient: str
    amount: int
    contract: str = USDT


@dataclass
class Transaction:
    """A call of a contract; a failed one has no logs, whatever its calldata said.

    `is_listed`: whether an index shows its moves although it failed, as some do.
    """

    tx: str
    at_ms: int
    moves: tuple[Move, ...]
    result: str = "SUCCESS"
    is_listed: bool = True
    rows: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def block(self) -> int:
        return _FIRST_BLOCK + (self.at_ms - _FIRST_BLOCK_MS) // BLOCK_MS


class TronLedger:
    """The truth about TRON."""

    def __init__(self, now: datetime | None = None) -> None:
        self.transactions: dict[str, Transaction] = {}
        self.tokens: dict[str, Token] = {USDT: Token()}
        self.index_until: datetime | None = None
        # Changes with every transaction, so that fakes know when what they worked out is stale.
        self.version = 0
        self._fixed_now = now
        self._numbers = itertools.count()
        self._by_recipient: dict[str, list[tuple[int, int, Transaction, Move]]] = defaultdict(list)

    def now(self) -> datetime:
        return self._fixed_now or datetime.now(UTC)

    def solid_until(self) -> datetime:
        """Tell the instant of the newest solid block."""
        solid_ms = _ms(self.now() - SOLID_AFTER)
        return datetime.fromtimestamp((solid_ms - solid_ms % BLOCK_MS) / 1000, UTC)

    def transfer(
        self,
        sender: str,
        recipient: str,
        amount: int,
        *,
        at: datetime | None = None,
        contract: str = USDT,
        tx: str = "",
    ) -> str:
        """Move tokens by a transaction of its own; gives its id."""
        return self.transaction(Move(sender, recipient, amount, contract), at=at, tx=tx)

    def transaction(
        self,
        *moves: Move,
        at: datetime | None = None,
        result: str = "SUCCESS",
        is_listed: bool = True,
        tx: str = "",
    ) -> str:
        """Make a transaction with any number of moves; gives its id."""
        number = next(self._numbers)
        self.version += 1
        identity = tx or hashlib.sha256(f"tron {number}".encode()).hexdigest()
        at_ms = _ms(at or self.now() - timedelta(seconds=90))
        made = Transaction(identity, at_ms - at_ms % BLOCK_MS, moves, result, is_listed)
        self.transactions[identity] = made
        for move in moves if is_listed else ():
            rows = self._by_recipient[move.recipient]
            row = (made.at_ms, number, made, move)
            if not rows or rows[-1][:2] < row[:2]:
                rows.append(row)
            else:
                rows.insert(bisect_right([one[:2] for one in rows], row[:2]), row)
        return identity

    def reorganise(self, tx: str) -> None:
        """Let a transaction never have happened: its block was not the one that stayed."""
        del self.transactions[tx]
        self.version += 1
        for recipient, rows in self._by_recipient.items():
            self._by_recipient[recipient] = [row for row in rows if row[2].tx != tx]

    def listed(
        self, recipient: str, first_ms: int, last_ms: int, *, only_solid: bool
    ) -> list[tuple[Transaction, Move]]:
        """List what came to an address, the oldest first, as far as an index knows."""
        rows = self._by_recipient[recipient]
        ends = [last_ms]
        if self.index_until is not None:
            ends.append(_ms(self.index_until))
        if only_solid:
            ends.append(_ms(self.solid_until()))
        begin = bisect_left(rows, first_ms, key=lambda row: row[0])
        end = bisect_right(rows, min(ends), key=lambda row: row[0])
        return [(made, move) for _, _, made, move in rows[begin:end]]


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
