"""Whoever runs at the same second: each payment counts once, each amount is handed out once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from x0tta_cli.core.errors import ConflictError
from x0tta_cli.pay.ledger import reading
from x0tta_cli.pay.ledger.database import Ledger, open_ledger
from x0tta_cli.pay.ledger.enrolment import Limits, add_orders
from x0tta_cli.pay.orders import NewOrder

pytestmark = pytest.mark.slow
X0TTA = str(Path(sys.executable).with_name("x0tta"))
PRICE = 12_500_000
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture
def url(kind, request) -> str | None:
    return request.getfixturevalue("database") if kind == "postgresql" else None


@pytest.fixture
def shop(url, state, served, open_shop, tmp_path):
    made = open_shop(served, url)
    if url:
        secret = tmp_path / "database"
        secret.write_text(url)
        secret.chmod(0o600)
        named = f'[pay]\ndatabase_url = {{ file = "{secret}" }}'
        served.config.write_text(served.config.read_text().replace("[pay]", named))
    yield made
    made.ledger.close()


@contextmanager
def children(*tasks: Callable[[], None]):
    """Run each task in a process of its own; all have ended well at the end of the block."""
    made = []
    for task in tasks:
        child = os.fork()
        if child == 0:
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - a child has nobody to raise to
                os.write(2, f"{error!r}\n".encode())
                os._exit(1)
            os._exit(0)
        made.append(child)
    yield made
    assert [os.waitpid(child, 0)[1] for child in made] == [0] * len(made)


def start(served, state, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [X0TTA, "pay", "reconcile", "--config", str(served.config), "-o", "json", *words],
        env=os.environ | {"X0TTA_STATE_DIR": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def expect_many(ledger: Ledger, served, count: int) -> int:
    """Expect and pay orders on both chains; the sum of all of it."""
    begin = datetime.now(UTC) - timedelta(hours=1)
    on_ton = [NewOrder(f"N-{n}", "ton", "", 10**9 + n, None, begin, None) for n in range(count)]
    on_tron = [
        NewOrder(f"T-{n}", "usdt-trc20", "", PRICE, None, begin, None) for n in range(count // 5)
    ]
    add_orders(ledger, on_ton + on_tron, Limits())
    for order in on_ton:
        served.pay_ton(order.amount, order.order)
    for number in range(len(on_tron)):
        served.pay_tron(PRICE + number)
    return sum(one.amount for one in on_ton) + sum(PRICE + n for n in range(len(on_tron)))


@BOTH
def test_two_runs_at_once_count_each_payment_once(shop, served, state, tmp_path, url):
    paid = expect_many(shop.ledger, served, 200)
    # On PostgreSQL they are two machines: each has a state folder of its own.
    states = [tmp_path / f"machine-{n}" if url else state for n in (1, 2)]
    racing = [start(served, one, "--lock-timeout", "90s") for one in states]
    ended = [(one.communicate(timeout=110), one.returncode) for one in racing]
    assert [status for _, status in ended] == [0, 0], ended
    with shop.ledger.reading() as connection:
        assert reading.counts(connection) == {"paid": 240}
        assert sum(int(order.received) for order in reading.orders_in(connection)) == paid
    assert shop.differences() == ()


@BOTH
def test_who_finds_the_lock_held_ends_with_a_conflict_at_once(shop, served, state, url):
    with shop.ledger.alone(0):
        held = start(served, state)
        _, said = held.communicate(timeout=60)
    assert held.returncode == 5
    assert (b"pay.locked" if url else b"locks.held") in said
    free = start(served, state)
    free.communicate(timeout=60)
    assert free.returncode == 0


@BOTH
def test_a_holder_that_is_killed_lets_the_next_one_in(shop, state, url):
    reader, writer = os.pipe()

    def hold() -> None:
        with open_ledger(url).alone(0):
            os.write(writer, b"x")
            time.sleep(60)

    child = os.fork()
    if child == 0:
        hold()
        os._exit(1)
    os.read(reader, 1)
    with pytest.raises(ConflictError), shop.ledger.alone(0):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with shop.ledger.alone(10):
        assert shop.differences() == ()


@BOTH
def test_processes_never_hand_out_one_amount(shop, url):
    def add(who: str) -> Callable[[], None]:
        def add_all() -> None:
            ledger, begin = open_ledger(url), datetime.now(UTC)
            for n in range(12):
                order = NewOrder(f"{who}-{n}", "usdt-trc20", "", PRICE, None, begin, None)
                add_orders(ledger, [order], Limits())
            ledger.close()

        return add_all

    with children(add("one"), add("two"), add("three")):
        pass
    with shop.ledger.reading() as connection:
        amounts = sorted(int(order.amount) for order in reading.orders_in(connection))
    assert amounts == list(range(PRICE, PRICE + 36))
    assert shop.differences() == ()


@BOTH
def test_an_audit_during_a_run_sees_one_state_of_the_ledger(shop, served, state):
    expect_many(shop.ledger, served, 100)
    running = start(served, state)
    audits = 0
    while running.poll() is None:
        assert shop.differences() == ()
        audits += 1
    running.communicate()
    assert running.returncode == 0
    assert audits > 1
    assert shop.differences() == ()
