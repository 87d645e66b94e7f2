"""The nouns of the chains: assets, transfers, receipts and how sure a source is of them.

Money is an `int` in the asset's smallest unit, everywhere. Addresses are text in the canonical
form of their chain (`addresses.parse`): TRON base58check (`T…`), TON raw with lower-case hex
(`0:…`). Transaction ids are 64 lower-case hex digits on both chains. Instants are aware, in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Chain(StrEnum):
    """The chains that there are."""

    TRON = "tron"
    TON = "ton"


class Network(StrEnum):
    """Whether coins are worth something."""

    MAINNET = "mainnet"
    TESTNET = "testnet"


@dataclass(frozen=True, slots=True)
class Asset:
    """What can be paid with; `contract` is empty for the chain's own coin.

    `contract` is the TRC-20 contract or the jetton master in canonical form. It alone says which
    token something is: symbols and decimals are the sender's words.
    """

    name: str
    chain: Chain
    network: Network
    contract: str
    decimals: int
    unit: str


class Finality(StrEnum):
    """What a source may claim about a transfer.

    `listed`: an index lists it; whether it succeeded, and under which log index, its receipt
    says. `confirming`: it is on the chain, which may still roll it back. `final`: it succeeded
    by the crediting rules, and stays.
    """

    LISTED = "listed"
    CONFIRMING = "confirming"
    FINAL = "final"


class Transfer(NamedTuple):
    """Some of an asset that came in at one of our wallets.

    `(chain, tx, log_index)` is its identity. `log_index` is None where the source does not say
    it: then `tx` alone leads to the receipt, and two rows may be two transfers or the same one.
    On TON a transaction receives one message, so it is 0. `amount` is positive. `memo` is None
    where there is none (TRC-20 never has one), and without control characters otherwise; it is
    the sender's text. `lt` is TON's logical time, 0 on TRON. `source` is the name of the source.

    One is made of each row of each page: a frozen dataclass of so many fields takes ten times as
    long to make.
    """

    chain: Chain
    asset: str
    tx: str
    log_index: int | None
    amount: int
    sender: str
    recipient: str
    at: datetime
    memo: str | None
    finality: Finality
    source: str
    block: int = 0
    lt: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one transaction, by a source that says it is final.

    `transfers` are those of the asset to the wallet that was asked about: none where the
    transaction failed, or paid somebody else or something else; `reason` then says why.
    """

    chain: Chain
    tx: str
    succeeded: bool
    at: datetime
    transfers: tuple[Transfer, ...]
    reason: str
    source: str


class SourceState(StrEnum):
    """How well a source serves.

    `degraded`: it throttles us, we have spent its budget, or it does not tell how far its index is;
    what it said stays true. `stale`: it answers from an index that lags behind. `down`: no answer,
    or none that can be read.
    """

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a source has done since it was opened; `reason` says why it is not ok.

    `requests` counts all that were sent, `refused` those that the server throttled.
    """

    name: str
    kind: str
    chain: Chain
    network: Network
    state: SourceState
    requests: int
    pages: int
    receipts: int
    refused: int
    reason: str
