"""A fake in a process of its own, so that it costs the measured one nothing.

    python -m fakes.chains.process KIND --payments COUNT [--limit PER_SECOND]

Pays the wallet `shop` and prints the URL and, as Unix seconds, the instant of the last payment;
serves until its standard input ends. Answers are made when first asked for, and kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes.chains import crowd, ton, tonapi, toncenter, tron, trongrid, tronscan

SERVE = {
    "trongrid": trongrid.serve,
    "tronscan": tronscan.serve,
    "tonapi": tonapi.serve,
    "toncenter": toncenter.serve,
}


@contextmanager
def fake_process(
    kind: str, payments: int, *, limit_per_second: int | None = None, cpu: int | None = None
) -> Iterator[tuple[str, datetime]]:
    """Serve in another process, on one CPU where one is named; gives its URL and last payment."""
    command = [sys.executable, "-m", "fakes.chains.process", kind, "--payments", str(payments)]
    if limit_per_second:
        command += ["--limit", str(limit_per_second)]
    pinned = ["taskset", "-c", str(cpu)] if cpu is not None else []
    process = subprocess.Popen(
        [*pinned, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    with process:
        try:
            url, until = process.stdout.readline().split()
            yield url, datetime.fromtimestamp(int(until), UTC)
        finally:
            process.stdin.close()
            process.wait(timeout=10)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=SERVE)
    parser.add_argument("--payments", type=int, required=True)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    until = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    if arguments.kind in {"trongrid", "tronscan"}:
        ledger = crowd.tron_crowd(arguments.payments, tron.address_of("shop"), until)
    else:
        ledger = crowd.ton_crowd(arguments.payments, ton.account_of("shop"), until)
    with SERVE[arguments.kind](ledger, limit_per_second=arguments.limit) as fake:
        fake.keeps_requests = False
        print(fake.url, int(until.timestamp()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
