"""The command line of x0tta with one more group, whose checks fail, hang and find things.

Run as a script. `FLAG` names a file: where it exists, the check `flag` is well. `X0TTA` itself
stays as it is, but that a check may take half a second.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from x0tta_cli.core.doctor import Check, Finding, Observed, Surroundings, running
from x0tta_cli.core.errors import UnavailableError
from x0tta_cli.core.notices import Severity
from x0tta_cli.terminal.groups import GROUPS, Group

PROBLEM = "doctor.state_open"


def crash(_surroundings: Surroundings) -> Observed:
    raise KeyError("token=hunter2-abcdefgh")


def hang(_surroundings: Surroundings) -> Observed:
    time.sleep(600)
    return Observed("never")


def raise_(_surroundings: Surroundings) -> Observed:
    raise UnavailableError("http.unreachable", "The peer is down.", context={"file": "peer"})


def find(_surroundings: Surroundings) -> Observed:
    return Observed(
        findings=tuple(
            Finding(PROBLEM, severity, subject, f"{subject} is open.", f"chmod 700 {subject}")
            for severity, subject in (
                (Severity.WARNING, "/a"),
                (Severity.ERROR, "/b"),
                (Severity.INFO, "/c"),
            )
        )
    )


def flag(_surroundings: Surroundings) -> Observed:
    with Path(os.environ["FLAG"]).with_suffix(".asked").open("a") as stream:
        stream.write(".")
    if Path(os.environ["FLAG"]).exists():
        return Observed("up")
    return Observed(findings=(Finding(PROBLEM, Severity.ERROR, "flag", "Down.", "touch flag"),))


def doubt(_surroundings: Surroundings) -> Observed:
    return Observed(unknown="nobody could be asked")


CRASHING = (Check("crash", crash), Check("hang", hang), Check("raise", raise_))
FINDING = (Check("find", find), Check("well", lambda _: Observed("fine")), Check("doubt", doubt))
WAITING = (Check("flag", flag), Check("steady", lambda _: Observed("fine")))


def main() -> int:
    sys.modules["ailing"] = sys.modules[__name__]
    from x0tta_cli.__main__ import main as start

    for name in ("crashing", "finding", "waiting"):
        probe = f"ailing:{name.upper()}"
        GROUPS[name] = Group(name, "Ail.", "ailing", f"x0tta {name}", probe=probe)
    running.BOUND_S = 0.5
    sys.argv[0] = "x0tta"
    return start()


if __name__ == "__main__":
    sys.exit(main())
