"""The orders and wallets that a shell is offered, read from the ledger's file by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fakes.till import Till

from x0tta_cli.core.completion import Line
from x0tta_cli.pay.values import orders, wallets

LINE = Line([], {})


@pytest.fixture
def till(state):
    made = Till()
    yield made
    made.ledger.close()


def test_the_newest_orders_are_offered_with_their_states(till):
    till.expect("A-1", 1000)
    till.expect("A-2", 1000)
    till.receive(till.transfer(1000, "A-1"))
    assert orders(LINE) == [("A-2", "expected"), ("A-1", "paid")]
    assert wallets(LINE) == [("shop", "usdt-trc20"), ("ton-shop", "ton")]


def test_where_there_is_no_ledger_nothing_is_offered_and_none_is_made(state):
    assert (orders(LINE), wallets(LINE)) == ([], [])
    assert not state.exists()


def test_a_key_that_was_pressed_waits_for_no_heavy_package(till):
    till.expect("A-1", 1000)
    program = (
        "import sys; from x0tta_cli.terminal.completion.values import lines_of;"
        "assert list(lines_of('order', 'A', [])) == ['A-1\\texpected'];"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'sqlalchemy', 'pydantic',"
        " 'typer', 'rich', 'httpx', 'alembic'})"
    )
    line = [sys.executable, "-c", program]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
