"""The journal: what x0tta is about to change in the world, written down before it does.

    with journal.operation("alert.send", plan) as operation:
        with operation.step("deliver") as step:
            step.result = {"state": notifier.deliver(notice).state}

Each line is on the disk before the next action starts: after `kill -9` or a power cut,
`operations(unfinished=True)` names what was going on and how far it had come. A body written in
`operation.once(...)` can be gone on with by `resume`; `give_up` closes an operation after what it
left behind was removed.
"""

from __future__ import annotations

from x0tta_cli.core.journal.interrupted import (
    find_interrupted,
    give_up,
    refuse_interrupted,
    resume,
)
from x0tta_cli.core.journal.leftovers import Leftover
from x0tta_cli.core.journal.operations import Operation, Step, begin, operation
from x0tta_cli.core.journal.records import OperationRecord, State, StepRecord, find, operations

__all__ = [
    "Leftover",
    "Operation",
    "OperationRecord",
    "State",
    "Step",
    "StepRecord",
    "begin",
    "find",
    "find_interrupted",
    "give_up",
    "operation",
    "operations",
    "refuse_interrupted",
    "resume",
]
