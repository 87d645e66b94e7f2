"""Token buckets that hold for all processes."""

from __future__ import annotations

from contextlib import closing

import pytest

from x0tta_cli.alert.channels.protocol import Limit
from x0tta_cli.alert.outbox import buckets
from x0tta_cli.alert.outbox.schema import TABLES

CHAT, BOT = Limit("chat", 1, 1.0), Limit("bot", 3, 1.0)


@pytest.fixture
def connection(state):
    with closing(TABLES.open()) as connection:
        yield connection


def test_the_narrowest_bucket_decides_and_says_how_long_to_wait(connection):
    assert buckets.take(connection, [CHAT, BOT], 5, 0.0) == (1, 0.0)
    granted, wait_s = buckets.take(connection, [CHAT, BOT], 5, 0.25)
    assert (granted, wait_s) == (0, pytest.approx(0.75))
    assert buckets.take(connection, [CHAT, BOT], 5, 1.0) == (1, 0.0)


def test_what_is_not_granted_takes_no_tokens(connection):
    for _ in range(5):
        buckets.take(connection, [CHAT, BOT], 1, 0.0)
    assert buckets.take(connection, [BOT], 9, 0.0) == (2, 0.0)


def test_a_scope_is_shared_by_connections(connection):
    assert buckets.take(connection, [CHAT], 1, 0.0) == (1, 0.0)
    with closing(TABLES.open()) as other:
        assert buckets.take(other, [CHAT], 1, 0.0)[0] == 0


def test_a_clock_that_was_set_back_does_not_stop_the_channel(connection):
    assert buckets.take(connection, [CHAT], 1, 1_000_000.0) == (1, 0.0)
    assert buckets.take(connection, [CHAT], 1, 0.0) == (1, 0.0)


def test_no_limits_grant_all(connection):
    assert buckets.take(connection, [], 7, 0.0) == (7, 0.0)
