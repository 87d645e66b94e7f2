"""The nouns of reconciling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from x0tta_cli.core.errors import ExitStatus, first_of
from x0tta_cli.pay.orders import OrderState, Unmatched

# Stands for a source where there is none.
NOBODY = "-"
NOT_KNOWN = (OrderState.SEEN, OrderState.CONFIRMING, OrderState.CONFLICTING)


@dataclass(frozen=True, slots=True)
class PlannedRead:
    """What reading one wallet from one source will ask for; `left_today` is None without a limit.

    `requests` counts the pages that as many rows as there are open orders would fill, and
    `receipts` those of transfers that wait for theirs.
    """

    source: str
    wallet: str
    asset: str
    since: datetime
    requests: int
    receipts: int
    left_today: int | None
    fits: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run would ask for."""

    reads: tuple[PlannedRead, ...]

    @property
    def rows(self) -> tuple[PlannedRead, ...]:
        """The lines of the plan."""
        return self.reads

    @property
    def would_change(self) -> bool:
        """Whether anything would be read."""
        return bool(self.reads)


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What a source did in this run; `reason` says why it is not ok."""

    name: str
    pages: int
    receipts: int
    refused: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A wallet that a source was not read for to the end, and why; the next run goes on.

    `source` is NOBODY where none is configured that could tell.
    """

    source: str
    wallet: str
    code: str
    reason: str

    @property
    def words(self) -> str:
        """Say who could not tell, and why."""
        return self.reason if self.source == NOBODY else f"{self.source}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a run found. `waiting` counts transfers whose receipts come with the next run.

    `blind` names wallets that no source could be read for.
    """

    sources: tuple[SourceOutcome, ...]
    changes: tuple[Mapping[str, str], ...]
    unmatched: tuple[Unmatched, ...]
    orders: Mapping[str, int]
    log_head: str
    waiting: int
    unread: tuple[Unread, ...]
    blind: tuple[str, ...]

    @property
    def exit_status(self) -> ExitStatus:
        """Blind for a wallet 7; 10 where what came contradicts or is not known yet; else 0."""
        waits = self.waiting or self.unread or any(self.orders.get(state) for state in NOT_KNOWN)
        return first_of(
            (
                ExitStatus.UNAVAILABLE if self.blind else ExitStatus.DONE,
                ExitStatus.NOT_YET_KNOWN if waits else ExitStatus.DONE,
            )
        )
