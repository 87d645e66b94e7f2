"""Hands links over to a keeper process, which holds them when this one has ended."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.ebpf.holders import KEEPER_MODULE
from x0tta_cli.ebpf.keeper import CONFIRMED, HOLDING, KEPT, Request
from x0tta_cli.ebpf.labels import Label

ANSWER_S = 10.0


class KeeperProcess:
    """A keeper that was started; until it is confirmed it ends with whoever started it."""

    def __init__(self, request: Request, label: Label, descriptors: Sequence[int]) -> None:
        self._request = request
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                KEEPER_MODULE,
                str(label),
                *(one.interface for one in request.kept),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=list(descriptors),
            start_new_session=True,
            # -m looks for modules in the current folder first.
            cwd="/",
        )
        self.pid = self._process.pid

    def take_over(self) -> None:
        """Wait until it holds the links. UnavailableError `ebpf.keeper_failed`."""
        self._say(json.dumps(asdict(self._request)))
        self._expect(HOLDING)

    def confirm(self) -> None:
        """Let it go on by itself. UnavailableError `ebpf.keeper_failed`."""
        self._say(CONFIRMED)
        self._expect(KEPT)
        self._close()

    def abandon(self) -> None:
        """Let it end, and the kernel detach what it holds."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(ANSWER_S)
        self._close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed() from None

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        descriptor, deadline, said = self._process.stdout.fileno(), time.monotonic() + ANSWER_S, b""
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                break
            piece = os.read(descriptor, 256)
            if not piece:
                break
            said += piece
        if said.decode("ascii", "replace").strip() != word:
            raise self._failed()

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        # It is nobody's child to wait for: it outlives this process on purpose.
        self._process.returncode = self._process.returncode or 0

    def _failed(self) -> UnavailableError:
        return UnavailableError(
            "ebpf.keeper_failed",
            "The keeper process that should hold the link did not start.",
            reason=f"Its exit status is {self._process.poll()}. Nothing is attached.",
            fix=f"See what it says: {sys.executable} -m {KEEPER_MODULE}",
            retryable=True,
        )
