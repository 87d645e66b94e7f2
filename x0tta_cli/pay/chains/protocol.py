"""The seam between the ledger and the chains: every source is read in the same way.

How a wallet is read:

    with registry.open_sources(settings, usage) as sources:
        source = sources["trongrid"]
        until = source.horizon()
        for page in source.pages(wallet, asset, since, until, cursor):
            ...                        # store page.transfers and page.cursor in one transaction
        # page.complete on the last one: [since, until] has been read; next time, since = until
        # minus an overlap, and the last cursor.

A window is closed: nothing final can be added to it, but an index may be late, so windows overlap
and transfers come twice; their identity tells. On TON each transaction names the one before it, so
that a source proves that nothing is missing, and goes back to where it has done so. An iteration
that ends early (an error, a kill) goes on from the last cursor that was stored, with the same
`since` and `until`.

Errors, of `core.errors`, that every method may raise; none of them means 'unpaid':

    NotYetKnownError  pay.index_stale         the index lags; a later run will know
    NotYetKnownError  pay.index_gap           TON: a transaction is missing between two others
    UnavailableError  pay.source_throttled    asked too often; context["retry_after_s"]
    UnavailableError  pay.budget_spent        the day's requests are used up
    UnavailableError  pay.bad_answer          truncated, of another shape, repeating for ever
    UnavailableError  http.*                  unreachable, timed out, too large, not JSON
    NotPermittedError pay.key_refused         the key is wrong
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from x0tta_cli.pay.model import Asset, Chain, Network, Receipt, SourceReport, Transfer


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a listing.

    `transfers` are those to the wallet, of the exact asset, within the window, with an amount;
    `rows` counts all that the source sent for it, `ignored` those of them that are no such
    transfer (other tokens, zero amounts, outgoing, bounced or failed ones). `cursor` goes on after
    this page, in another process too; it is opaque. `complete`: the window has been read; then the
    next window begins with `cursor`, which is empty where windows have to overlap.
    """

    transfers: tuple[Transfer, ...]
    rows: int
    ignored: int
    cursor: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """Requests that a source may still be sent; None where nobody has set a limit."""

    per_second: float | None
    per_day: int | None
    left_today: int | None


class Source(Protocol):
    """One public API of one chain.

    `settles`: its receipts carry log indices, so that they can make an order paid; one that does
    not can list transfers and agree with another source. `lists_finally`: its pages give `final`
    transfers with their identity, so that no receipt is needed.
    """

    name: str
    kind: str
    chain: Chain
    network: Network
    page_size: int
    settles: bool
    lists_finally: bool

    def horizon(self) -> datetime:
        """Tell up to which instant all is final; one request, then remembered for some seconds.

        Raises `pay.index_stale` (10) where that is too long ago.
        """
        ...

    def pages(
        self, wallet: str, asset: Asset, since: datetime, until: datetime, cursor: str = ""
    ) -> Iterator[Page]:
        """List what came in from `since` to `until`, both included, a request for each page.

        `wallet` is canonical; `until` may not be after the horizon. The order of transfers is the
        source's own.
        """
        ...

    def receipt(self, tx: str, wallet: str, asset: Asset) -> Receipt | None:
        """Ask what became of a transaction; one request. None: not known, or not final yet.

        For many of them `receipts.fetch_receipts` has several under way at once.
        """
        ...

    def allowance(self) -> Allowance:
        """Tell how many requests may still be sent."""
        ...

    def report(self) -> SourceReport:
        """Tell what was asked so far, and how well it went."""
        ...

    def close(self) -> None:
        """Close its connections and give back what was reserved of the budget."""
        ...


def planned_requests(source: Source, rows: int, receipts: int = 0) -> int:
    """Tell what reading one wallet costs: the horizon, each page of `rows`, and each receipt.

    A listing that ends exactly at a page's end takes one more, since its last page may be empty.
    """
    pages = -(-rows // source.page_size) if rows else 1
    return 1 + pages + receipts
