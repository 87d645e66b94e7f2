"""Many receipts from one source, several under way at once.

A provider far away answers in some hundred milliseconds; one request after the other would use a
third of what its limit allows. The source's turnstile keeps them all within the limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from x0tta_cli.pay.chains.protocol import Source
from x0tta_cli.pay.model import Asset, Receipt

AT_ONCE = 6


def fetch_receipts(
    source: Source, txs: Sequence[str], wallet: str, asset: Asset
) -> Iterator[tuple[str, Receipt | None]]:
    """Ask for receipts; gives each transaction with its receipt, in their order.

    None is not yet known, as by `Source.receipt`. Raises what that raises, after all receipts that
    came before the error; what was not asked by then is not asked any more.
    """
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="x0tta-receipts")
    under_way: list[tuple[str, Future[Receipt | None]]] = []
    waiting = iter(txs)
    try:
        while True:
            while len(under_way) < 2 * AT_ONCE and (tx := next(waiting, None)) is not None:
                under_way.append((tx, pool.submit(source.receipt, tx, wallet, asset)))
            if not under_way:
                return
            tx, future = under_way.pop(0)
            yield tx, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
