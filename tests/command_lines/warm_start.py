"""Starts x0tta in processes that are forked where its packages are imported already.

    warm_start.py SOCKET    forks a process for each message that comes, until standard input ends

A message is a line with its environment and folder as JSON, and three descriptors for its streams.
What is started is a process of its own, with its own number, streams, signals and exit status; the
streams are opened as Python opens them when it starts. What it leaves out is the import of packages
alone, which takes most of the time of most commands. `warm.py` has the other side.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import locale
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import time

LARGEST_MESSAGE = 1 << 17
# They start threads of their own, or take seconds and a gigabyte: whoever needs one imports it.
LEFT_OUT = ("x0tta_cli.ml",)
# It is run by what migrates, and nowhere else.
MIGRATION = "x0tta_cli.pay.ledger.migrations."
OTHERS = ("alembic.command", "httpx", "openfeature.api", "pydantic", "rich.console", "sqlalchemy")


def main() -> int:
    import_all()
    # They would be looked through, and so copied, in each process.
    gc.collect()
    gc.freeze()
    # Nobody waits for those who watch a command.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(fileno=int(sys.argv[1]))
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return 0
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return watch(connection)
        connection.close()


def import_all() -> None:
    import x0tta_cli

    def left_out(name: str) -> bool:
        return name.startswith((*LEFT_OUT, MIGRATION)) or name.endswith("__main__")

    names = [module.name for module in pkgutil.walk_packages(x0tta_cli.__path__, "x0tta_cli.")]
    for name in (*names, *OTHERS):
        # In a base install some can't be: the command itself will say so.
        with contextlib.suppress(ImportError):
            if not left_out(name):
                importlib.import_module(name)
    importlib.import_module("x0tta_cli.__main__")


def watch(connection: socket.socket) -> int:
    """Start a command, tell its number, wait for its end, and tell its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, descriptors, _, _ = socket.recv_fds(connection, LARGEST_MESSAGE, 3)
    request = json.loads(message)
    number = os.fork()
    if number == 0:
        connection.close()
        return run(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    connection.send(str(number).encode())
    _, status = os.waitpid(number, 0)
    with contextlib.suppress(OSError):
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def run(request: dict[str, object], descriptors: list[int]) -> int:
    """Become the command."""
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    os.closerange(3, 256)
    if request["new_session"]:
        os.setsid()
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    time.tzset()
    tempfile.tempdir = None
    sys.argv = list(request["line"])  # type: ignore[call-overload]
    sys.stdin = sys.__stdin__ = reopened(0, "strict")
    sys.stdout = sys.__stdout__ = reopened(1, "strict")
    sys.stderr = sys.__stderr__ = reopened(2, "backslashreplace")
    from x0tta_cli.__main__ import main as x0tta

    return x0tta()


def reopened(descriptor: int, errors: str) -> io.TextIOWrapper:
    """Open a standard stream as Python does."""
    raw = io.FileIO(descriptor, "rb" if descriptor == 0 else "wb", closefd=False)
    buffer = io.BufferedReader(raw) if descriptor == 0 else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffer,
        locale.getpreferredencoding(do_setlocale=False),
        errors,
        newline="\n" if descriptor else None,
        line_buffering=descriptor == 2 or os.isatty(descriptor),
    )


if __name__ == "__main__":
    sys.exit(main())
