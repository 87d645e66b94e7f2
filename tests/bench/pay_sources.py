"""Payments verified end to end: read from a chain's API, recorded, matched, states and log written.

    tests/bench/pay_sources.py [--size FACTOR]

One `reconcile` on one core against a local fake in a process of its own, beside the older way: one
request for each order. The last line is against a fake that counts 15 requests in any second and
refuses the sixteenth. Rates are by the time that the core was used; the time on the wall, which is
told beside, measures others too where they use the machine. Ends with 1 where a bar is missed in a
full run, and always where a request was refused, or more were sent than were planned.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes.chains import ton, tron
from fakes.chains.crowd import amount_of, order_of
from fakes.chains.process import fake_process

from x0tta_cli.__main__ import OBJECTS_BETWEEN_COLLECTIONS
from x0tta_cli.core.progress import Silent
from x0tta_cli.pay.assets import find_asset
from x0tta_cli.pay.chains.protocol import Source, planned_requests
from x0tta_cli.pay.chains.registry import CountedHere, open_source
from x0tta_cli.pay.chains.settings import SourceSettings
from x0tta_cli.pay.ledger.audit import audit_ledger
from x0tta_cli.pay.ledger.database import Ledger, open_ledger
from x0tta_cli.pay.ledger.enrolment import Limits, add_orders, add_wallet
from x0tta_cli.pay.orders import NewOrder
from x0tta_cli.pay.reconcile.run import reconcile

PAYMENTS, RECEIPTS, OLDER, LIMITED_S = 40_000, 4_000, 1_000, 20.0
WANTED_BY_PAGE, WANTED_BY_RECEIPT, LIMIT_PER_SECOND = 500_000, 25_000, 15
# Of the speed that the limit allows, and of the first run's time.
WANTED_SHARE, WANTED_AGAIN = 0.95, 0.02
CORES = sorted(os.sched_getaffinity(0))


@dataclass
class Bench:
    """A source over a crowd of payments, and a ledger that expects them."""

    source: Source
    ledger: Ledger
    asset: str
    count: int
    last: datetime

    def reconcile(self) -> tuple[float, float, int]:
        """Run once; seconds on the wall and of the core, and requests."""
        asked = self.source.report().requests
        started, used_before = time.perf_counter(), time.process_time()
        result = reconcile(self.ledger, {self.source.name: self.source}, Silent())
        seconds, used = time.perf_counter() - started, time.process_time() - used_before
        assert result.orders == {"paid": self.count}, (result.orders, result.unread)
        return seconds, used, self.source.report().requests - asked

    def audit(self) -> None:
        with self.ledger.reading() as connection:
            assert audit_ledger(connection).differences == ()


@contextmanager
def opened(kind: str, count: int, limit: int | None = None) -> Iterator[Bench]:
    """Open a bench; the fake makes its answers on a first reading, which is not measured."""
    is_tron = kind in {"trongrid", "tronscan"}
    wallet = tron.address_of("shop") if is_tron else ton.account_of("shop")
    asset = "usdt-trc20" if is_tron else "usdt-ton"
    other = CORES[-1] if len(CORES) > 1 else None
    with (
        tempfile.TemporaryDirectory() as state,
        fake_process(kind, count, limit_per_second=limit, cpu=other) as (url, last),
    ):
        os.environ["X0TTA_STATE_DIR"] = state
        ledger = open_ledger()
        add_wallet(ledger, asset, wallet)
        begin = last - timedelta(hours=13)
        orders = (
            NewOrder(order_of(n), asset, "", amount_of(n), None, begin, None) for n in range(count)
        )
        add_orders(ledger, orders, Limits())
        settings = SourceSettings(kind=kind, base_url=url, requests_per_second=limit or 100_000)
        source = open_source(kind, settings, usage=CountedHere())
        if not limit:
            list(source.pages(wallet, find_asset(asset), begin, last))
        try:
            yield Bench(source, ledger, asset, count, last)
        finally:
            source.close()
            ledger.close()


def by_page(kind: str, count: int) -> float:
    """Measure payments whose pages suffice; how many times the bar it is."""
    with opened(kind, count) as bench:
        seconds, used, requests = bench.reconcile()
        _, again, _ = bench.reconcile()
        bench.audit()
        a_minute = count / used * 60
        planned = planned_requests(bench.source, count)
        assert requests <= planned, (requests, planned)
        print(
            f"{kind:<10} pages      {a_minute:11,.0f} payments a minute  "
            f"{a_minute / WANTED_BY_PAGE:5.2f} times {WANTED_BY_PAGE:,}; "
            f"{requests} requests of {planned} planned"
        )
        print(
            f"{'':<10} on the wall{count / seconds * 60:11,.0f} payments a minute; again, nothing "
            f"new, takes {again / used:.1%} of the first run's time"
        )
        older = one_by_one(bench, min(count, OLDER))
        print(
            f"{'':<10} the older way{older:9,.0f} payments a minute, a request for each: "
            f"{a_minute / older:.0f} times slower"
        )
        return min(a_minute / WANTED_BY_PAGE, WANTED_AGAIN / (again / used))


def one_by_one(bench: Bench, count: int) -> float:
    """Check orders a minute by one request each, one after the other."""
    wallet, asset = ton.account_of("shop"), find_asset(bench.asset)
    since = bench.last - timedelta(hours=13)
    pages = bench.source.pages(wallet, asset, since, bench.last)
    txs = [one.tx for page in pages for one in page.transfers][:count]
    used_before = time.process_time()
    for tx in txs:
        assert bench.source.receipt(tx, wallet, asset).transfers
    return len(txs) / (time.process_time() - used_before) * 60


def by_receipt(count: int) -> float:
    """Measure payments settled by a receipt each; how many times the bar it is."""
    with opened("trongrid", count) as bench:
        seconds, used, requests = bench.reconcile()
        bench.audit()
        a_minute = count / used * 60
        planned = planned_requests(bench.source, count, count)
        assert requests <= planned, (requests, planned)
        print(
            f"trongrid   receipts   {a_minute:11,.0f} payments a minute  "
            f"{a_minute / WANTED_BY_RECEIPT:5.2f} times {WANTED_BY_RECEIPT:,}; "
            f"{requests} requests of {planned} planned"
        )
        print(f"{'':<10} on the wall{count / seconds * 60:11,.0f} payments a minute")
        return a_minute / WANTED_BY_RECEIPT


def within_limits(duration_s: float) -> float:
    """Measure how much of a strict limit is used, and that nothing is refused."""
    count = max(2 * LIMIT_PER_SECOND, int(duration_s * LIMIT_PER_SECOND))
    with opened("trongrid", count, LIMIT_PER_SECOND) as bench:
        seconds, _, requests = bench.reconcile()
        refused = bench.source.report().refused
        # A limit allows its number at once, and as many again a second later.
        shortest = -(-requests // LIMIT_PER_SECOND) - 1
        print(
            f"trongrid   limited    {requests / seconds:11.2f} requests a second     "
            f"{shortest / seconds:5.3f} of the speed that the limit allows, {refused} refused"
        )
        assert refused == 0
        return shortest / seconds / WANTED_SHARE


def main() -> None:
    """Run the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    size = parser.parse_args().size
    os.sched_setaffinity(0, CORES[:1])
    # As the command does.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    ratios = [by_page(kind, max(200, int(PAYMENTS * size))) for kind in ("tonapi", "toncenter")]
    ratios.append(by_receipt(max(100, int(RECEIPTS * size))))
    ratios.append(within_limits(max(2.0, LIMITED_S * size)))
    if size >= 1 and min(ratios) < 1:
        sys.exit(1)


main()
