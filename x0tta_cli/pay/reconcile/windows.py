"""Which stretch of time of a wallet is read from a source, and its pages into the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.engine import Connection

from x0tta_cli.pay.assets import ASSETS
from x0tta_cli.pay.chains.protocol import Page, Source
from x0tta_cli.pay.ledger import cursors, recording
from x0tta_cli.pay.ledger.settling import settle_again
from x0tta_cli.pay.model import Finality
from x0tta_cli.pay.orders import Wallet
from x0tta_cli.pay.reconcile.round import NO_ANSWER, Round

# Rows that are read before they are stored: a commit waits for the disk, and a kill costs at most
# the requests of so many rows, and of so long.
ROWS_AT_ONCE, SECONDS_AT_ONCE = 2000, 5.0
# The first block of TRON; the other chain is younger. A window that begins before it begins here:
# providers refuse instants before 1970.
FIRST_BLOCK = datetime(2018, 6, 25, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where reading begins: in a window that was not read to its end, or `since` in a new one.

    `orders` is the number of the last order that a new window is read for, `cursor` where the
    source goes on from.
    """

    since: datetime
    window: cursors.Window | None
    orders: int | None
    cursor: str


def beginning_of(connection: Connection, run: Round, source: Source, wallet: Wallet) -> Beginning:
    """Tell where reading a wallet from a source begins.

    Where the last window ended less the overlap, but no later than the window of any order that
    came since then, or than `--since`; with the first order where nothing was read.
    """
    window = cursors.window_of(connection, wallet, source.name)
    known = cursors.orders_known(connection, wallet, source.name)
    last, earliest = cursors.orders_after(connection, wallet, known)
    if window is not None and (run.since is None or run.since >= window.since):
        return Beginning(window.since, window, None, window.cursor)
    until = cursors.read_until(connection, wallet, source.name)
    usual = (until or datetime.now(UTC)) - run.overlap
    since = max(FIRST_BLOCK, min(one for one in (usual, earliest, run.since) if one is not None))
    cursor = cursors.next_cursor(connection, wallet, source.name) if since == usual else ""
    return Beginning(since, None, last, cursor)


def read_wallet(run: Round, source: Source, wallet: Wallet) -> None:
    """Read one wallet from one source to the horizon; what fails is noted in the round."""
    if source.name in run.spent:
        return
    try:
        with run.ledger.reading() as connection:
            begin = beginning_of(connection, run, source, wallet)
        window = begin.window or cursors.Window(begin.since, source.horizon(), begin.cursor)
        if window.until <= window.since:
            run.read.add(wallet.number)
            return
        with run.progress.stage(f"{source.name}: {wallet.name}"):
            _read(run, source, wallet, window, begin)
    except NO_ANSWER as error:
        run.set_aside(source, wallet, error)


def _read(
    run: Round, source: Source, wallet: Wallet, window: cursors.Window, begin: Beginning
) -> None:
    asset, rows = ASSETS[wallet.asset], 0
    # Only whoever has seen the whole window can say what is not in it any more.
    unsettled: set[str] | None = set() if begin.window is None else None
    found = source.pages(wallet.address, asset, window.since, window.until, window.cursor)
    for pages in _together(found):
        rows += sum(page.rows for page in pages)
        transfers = [one for page in pages for one in page.transfers]
        if unsettled is not None:
            unsettled |= {one.tx for one in transfers if one.finality is not Finality.FINAL}
        reached = cursors.Window(window.since, window.until, pages[-1].cursor)
        is_complete = pages[-1].complete
        with run.ledger.writing() as connection:
            changed = recording.record(connection, wallet, transfers).changed
            if is_complete and unsettled is not None:
                changed |= recording.drop_vanished(
                    connection, wallet, source.name, (window.since, window.until), unsettled
                )
            settle_again(connection, changed)
            cursors.advance(connection, wallet, source.name, reached, is_complete=is_complete)
            if is_complete and begin.orders is not None:
                cursors.know_orders(connection, wallet, source.name, begin.orders)
        run.progress.update(note=f"{rows} rows")
        if is_complete:
            run.read.add(wallet.number)


def _together(pages: Iterator[Page]) -> Iterator[Sequence[Page]]:
    """Give pages in groups; those that came before an error are given ahead of it."""
    held: list[Page] = []
    began = time.monotonic()
    try:
        for page in pages:
            held.append(page)
            are_many = sum(one.rows for one in held) >= ROWS_AT_ONCE
            if page.complete or are_many or time.monotonic() - began >= SECONDS_AT_ONCE:
                yield held
                held, began = [], time.monotonic()
    except NO_ANSWER:
        if held:
            yield held
        raise
