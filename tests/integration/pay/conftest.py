"""Both chains behind their four APIs, a ledger in SQLite, and a real PostgreSQL."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.pay_world import SHOP, TON_SHOP, World, world

from x0tta_cli.core.config import load
from x0tta_cli.core.progress import Silent
from x0tta_cli.pay.chains.registry import CountedHere, open_sources
from x0tta_cli.pay.ledger import reading
from x0tta_cli.pay.ledger.audit import audit_ledger
from x0tta_cli.pay.ledger.database import Ledger, open_ledger
from x0tta_cli.pay.ledger.enrolment import Limits, add_orders, add_wallet
from x0tta_cli.pay.orders import NewOrder, Order
from x0tta_cli.pay.reconcile.model import Reconciliation
from x0tta_cli.pay.reconcile.run import reconcile
from x0tta_cli.pay.settings import PaySettings
from x0tta_cli.pay.verify import verify

POSTGRESQL = Path(__file__).parents[3] / "scripts" / "testbed" / "postgresql"


@dataclass
class Shop:
    """Whoever is paid: a ledger, and the world that pays into it."""

    ledger: Ledger
    world: World

    def expect(self, order: str, amount: int, asset: str = "ton", **details) -> Order:
        begin = details.pop("begin", datetime.now(UTC) - timedelta(hours=1))
        end = details.pop("end", None)
        memo = details.pop("memo", None)
        limits = details.pop("limits", Limits())
        new = NewOrder(order, asset, "", amount, memo, begin, end, **details)
        add_orders(self.ledger, [new], limits)
        return self.order(order)

    def settings(self) -> PaySettings:
        return load(self.world.config).section("pay", PaySettings)

    def reconcile(self, **options) -> Reconciliation:
        with open_sources(self.settings().sources, usage=CountedHere()) as sources:
            return reconcile(self.ledger, sources, Silent(), **options)

    def verify(self, order: str, **options):
        with open_sources(self.settings().sources, usage=CountedHere()) as sources:
            return verify(self.ledger, sources, order, Silent(), **options)

    def order(self, name: str) -> Order:
        with self.ledger.reading() as connection:
            return reading.find_order(connection, name)

    def state(self, name: str) -> str:
        return self.order(name).state.value

    def unmatched(self) -> int:
        with self.ledger.reading() as connection:
            return len(reading.unmatched_in(connection))

    def differences(self) -> tuple[object, ...]:
        with self.ledger.reading() as connection:
            return audit_ledger(connection).differences


def opened(served: World, url: str | None = None) -> Shop:
    ledger = open_ledger(url)
    add_wallet(ledger, "usdt-trc20", SHOP)
    add_wallet(ledger, "ton", TON_SHOP)
    add_wallet(ledger, "usdt-ton", TON_SHOP)
    return Shop(ledger, served)


@pytest.fixture
def open_shop() -> Callable[..., Shop]:
    """Opens a shop in a world, on PostgreSQL where a URL is given."""
    return opened


@pytest.fixture
def served(tmp_path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def shop(state, served) -> Iterator[Shop]:
    made = opened(served)
    yield made
    made.ledger.close()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory) -> Iterator[str]:
    """The URL of a server of this session's own."""
    folder = str(tmp_path_factory.mktemp("postgresql") / "server")
    done = subprocess.run([POSTGRESQL, "up", "--dir", folder], check=True, stdout=subprocess.PIPE)
    try:
        yield done.stdout.decode().strip()
    finally:
        subprocess.run([POSTGRESQL, "down", "--dir", folder], check=True)


@pytest.fixture
def database(postgresql) -> Iterator[str]:
    """A database of the test's own."""
    import psycopg

    name = f"pay_{id(object())}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgresql.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
