"""What is written on a disk that is full or read-only: whole, or not at all."""

from __future__ import annotations

import pytest

from x0tta_cli.core import journal, locks, state
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.files import write_atomically
from x0tta_cli.core.journal import State


def refusal(action) -> tuple[str, int]:
    with pytest.raises(OperatorError) as caught:
        action()
    assert caught.value.fix
    return caught.value.code, int(caught.value.exit_status)


def run_operation(steps: int = 1) -> None:
    with journal.operation("test.run", {"padding": "x" * 5000}) as operation:
        for number in range(steps):
            with operation.step(f"step {number}") as step:
                step.result = {"padding": "x" * 5000}


def test_a_file_that_does_not_fit_leaves_the_old_one_and_no_other(disk):
    path = disk / "report.html"
    write_atomically(path, b"old")
    assert refusal(lambda: write_atomically(path, b"x" * 100_000)) == ("files.disk_full", 7)
    assert path.read_bytes() == b"old"
    assert list(disk.iterdir()) == [path]


def test_a_new_file_on_a_full_disk_is_not_there_afterwards(disk, fill):
    ballast = fill(disk)
    assert refusal(lambda: write_atomically(disk / "new", b"x" * 9000)) == ("files.disk_full", 7)
    assert list(disk.iterdir()) == [ballast]


@pytest.mark.parametrize("left", range(0, 61_440, 4096))
def test_a_journal_that_cannot_be_begun_leaves_nothing(disk, fill, monkeypatch, left):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(disk))
    ballast = fill(disk, left)
    assert refusal(run_operation) == ("state.disk_full", 7)
    assert [path for path in disk.iterdir() if path.suffix == ".tmp"] == []
    ballast.unlink()


def test_a_disk_that_fills_up_ends_the_operation_before_it_acts(larger_disk, fill, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(larger_disk))
    run_operation()
    acted = []

    def run() -> None:
        with journal.operation("test.full", {}) as operation:
            for number in range(1000):
                if number == 3:
                    fill(larger_disk)
                with operation.step(f"step {number}") as step:
                    acted.append(number)
                    step.result = {"padding": "x" * 5000}

    assert refusal(run) == ("state.disk_full", 7)
    (larger_disk / "ballast").unlink()
    done, full = journal.operations()
    assert done.state is State.DONE
    assert full.kind == "test.full"
    # Whatever was done is written: at most the end of the last step is missing.
    assert [step.name for step in full.steps] == [f"step {number}" for number in acted]
    assert [step.outcome for step in full.steps[:3]] == ["done"] * 3
    run_operation()
    assert journal.operations()[-1].state is State.DONE


def test_a_full_journal_can_still_be_read(larger_disk, fill, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(larger_disk))
    run_operation()
    # Reading needs the shared index of the write-ahead log, a page of 32 KiB.
    fill(larger_disk, left=65_536)
    assert [record.state for record in journal.operations()] == [State.DONE]


def test_a_full_disk_has_no_room_for_a_state_folder(disk, fill, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(disk / "state"))
    fill(disk)
    assert refusal(run_operation) == ("state.disk_full", 7)


def test_a_read_only_disk(larger_disk, read_only, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(larger_disk))
    run_operation()
    read_only(larger_disk)
    assert refusal(state.ensure) == ("state.not_writable", 6)
    assert refusal(run_operation) == ("state.not_writable", 6)
    assert refusal(lambda: locks.hold("x").__enter__()) == ("state.not_writable", 6)
    assert refusal(lambda: write_atomically(larger_disk / "x", b"")) == ("files.not_writable", 6)
    assert [record.state for record in journal.operations()] == [State.DONE]


def test_a_state_folder_that_cannot_be_created_on_a_read_only_disk(disk, read_only, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(disk / "state"))
    read_only(disk)
    assert journal.operations() == []
    assert refusal(state.ensure) == ("state.not_writable", 6)
