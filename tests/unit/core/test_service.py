"""A service against a real notify socket and real signals."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from x0tta_cli.core import service
from x0tta_cli.core.errors import ConfigurationError, Terminated

pytestmark = pytest.mark.slow


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """The socket that a service manager listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def told(manager):
    """All that was said so far."""
    manager.setblocking(False)
    found = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


def signal_soon(*numbers):
    """Send signals to this process while it waits."""

    def send():
        for number in numbers:
            time.sleep(0.2)
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_a_service_says_that_it_is_ready_what_it_does_and_that_it_ends(manager):
    with service.running() as running:
        running.ready("renewing 3 alerts")
        running.status("two\nlines")
    assert told(manager) == ["READY=1\nSTATUS=renewing 3 alerts", "STATUS=two lines", "STOPPING=1"]


def test_an_abstract_address_is_reached(monkeypatch):
    name = f"x0tta-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        with service.running() as running:
            running.ready()
        assert told(listening) == ["READY=1", "STOPPING=1"]


def test_a_manager_that_has_gone_does_not_end_the_service(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    with service.running() as running:
        running.ready()
        assert running.wait(0)
    assert "systemd was not told" in caplog.text


def test_without_a_manager_nobody_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with service.running() as running:
        running.ready()
        assert running.wait(0.01)


def test_a_wait_pings_the_watchdog_twice_in_the_time_that_it_gives(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with service.running() as running:
        running.wait(0.45)
    assert told(manager).count("WATCHDOG=1") >= 4


def test_a_manager_that_reads_nothing_does_not_stop_the_service(manager, caplog):
    with service.running() as running:
        for number in range(5000):
            running.status(f"line {number}")
        assert running.wait(0)
    assert "systemd was not told" in caplog.text


@pytest.mark.parametrize(
    ("period", "pid"), [("20000", "1"), ("0", ""), ("soon", ""), ("", "")], ids=str
)
def test_a_watchdog_that_is_not_ours_or_not_on_is_not_pinged(manager, monkeypatch, period, pid):
    monkeypatch.setenv("WATCHDOG_USEC", period)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    with service.running() as running:
        running.wait(0.05)
    assert "WATCHDOG=1" not in told(manager)


def test_sigterm_ends_the_wait_lets_the_block_drain_and_then_terminates(manager):
    seen = []

    def drain():
        with service.running() as running:
            seen.append(running.wait(60))
            seen.append(running.stopping)
            seen.append(running.wait(60))

    signal_soon(signal.SIGTERM)
    with pytest.raises(Terminated) as ended:
        drain()
    assert seen == [False, True, False]
    assert ended.value.exit_status == 143
    assert told(manager) == ["STOPPING=1"]


def test_a_second_sigterm_ends_the_drain_at_once():
    def drain_for_ever():
        with service.running() as running:
            running.wait(60)
            time.sleep(60)

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        signal_soon(signal.SIGTERM, signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            drain_for_ever()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigint_interrupts_a_wait():
    signal_soon(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), service.running() as running:
        running.wait(60)


def test_sighup_reloads_and_ends_the_wait_so_that_what_is_new_is_used_at_once(manager):
    reloaded = []
    with service.running(on_reload=lambda: reloaded.append(1)) as running:
        sender = signal_soon(signal.SIGHUP)
        assert running.wait(60)
    sender.join()
    assert reloaded == [1]
    reloading, ready, stopping = told(manager)
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert (ready, stopping) == ("READY=1", "STOPPING=1")


def test_a_reload_that_fails_leaves_the_service_running_and_is_logged(caplog):
    def reload():
        raise ConfigurationError("config.not_toml", "The file is not TOML.", fix="Mend line 3.")

    with service.running(on_reload=reload) as running:
        sender = signal_soon(signal.SIGHUP)
        assert running.wait(60)
        assert running.wait(0)
    sender.join()
    assert "The file is not TOML." in caplog.text


def test_sighup_ends_a_service_that_has_nothing_to_reload():
    signal_soon(signal.SIGHUP)
    with pytest.raises(Terminated), service.running() as running:
        running.wait(60)


def test_a_hangup_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with service.running() as running:
            os.kill(os.getpid(), signal.SIGHUP)
            assert running.wait(0)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_any_thread_can_wake_the_service():
    with service.running() as running:
        waker = threading.Thread(target=running.wake)
        waker.start()
        assert running.wait(60)
    waker.join()


def test_the_handlers_from_before_are_back_afterwards():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    with service.running(on_reload=lambda: None):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_an_error_of_the_block_goes_before_the_termination():
    def fail_while_stopping():
        with service.running() as running:
            running.stop()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_stopping()


def test_a_terminated_service_ends_with_143_as_a_command_does():
    script = (
        "from x0tta_cli.core import service\n"
        "from x0tta_cli.terminal.guard import guard\n"
        "def work(_):\n"
        "    with service.running() as running:\n"
        "        print('up', flush=True)\n"
        "        while running.wait(60): pass\n"
        "        print('drained', flush=True)\n"
        "    return 0\n"
        "raise SystemExit(guard(work, []))\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "up\n"
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (143, "drained\n")
    assert err == "error: Terminated by a signal, after cleaning up.\n"


SERVING = """
import sys
from x0tta_cli.core import service
from x0tta_cli.core.errors import Terminated
from x0tta_cli.core.listener import Answer, listen

try:
    with service.running() as this, listen(sys.argv[1], lambda request: Answer(200)):
        while this.wait(600):
            pass
except Terminated:
    sys.exit(143)
"""


def test_a_signal_that_comes_just_as_a_wait_begins_ends_it():
    """Python looks for signals before it begins to wait, and has to let another thread run first.

    Whoever can connect sends the signal about then: without help, every other one waits to the end.
    """
    for _ in range(8):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = ("127.0.0.1", free.getsockname()[1])
        line = [sys.executable, "-c", SERVING, f"{address[0]}:{address[1]}"]
        with subprocess.Popen(line) as process:
            while process.poll() is None:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(address, 5).close()
                    break
                time.sleep(0.05)
            process.terminate()
            try:
                assert process.wait(60) == 143
            finally:
                process.kill()
