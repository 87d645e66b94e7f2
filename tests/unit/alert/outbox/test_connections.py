"""Connections that stay open, and what they must not outlive."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from x0tta_cli.alert.outbox.connections import Connections
from x0tta_cli.core.journal import file

COUNT = "SELECT count(*) FROM alert_incidents"


@pytest.fixture
def connections(state):
    connections = Connections()
    yield connections
    connections.close()


def test_one_that_came_back_is_lent_again(connections):
    with connections.one() as first:
        pass
    with connections.one() as second:
        assert second is first


def test_two_users_at_once_have_one_each(connections):
    with ExitStack() as stack:
        first, second = (stack.enter_context(connections.one()) for _ in range(2))
        assert first is not second


def test_none_writes_into_a_journal_that_was_set_aside(connections, state):
    with connections.one() as before:
        before.execute("INSERT INTO alert_buckets VALUES ('a', 1, 1)")
    for suffix in ("", "-wal", "-shm"):
        path = file.path().with_name(f"{file.NAME}{suffix}")
        if path.exists():
            path.rename(path.with_name(f"{path.name}.damaged"))
    with connections.one() as after:
        assert after is not before
        assert after.execute("SELECT count(*) FROM alert_buckets").fetchone() == (0,)


def test_what_was_left_in_the_middle_is_not_lent_again(connections):
    with connections.one() as first:
        first.execute("BEGIN IMMEDIATE")
    with connections.one() as second:
        assert second is not first
        assert second.execute(COUNT).fetchone() == (0,)
