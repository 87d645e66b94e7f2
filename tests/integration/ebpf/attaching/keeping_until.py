"""Attaches as the arguments say; at a place in the journal's steps something comes in between.

    keeping_until.py PLACE REQUEST [COMMAND...]

Without a command the process is killed with SIGKILL there. The code of a refusal goes to stderr,
with status 1.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from x0tta_cli.core import journal
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.ebpf.attaching import attach
from x0tta_cli.ebpf.requests import AttachRequest

place, given, command = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
step_of = journal.Operation.step


def intervene() -> None:
    if not command:
        os.kill(os.getpid(), signal.SIGKILL)
    subprocess.run(command, check=True)


@contextmanager
def step(self, name):
    if place == f"before {name}":
        intervene()
    with step_of(self, name) as running:
        yield running
        if place == f"at the end of {name}":
            intervene()
    if place == f"after {name}":
        intervene()


journal.Operation.step = step
if given.get("lasts"):
    given["lasts"] = timedelta(seconds=given["lasts"])
given["interfaces"] = tuple(given["interfaces"])
given["filesystem"] = Path(given["filesystem"])
try:
    attach(AttachRequest(**given))
except OperatorError as error:
    sys.exit(error.code)
