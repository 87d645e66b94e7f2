from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from x0tta_cli.core import locks
from x0tta_cli.core import state as core_state
from x0tta_cli.core.errors import ConflictError, NotPermittedError

HOLDER = """
import sys, time
from x0tta_cli.core import locks
with locks.hold("ebpf:eth0"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(state):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_that_another_process_holds_is_a_conflict_that_names_it(holder):
    with pytest.raises(ConflictError) as caught, locks.hold("ebpf:eth0"):
        pass
    assert caught.value.code == "locks.held"
    assert caught.value.context["pid"] == holder.pid
    assert str(holder.pid) in caught.value.reason
    assert caught.value.retryable


def test_other_names_are_other_locks(holder):
    with locks.hold("ebpf:eth1"), locks.hold("../ebpf:eth0"), locks.hold("ebpf/eth0"):
        files = {path: locks.holder(path) for path in (core_state.folder() / "locks").iterdir()}
    assert sorted(files.values()) == sorted([holder.pid, *[os.getpid()] * 3])


def test_the_kernel_frees_the_lock_of_a_killed_process(holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locks.hold("ebpf:eth0"):
        [file] = (core_state.folder() / "locks").iterdir()
        assert locks.holder(file) == os.getpid()


def test_waiting_gets_the_lock_when_the_other_lets_go(holder):
    timer = threading.Timer(0.2, holder.stdin.close)
    timer.start()
    with locks.hold("ebpf:eth0", timeout_s=60):
        assert holder.wait(60) == 0
    timer.join()


def test_an_error_or_interrupt_in_the_block_frees_the_lock(state):
    for kind in (KeyboardInterrupt, ValueError):
        with pytest.raises(kind), locks.hold("x"):
            raise kind
    with locks.hold("x"):
        pass


def test_a_second_hold_in_the_same_process_is_a_conflict_too(state):
    with locks.hold("x"), pytest.raises(ConflictError) as caught, locks.hold("x"):
        pass
    assert caught.value.context["pid"] == os.getpid()


def test_a_state_folder_that_one_may_not_write_to(unprivileged, monkeypatch):
    monkeypatch.setenv("X0TTA_STATE_DIR", str(unprivileged))
    (unprivileged / "locks").mkdir(mode=0o500)
    with pytest.raises(NotPermittedError) as caught, locks.hold("x"):
        pass
    assert caught.value.code == "state.not_writable"
