"""Killed at any point, run again: what stands in the ledger is what an undisturbed run leaves."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fakes.pay_world import world

from x0tta_cli.core.progress import Silent
from x0tta_cli.pay.chains.registry import CountedHere, open_sources
from x0tta_cli.pay.ledger.audit import audit_ledger
from x0tta_cli.pay.ledger.database import FILE, Ledger, open_ledger
from x0tta_cli.pay.reconcile.run import reconcile
from x0tta_cli.pay.settings import PaySettings

pytestmark = pytest.mark.slow
PRICE, QUORUM = 12_500_000, 1_000 * 10**9
WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass
class Scene:
    """A chain that stands still, and a ledger that is begun anew for each run."""

    settings: PaySettings
    fakes: list[object]
    fresh: Callable[[], str | None]


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request, state, open_shop, tmp_path) -> Iterator[Scene]:
    with world(tmp_path, "trongrid", "tonapi", "toncenter") as served:
        is_shared = request.param == "postgresql"
        template = request.getfixturevalue("database") if is_shared else None
        shop = open_shop(served, template)
        pay_for_everything(shop, served)
        shop.ledger.close()
        fresh = (
            copies_of_database(template, request.getfixturevalue("postgresql"))
            if is_shared
            else copies_of_file(state / FILE)
        )
        with fresh as begin_anew:
            yield Scene(shop.settings(), list(served.fakes.values()), begin_anew)


def pay_for_everything(shop, served) -> None:
    """Payments of each kind: by receipt, by page, above the quorum, in parts, and for nobody."""
    end = datetime.now(UTC) - timedelta(minutes=30)
    for number in range(2):
        served.pay_tron(int(shop.expect(f"T-{number}", PRICE, "usdt-trc20").amount))
    shop.expect("N-0", 10**9)
    served.pay_ton(10**9, "N-0")
    shop.expect("parts", 3 * 10**9)
    served.pay_ton(10**9, "parts")
    served.pay_ton(2 * 10**9, "parts")
    shop.expect("large", 2 * QUORUM)
    served.pay_ton(2 * QUORUM, "large")
    shop.expect("late", 10**9, end=end)
    served.pay_ton(10**9, "late")
    shop.expect("J-0", PRICE, "usdt-ton")
    served.pay_usdt(PRICE, "J-0")
    served.pay_ton(5, "for nobody")


@contextmanager
def copies_of_file(template: Path) -> Iterator[Callable[[], None]]:
    kept = shutil.copy(template, template.with_name("template"))

    def begin_anew() -> None:
        for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
            template.with_name(name).unlink(missing_ok=True)
        shutil.copy(kept, template)

    yield begin_anew


@contextmanager
def copies_of_database(template: str, server: str) -> Iterator[Callable[[], str]]:
    import psycopg

    kept = template.rpartition("/")[2]
    with psycopg.connect(server, autocommit=True) as connection:

        def begin_anew() -> str:
            connection.execute(f'DROP DATABASE IF EXISTS "{kept}_copy" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{kept}_copy" TEMPLATE "{kept}"')
            return f"{template}_copy"

        yield begin_anew
        connection.execute(f'DROP DATABASE IF EXISTS "{kept}_copy" WITH (FORCE)')


def run(ledger: Ledger, settings: PaySettings) -> None:
    with open_sources(settings.sources, usage=CountedHere()) as sources:
        reconcile(ledger, sources, Silent())


def stands(url: str | None) -> tuple[object, ...]:
    """All that is known of orders and transfers, without numbers and instants of runs."""
    queries = (
        "SELECT o.id, s.state, s.received FROM pay_orders o JOIN pay_standings s "
        "ON s.order_number = o.number",
        "SELECT tx, log_index, amount, memo, finality FROM pay_transfers",
        "SELECT o.id, t.tx, t.log_index, c.late FROM pay_claims c JOIN pay_transfers t "
        "ON t.number = c.transfer JOIN pay_orders o ON o.number = c.order_number",
        "SELECT t.tx, a.source, a.disputes FROM pay_attestations a JOIN pay_transfers t "
        "ON t.number = a.transfer",
        "SELECT o.id, l.now, l.received FROM pay_log l JOIN pay_orders o "
        "ON o.number = l.order_number WHERE l.was <> l.now AND l.now IN ('paid', 'late')",
    )
    ledger = open_ledger(url)
    with ledger.reading() as connection:
        assert audit_ledger(connection).differences == ()
        found = tuple(
            sorted(tuple(map(str, row)) for row in connection.execute(sa.text(query)))
            for query in queries
        )
    ledger.close()
    return found


def die_at(point: str, number: int, url: str | None, scene: Scene) -> bool:
    """Run in a process that is killed at the nth point of a kind; whether it came to its end."""
    may_begin, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(may_begin, 1)
        ledger, left = open_ledger(url), [number]

        def count(kind: str) -> None:
            left[0] -= kind == point
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        engine = ledger.engine
        sa.event.listen(engine, "begin", lambda _connection: count("begin"))
        sa.event.listen(engine, "commit", lambda _connection: count("commit"))
        sa.event.listen(
            engine,
            "before_cursor_execute",
            lambda _c, _cursor, text, *_: count("write" if text.startswith(WRITES) else "read"),
        )
        run(ledger, scene.settings)
        os._exit(0)
    left = [number if point == "request" else -1]

    def kill(_request: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(child, signal.SIGKILL)

    for fake in scene.fakes:
        fake.before = kill
    os.write(begin, b"x")
    _, status = os.waitpid(child, 0)
    for fake in scene.fakes:
        fake.before = None
    os.close(begin)
    os.close(may_begin)
    assert os.waitstatus_to_exitcode(status) in {0, -signal.SIGKILL}
    return os.waitstatus_to_exitcode(status) == 0


# A read changes nothing: killed at one, a run has done what it had at the write before.
@pytest.mark.parametrize(
    ("point", "step"), [("commit", 1), ("begin", 1), ("request", 1), ("write", 4)]
)
def test_a_run_that_was_killed_and_run_again_leaves_what_an_undisturbed_one_does(
    scene, point, step
):
    url = scene.fresh()
    ledger = open_ledger(url)
    run(ledger, scene.settings)
    ledger.close()
    wanted = stands(url)
    states = {row[0]: row[1] for row in wanted[0]}
    assert states.pop("late") == "late"
    assert set(states.values()) == {"paid"}

    kills, number = 0, 1
    while not die_at(point, number, scene.fresh(), scene):
        kills += 1
        ledger = open_ledger(url)
        run(ledger, scene.settings)
        ledger.close()
        assert stands(url) == wanted, f"killed at {point} {number}"
        number += step
    assert kills >= 8
    print(f"killed {kills} times at a {point}")
