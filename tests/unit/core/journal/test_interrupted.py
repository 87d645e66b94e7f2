"""Operations that lost their process: taken over, gone on with, given up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from x0tta_cli.core import journal, secrets
from x0tta_cli.core.errors import ConflictError, NotFoundError, UnavailableError
from x0tta_cli.core.journal import State
from x0tta_cli.core.journal.leftovers import OLDEST_WRITE_S, temporary_files

VICTIM = """
import os, signal
from x0tta_cli.core import journal
operation = journal.begin("test.victim", {"interface": "eth0", "count": 3})
operation.once("first", lambda: {"answer": 42})
with operation.step("second"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def interrupted(state):
    """The identifier of an operation that was killed in its second step."""
    ended = subprocess.run([sys.executable, "-c", VICTIM], check=False)
    assert ended.returncode == -signal.SIGKILL
    [record] = journal.operations(unfinished=True)
    return record.id


def refuse_to_run():
    raise AssertionError("it is done already")


def test_a_step_is_done_once(state):
    with journal.operation("test.run", {}) as operation:
        assert operation.once("first", lambda: {"parts": (1, 2)}) == {"parts": [1, 2]}
        assert operation.once("first", refuse_to_run) == {"parts": [1, 2]}
        assert operation.once("second", lambda: None) == {}
    [record] = journal.operations()
    assert [step.name for step in record.steps] == ["first", "second"]
    assert record.done == {"first": {"parts": [1, 2]}, "second": {}}


def test_a_result_is_the_same_in_an_undisturbed_run_as_in_a_resumed_one(state):
    secrets.register("hunter2-hunter2")
    with journal.operation("test.run", {"token": "hunter3"}) as operation:
        assert operation.plan == {"token": secrets.HIDDEN}
        result = operation.once("first", lambda: {"note": "hunter2-hunter2", "at": {1}})
    assert result == journal.operations()[0].done["first"]
    assert result == {"note": secrets.HIDDEN, "at": [1]}


def test_resuming_goes_on_where_it_stopped(interrupted):
    with journal.resume(interrupted) as operation:
        assert operation.id == interrupted
        assert operation.plan == {"interface": "eth0", "count": 3}
        assert operation.once("first", refuse_to_run) == {"answer": 42}
        operation.once("second", lambda: {"answer": 43})
        record = journal.find(interrupted)
        assert (record.state, record.pid) == (State.RUNNING, os.getpid())
    record = journal.find(interrupted)
    assert record.state is State.DONE
    assert [(step.name, step.outcome) for step in record.steps] == [
        ("first", "done"),
        ("second", None),
        ("second", "done"),
    ]
    with journal.resume(interrupted) as operation:
        assert operation is None
    assert journal.find(interrupted) == record


@pytest.mark.parametrize("error", [UnavailableError("http.timed_out", "Slow."), KeyError("x")])
def test_an_error_while_going_on_leaves_it_interrupted(interrupted, error):
    def go_on():
        with journal.resume(interrupted) as operation, operation.step("second"):
            raise error

    with pytest.raises(type(error)):
        go_on()
    record = journal.find(interrupted)
    assert (record.state, record.ended_at) == (State.INTERRUPTED, None)
    assert [step.outcome for step in record.steps] == ["done", None, "failed"]
    if isinstance(error, UnavailableError):
        assert error.fix == f"Then go on with it: x0tta ops resume {interrupted}"


def test_giving_up_closes_it_once_all_is_removed(interrupted):
    assert not journal.give_up(interrupted, lambda: False)
    with pytest.raises(AssertionError):
        journal.give_up(interrupted, refuse_to_run)
    record = journal.find(interrupted)
    assert (record.state, record.ended_at) == (State.INTERRUPTED, None)


def test_what_was_given_up_is_over(state):
    with subprocess.Popen([sys.executable, "-c", VICTIM]) as victim:
        victim.wait()
    [record] = journal.operations(unfinished=True)
    assert journal.give_up(record.id, lambda: True)
    assert journal.find(record.id).state is State.CANCELLED
    for act in (journal.find_interrupted, lambda name: journal.give_up(name, lambda: True)):
        with pytest.raises(ConflictError) as caught:
            act(record.id)
        assert caught.value.code == "journal.over"
    with pytest.raises(ConflictError), journal.resume(record.id):
        pass


def test_what_runs_is_a_conflict(state):
    with journal.operation("test.run", {}) as operation:
        for act in (journal.find_interrupted, lambda name: journal.give_up(name, lambda: True)):
            with pytest.raises(ConflictError) as caught:
                act(operation.id)
            assert caught.value.code == "journal.running"
        with pytest.raises(ConflictError) as caught, journal.resume(operation.id, 0.2):
            pass
        assert caught.value.context["pid"] == os.getpid()


def test_an_unknown_operation_is_not_found(state):
    for act in (journal.find, journal.find_interrupted):
        with pytest.raises(NotFoundError):
            act("0e9q4mx1c7ab")
    with pytest.raises(NotFoundError), journal.resume("0e9q4mx1c7ab"):
        pass
    assert not state.exists()


def test_an_interrupted_operation_stands_in_the_way_of_its_object_alone(interrupted):
    journal.refuse_interrupted("test.other", {"interface": "eth0"})
    journal.refuse_interrupted("test.victim", {"interface": "eth1"})
    with pytest.raises(ConflictError) as caught:
        journal.refuse_interrupted("test.victim", {"interface": "eth0"})
    assert caught.value.code == "journal.interrupted"
    assert caught.value.fix == f"x0tta ops resume {interrupted}"
    assert "in the step 'second'" in caught.value.reason
    journal.give_up(interrupted, lambda: True)
    journal.refuse_interrupted("test.victim", {"interface": "eth0"})


def test_an_outcome_that_could_not_be_written_leaves_the_way_open(state):
    error = UnavailableError("http.timed_out", "Slow.", fix="Wait.")

    def run() -> None:
        with journal.operation("test.run", {}) as operation:
            for path in state.iterdir():
                path.write_bytes(b"\0" * 8192)
            error.context["operation"] = operation.id
            raise error

    with pytest.raises(UnavailableError):
        run()
    identifier = error.context["operation"]
    assert error.fix == f"Wait. Then go on with it: x0tta ops resume {identifier}"


def test_an_error_of_an_operation_that_is_over_names_no_way_back(state):
    error = UnavailableError("http.timed_out", "Slow.", fix="Wait.")
    with pytest.raises(UnavailableError), journal.operation("test.run", {}):
        raise error
    assert error.fix == "Wait."


def test_files_that_nobody_writes_any_more_are_left_over(state):
    assert list(temporary_files()) == []
    state.mkdir()
    old, young = state / ".x0tta-00ff.tmp-wal", state / ".x0tta-11ff.tmp"
    for path in (old, young, state / "journal.sqlite3.damaged"):
        path.touch()
        os.utime(path, (0, 0))
    os.utime(young, (time.time() - OLDEST_WRITE_S / 2,) * 2)
    [leftover] = temporary_files()
    assert (leftover.what, leftover.name) == ("temporary file", str(old))
    leftover.remove()
    leftover.remove()
    assert not old.exists()
