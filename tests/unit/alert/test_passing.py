"""Commands that run as if nothing stood between: bytes, statuses, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from x0tta_cli.alert import passing
from x0tta_cli.alert.passing import KEPT_BYTES, Ending

pytestmark = pytest.mark.slow


class Caught:
    """Two pipes whose other ends are read all the time."""

    def __init__(self):
        self.stdout = self.stderr = -1
        self._read = [b"", b""]
        self._threads = []

    def __enter__(self):
        ends = [os.pipe(), os.pipe()]
        self.stdout, self.stderr = (write for _, write in ends)
        for index, (read, _) in enumerate(ends):
            thread = threading.Thread(target=self._take, args=(index, read))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_):
        os.close(self.stdout)
        os.close(self.stderr)
        for thread in self._threads:
            thread.join()

    def _take(self, index, descriptor):
        with os.fdopen(descriptor, "rb") as stream:
            self._read[index] = stream.read()

    @property
    def out(self):
        return self._read[0]

    @property
    def err(self):
        return self._read[1]


def run(*command, **options):
    with Caught() as caught:
        ended = passing.run(command, stdout=caught.stdout, stderr=caught.stderr, **options)
    return ended, caught.out, caught.err


def test_bytes_pass_unchanged_each_on_its_stream():
    script = "import os; os.write(1, bytes(range(256))); os.write(2, b'err\\r\\n\\xff')"
    ended, out, err = run(sys.executable, "-c", script)
    assert (ended.ending, ended.status) == (Ending.SUCCEEDED, 0)
    assert (out, err) == (bytes(range(256)), b"err\r\n\xff")
    assert ended.output_bytes == 256 + 6


def test_all_of_much_output_passes_and_its_end_is_kept():
    ended, out, _ = run("sh", "-c", "seq 1 400000")
    assert out == b"".join(b"%d\n" % number for number in range(1, 400_001))
    assert ended.output_bytes == len(out)
    assert ended.tail == out[-KEPT_BYTES:]


@pytest.mark.parametrize(
    ("command", "ending", "status"),
    [
        (("true",), Ending.SUCCEEDED, 0),
        (("sh", "-c", "exit 3"), Ending.FAILED, 3),
        (("sh", "-c", "kill -9 $$"), Ending.KILLED, 137),
        (("nosuch-command",), Ending.NOT_STARTED, 127),
        (("/etc/passwd",), Ending.NOT_STARTED, 126),
        (("/",), Ending.NOT_STARTED, 126),
    ],
)
def test_statuses_are_those_of_a_shell(command, ending, status):
    ended, _, _ = run(*command)
    assert (ended.ending, ended.status) == (ending, status)
    shell = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *command], capture_output=True, check=False
    )
    assert shell.returncode == status


def test_a_command_that_takes_too_long_ends_with_all_that_it_started():
    ended, out, _ = run("sh", "-c", "sleep 1000 & echo $!; wait", at_most_s=0.3)
    assert (ended.ending, ended.status) == (Ending.TIMED_OUT, 124)
    child = int(out)
    while _is_running(child):
        time.sleep(0.02)


def test_one_that_does_not_hear_is_killed():
    deaf = ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    ended, _, _ = run(*deaf, at_most_s=0.3, grace_s=0.3)
    assert (ended.ending, ended.status) == (Ending.TIMED_OUT, 124)


def test_a_daemon_that_keeps_the_pipes_open_is_not_waited_for():
    ended, out, _ = run("sh", "-c", "sleep 1000 & echo $!")
    assert ended.ending is Ending.SUCCEEDED
    os.kill(int(out), signal.SIGKILL)


def test_input_is_the_commands_own():
    line = [
        sys.executable,
        "-c",
        "from x0tta_cli.alert import passing; passing.run(['tr', 'a-z', 'A-Z'])",
    ]
    passed = subprocess.run(line, input=b"hello", capture_output=True, check=True)
    assert passed.stdout == b"HELLO"


def test_where_nobody_reads_us_the_command_gets_to_know_it():
    read, write = os.pipe()
    os.close(read)
    try:
        ended = passing.run(["sh", "-c", "while echo x; do :; done; exit 9"], stdout=write)
    finally:
        os.close(write)
    # As without us: the shell's echo is ended by SIGPIPE, and with it the shell.
    assert (ended.ending, ended.reason) == (Ending.KILLED, "SIGPIPE")


def test_a_reader_that_does_not_block_misses_nothing():
    with Caught() as caught:
        os.set_blocking(caught.stdout, False)
        passing.run(["seq", "1", "200000"], stdout=caught.stdout, stderr=caught.stderr)
    assert len(caught.out.splitlines()) == 200_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_pass_and_come_once(number):
    script = (
        "import signal, sys, time\n"
        "got = []\n"
        f"signal.signal({int(number)}, lambda *_: (got.append(1), print('got', flush=True)))\n"
        "print('ready', flush=True)\n"
        "while not got: time.sleep(0.02)\n"
        "time.sleep(0.3)\n"
        "sys.exit(5)\n"
    )
    line = [
        sys.executable,
        "-c",
        "import sys; from x0tta_cli.alert import passing\n"
        "ended = passing.run([sys.executable, '-c', sys.argv[1]])\n"
        "print(ended.ending, ended.status)",
        script,
    ]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == "got\nfailed 5\n"


def test_what_is_ignored_stays_ignored():
    line = ["nohup", sys.executable, "-c",
            "from x0tta_cli.alert import passing\n"
            "passing.run(['sh', '-c', 'kill -HUP $$; echo alive'])"]  # fmt: skip
    passed = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert b"alive" in passed.stdout


def test_handlers_are_given_back():
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    run("true")
    assert {number: signal.getsignal(number) for number in before} == before


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
