"""What `kill -9` leaves, at each line of an operation, and what two processes do to each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from x0tta_cli.core import journal
from x0tta_cli.core.journal import State, file

pytestmark = pytest.mark.slow

NEXT_VERSION = "ALTER TABLE operations ADD COLUMN note TEXT;"
STEPS = ("begun", "first started", "first done", "second started", "second done", "finished")
VICTIM = """
import sys
from x0tta_cli.core import journal

def reach(point):
    print(point, flush=True)
    sys.stdin.readline()

operation = journal.begin("test.victim", {"steps": 2})
reach("begun")
for name in ("first", "second"):
    with operation.step(name) as step:
        reach(f"{name} started")
        step.result = {"of": name}
    reach(f"{name} done")
operation.finish()
reach("finished")
"""
WRITER = """
import sys
from x0tta_cli.core import journal
for number in range(int(sys.argv[2])):
    with journal.operation("test.writer", {"writer": sys.argv[1], "number": number}) as operation:
        for name in ("first", "second"):
            with operation.step(name):
                pass
"""
# Brings an older file forward, and dies at the named call.
MIGRATOR = """
import os, signal, sys
from x0tta_cli.core.journal import file

original = getattr(file, sys.argv[1])

def then_die(*arguments):
    original(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(file, sys.argv[1], then_die)
file.open_for_writing([*file.MIGRATIONS, "ALTER TABLE operations ADD COLUMN note TEXT;"])
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("last", STEPS)
def test_after_a_kill_the_journal_says_how_far_it_had_come(state, last):
    with start(VICTIM) as victim:
        for point in STEPS[: STEPS.index(last) + 1]:
            assert victim.stdout.readline().strip() == point
            if point != last:
                victim.stdin.write("\n")
                victim.stdin.flush()
        victim.send_signal(signal.SIGKILL)
    [record] = journal.operations()
    reached = STEPS.index(last)
    assert record.plan == {"steps": 2}
    assert record.state is (State.DONE if last == "finished" else State.INTERRUPTED)
    assert [step.name for step in record.steps] == ["first", "second"][: (reached + 1) // 2]
    outcomes = [None if last == f"{step.name} started" else "done" for step in record.steps]
    assert [step.outcome for step in record.steps] == outcomes
    assert [step.result for step in record.steps] == [
        {"of": step.name} if outcome else None
        for step, outcome in zip(record.steps, outcomes, strict=True)
    ]
    unfinished = journal.operations(unfinished=True)
    assert unfinished == ([] if last == "finished" else [record])
    with journal.operation("test.next", {}):
        pass
    assert [record.state for record in journal.operations()][-1] is State.DONE


def test_a_living_operation_is_not_taken_for_an_interrupted_one(state):
    with start(VICTIM) as victim:
        assert victim.stdout.readline() == "begun\n"
        [record] = journal.operations(unfinished=True)
        assert (record.state, record.pid) == (State.RUNNING, victim.pid)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        assert journal.operations(unfinished=True)[0].state is State.INTERRUPTED


def test_a_killed_process_that_nobody_has_waited_for_is_gone(state):
    with start(VICTIM) as victim:
        assert victim.stdout.readline() == "begun\n"
        victim.send_signal(signal.SIGKILL)
        # Its end is seen without being waited for in the sense that would remove the zombie.
        os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WNOWAIT)
        assert journal.operations(unfinished=True)[0].state is State.INTERRUPTED


def test_processes_at_once_lose_nothing(state):
    writers = [start(WRITER, str(number), "12") for number in range(4)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    records = journal.operations()
    assert {record.state for record in records} == {State.DONE}
    assert all([step.outcome for step in record.steps] == ["done"] * 2 for record in records)
    written = sorted((record.plan["writer"], record.plan["number"]) for record in records)
    assert written == [(str(writer), number) for writer in range(4) for number in range(12)]
    assert [path.name for path in state.iterdir()] == ["journal.sqlite3"]


def test_a_reader_beside_a_writer_sees_whole_operations(state):
    with journal.operation("test.first", {}):
        pass
    writer = start(WRITER, "0", "20")
    counts = []
    while writer.poll() is None:
        counts.append(len(journal.operations()))
    writer.communicate()
    assert writer.returncode == 0
    assert counts == sorted(counts)
    assert len(journal.operations()) == 21


@pytest.mark.parametrize("call", ["_copy", "_bring_up_to_date"])
def test_a_kill_while_the_file_is_brought_forward_loses_nothing(state, call):
    with journal.operation("test.first", {"number": 1}):
        pass
    with start(MIGRATOR, call) as migrator:
        assert migrator.wait() == -signal.SIGKILL
    with closing(file.open_for_writing([*file.MIGRATIONS, NEXT_VERSION])) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT plan, note FROM operations").fetchall() == [
            ('{"number": 1}', None)
        ]


def test_looking_into_the_journal_loosens_no_lock_of_the_same_process(state):
    # POSIX drops all locks that a process has on a file when it closes any descriptor of it.
    with journal.operation("test.outer", {}) as operation:
        assert len(journal.operations()) == 1
        with journal.operation("test.inner", {}):
            pass
        writer = start(WRITER, "0", "3")
        writer.communicate()
        assert writer.returncode == 0
        # Had the other process found no lock, it would have taken itself for the last one.
        assert (state / "journal.sqlite3-wal").exists()
        with operation.step("after"):
            pass
    records = journal.operations()
    assert [record.state for record in records] == [State.DONE] * 5
    assert [step.outcome for step in records[0].steps] == ["done"]
