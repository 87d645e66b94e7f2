"""A million orders against a million transfers: states, log and hash chain, on SQLite.

    tests/bench/pay_ledger.py [--size FACTOR] [--postgresql URL]

What is measured runs in a process of its own, so that its memory is its own: matching everything,
the same again when nothing is new, and the audit. Transfers come in the order of their orders with
a jitter of 10,000, as customers pay. Beside it: the same join with Python's dictionaries.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ORDERS = 1_000_000
JITTER = 10_000
BAR_S, BAR_MB, BAR_AGAIN = 6.0, 150.0, 0.02


def fill(count: int, url: str | None) -> None:
    """Make the orders and record the transfers, unmatched."""
    from x0tta_cli.pay.ledger import recording
    from x0tta_cli.pay.ledger.database import open_ledger
    from x0tta_cli.pay.ledger.enrolment import Limits, add_orders, add_wallet
    from x0tta_cli.pay.orders import NewOrder

    ledger = open_ledger(url)
    wallet = add_wallet(ledger, "ton", "0:" + "ab" * 32)
    add_orders(
        ledger,
        (NewOrder(f"A-{n}", "ton", "", 10**6 + n, None, BEGIN, None) for n in range(count)),
        Limits(),
    )
    for page in pages(count, wallet.address):
        with ledger.writing() as connection:
            recording.record(connection, wallet, page)
    ledger.close()


def pages(count: int, address: str, size: int = 1000) -> Iterator[list[object]]:
    from x0tta_cli.pay.model import Chain, Finality, Transfer

    chance = random.Random(0)
    numbers = sorted(range(count), key=lambda number: number + chance.random() * JITTER)
    for start in range(0, count, size):
        yield [
            Transfer(
                Chain.TON,
                "ton",
                hashlib.sha256(b"%d" % number).hexdigest(),
                0,
                10**6 + number,
                "0:" + "cd" * 32,
                address,
                BEGIN + timedelta(seconds=start + place),
                f"A-{number}",
                Finality.FINAL,
                "tonapi",
            )
            for place, number in enumerate(numbers[start : start + size])
        ]


def settle(url: str | None) -> None:
    """Match everything and print what it took."""
    import resource

    from x0tta_cli.pay.ledger import settling
    from x0tta_cli.pay.ledger.database import open_ledger

    ledger, took, used = open_ledger(url), [], []
    for _ in range(2):
        started, used_before = time.perf_counter(), time.process_time()
        with ledger.writing() as connection:
            settled = settling.settle(connection)
        took.append(time.perf_counter() - started)
        used.append(time.process_time() - used_before)
        if len(took) == 1:
            changes = settled.last - settled.first + 1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"took_s": took, "core_s": used, "memory_mb": memory, "changes": changes}))


def audit(url: str | None) -> None:
    """Audit the whole ledger."""
    from x0tta_cli.pay.ledger.audit import audit_ledger
    from x0tta_cli.pay.ledger.database import open_ledger

    started = time.perf_counter()
    with open_ledger(url).reading() as connection:
        differences = len(audit_ledger(connection).differences)
    print(json.dumps({"took_s": time.perf_counter() - started, "differences": differences}))


def with_dictionaries(count: int) -> float:
    """Seconds for the join alone, in memory, without states, log and chain."""
    orders = {f"A-{number}": 10**6 + number for number in range(count)}
    started = time.perf_counter()
    paid = {}
    for page in pages(count, "0:" + "ab" * 32):
        for transfer in page:
            if orders.get(transfer.memo) == transfer.amount:
                paid[transfer.memo] = transfer
    assert len(paid) == count
    return time.perf_counter() - started


def run(part: str, state: str, url: str | None, count: int) -> dict[str, object]:
    given = ["--postgresql", url] if url else []
    done = subprocess.run(
        [sys.executable, __file__, "--part", part, "--count", str(count), *given],
        env=os.environ | {"X0TTA_STATE_DIR": state},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout or b"{}")


def measure(name: str, count: int, url: str | None) -> None:
    """Print the figures of one database."""
    with tempfile.TemporaryDirectory() as state:
        started = time.perf_counter()
        run("fill", state, url, count)
        filled = time.perf_counter() - started
        found = run("settle", state, url, count)
        first, again = found["took_s"]
        assert found["changes"] == count, found
        share, bar = again / first, BAR_S * count / ORDERS
        print(f"{name}: {count} orders and transfers, added and recorded in {filled:.1f} s")
        print(
            f"  matched, states, log, chain {first:6.2f} s   {first / bar:.2f} of {bar:.2f} s; "
            f"{found['core_s'][0]:.2f} s of this process's own"
        )
        memory = found["memory_mb"]
        print(
            f"  memory of the process       {memory:6.0f} MB  {memory / BAR_MB:.2f} of {BAR_MB:.0f}"
        )
        print(f"  again, nothing new          {again:6.3f} s   {share / BAR_AGAIN:.2f} of 2 %")
        audited = run("audit", state, url, count)
        assert audited["differences"] == 0, audited
        print(f"  audit                       {audited['took_s']:6.2f} s")


def main() -> None:
    """Run the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.0)
    parser.add_argument("--postgresql", metavar="URL", help="measure this database as well")
    parser.add_argument("--part", choices=["fill", "settle", "audit"], help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    parts = {"settle": settle, "audit": audit}
    if options.part == "fill":
        fill(options.count, options.postgresql)
    elif options.part:
        parts[options.part](options.postgresql)
    else:
        count = max(1000, int(ORDERS * options.size))
        measure("SQLite", count, None)
        if options.postgresql:
            measure("PostgreSQL", count, options.postgresql)
        print(f"Python dictionaries, the join alone {with_dictionaries(count):.2f} s")


main()
