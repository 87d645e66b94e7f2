"""Operations as they are written and told."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime

import pytest

from x0tta_cli.core import journal, secrets
from x0tta_cli.core.errors import ConflictError, Interrupted, OperatorError, UnavailableError
from x0tta_cli.core.journal import State


def test_an_operation_is_told_as_it_was_done(state):
    before = datetime.now(UTC)
    with journal.operation("test.run", {"target": "größe", "count": 3}) as operation:
        with operation.step("first") as step:
            step.result = {"answer": [1, None]}
        with operation.step("second"):
            pass
    [record] = journal.operations()
    assert (record.id, record.kind, record.state) == (operation.id, "test.run", State.DONE)
    assert record.plan == {"target": "größe", "count": 3}
    assert record.pid == os.getpid()
    assert [(step.name, step.outcome, step.result) for step in record.steps] == [
        ("first", "done", {"answer": [1, None]}),
        ("second", "done", None),
    ]
    instants = [before, record.started_at]
    for step in record.steps:
        instants += [step.started_at, step.ended_at]
    instants += [record.ended_at, datetime.now(UTC)]
    assert instants == sorted(instants)


def test_the_line_is_on_the_disk_before_the_block_runs(state):
    with journal.operation("test.run", {}) as operation:
        [record] = journal.operations()
        assert record.state is State.RUNNING
        with operation.step("first"):
            [step] = journal.operations()[0].steps
            assert (step.name, step.ended_at, step.outcome) == ("first", None, None)
        [step] = journal.operations()[0].steps
        assert step.outcome == "done"


def run_two_steps(error: BaseException, plan: dict[str, object] | None = None) -> None:
    with journal.operation("test.run", plan or {}) as operation:
        with operation.step("first") as step:
            step.result = {"password": "hunter5"}
        with operation.step("second"):
            raise error


@pytest.mark.parametrize(
    ("error", "state_after"),
    [
        (UnavailableError("http.timed_out", "Too slow."), State.FAILED),
        (ValueError("defect"), State.FAILED),
        (KeyboardInterrupt(), State.CANCELLED),
        (Interrupted("run.declined", "No."), State.CANCELLED),
    ],
)
def test_an_error_is_written_and_goes_on(state, error, state_after):
    with pytest.raises(type(error)):
        run_two_steps(error)
    [record] = journal.operations()
    assert record.state is state_after
    assert [step.outcome for step in record.steps] == ["done", state_after.value]
    assert record.error["type"] == type(error).__name__
    assert record.error.get("code") == getattr(error, "code", None)
    assert record.error == record.steps[1].error
    assert journal.operations(unfinished=True) == []


def test_a_step_may_fail_without_the_operation(state):
    with journal.operation("test.run", {}) as operation:
        with pytest.raises(ValueError, match="x"), operation.step("first"):
            raise ValueError("x")
        with operation.step("first"):
            pass
    [record] = journal.operations()
    assert record.state is State.DONE
    assert [step.outcome for step in record.steps] == ["failed", "done"]


def test_begin_and_finish_without_a_block(state):
    operation = journal.begin("test.run", {})
    assert [record.id for record in journal.operations(unfinished=True)] == [operation.id]
    operation.finish()
    operation.finish()
    assert journal.operations()[0].state is State.DONE


def test_identifiers_are_short_and_sort_by_time(state):
    identifiers = []
    for _ in range(5):
        with journal.operation("test.run", {}) as operation:
            identifiers.append(operation.id)
    assert all(len(identifier) == 12 and identifier.isalnum() for identifier in identifiers)
    assert identifiers == sorted(identifiers)
    assert [record.id for record in journal.operations()] == identifiers


def test_secrets_are_not_written(state):
    secrets.register("hunter2-hunter2")
    plan = {"url": "https://x/?key=hunter3-x", "note": 'hunter2-hunter2 "\\', "token": "hunter4"}
    with pytest.raises(ValueError, match="hunter2"):
        run_two_steps(ValueError("hunter2-hunter2"), plan)
    written = b"".join(path.read_bytes() for path in state.iterdir())
    assert b"hunter" not in written
    assert journal.operations()[0].plan["note"] == f'{secrets.HIDDEN} "\\'


def test_only_the_owner_may_read_the_journal(state):
    umask = os.umask(0)
    try:
        with journal.operation("test.run", {}):
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()}
    finally:
        os.umask(umask)
    assert set(modes) == {"journal.sqlite3", "journal.sqlite3-wal", "journal.sqlite3-shm"}
    assert set(modes.values()) == {0o600}


def test_reading_creates_nothing(state):
    assert journal.operations() == []
    assert not state.exists()
    state.mkdir()
    assert journal.operations() == []
    assert list(state.iterdir()) == []


def test_reading_leaves_no_files_behind(state):
    with journal.operation("test.run", {}):
        pass
    journal.operations()
    assert [path.name for path in state.iterdir()] == ["journal.sqlite3"]


def test_a_folder_that_may_only_be_read_can_be_read(unprivileged, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(unprivileged))
    with journal.operation("test.run", {}):
        pass
    unprivileged.chmod(0o500)
    assert len(journal.operations()) == 1
    assert [path.name for path in unprivileged.iterdir()] == ["journal.sqlite3"]
    with pytest.raises(OperatorError) as caught:
        journal.begin("test.run", {})
    assert (caught.value.code, caught.value.exit_status) == ("state.not_writable", 6)


def test_a_journal_file_that_may_only_be_read(unprivileged, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(unprivileged))
    with journal.operation("test.run", {}):
        pass
    (unprivileged / "journal.sqlite3").chmod(0o400)
    assert len(journal.operations()) == 1
    with pytest.raises(OperatorError) as caught:
        journal.begin("test.run", {})
    assert caught.value.code == "state.not_writable"


def test_a_journal_that_cannot_be_written_does_not_hide_the_error(state, caplog):
    def run() -> None:
        with journal.operation("test.run", {}) as operation, operation.step("first"):
            for path in state.iterdir():
                path.write_bytes(b"\0" * 8192)
            raise ConflictError("locks.held", "the first error")

    with pytest.raises(ConflictError, match="the first error") as caught:
        run()
    assert any("journal could not be written" in note for note in caught.value.__notes__)
    assert "the journal could not be written" in caplog.text
