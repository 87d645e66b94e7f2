"""The journal: what x0tta is about to change in the world, written down before it does.

    with journal.operation("alert.send", plan) as operation:
        with operation.step("deliver") as step:
            step.result = {"state": notifier.deliver(notice).state}

Each line is on the disk before the next action starts: after `kill -9` or a power cut,
`operations(unfinished=True)` names what was going on and how far it had come.
"""

from __future__ import annotations

from x0tta_cli.core.journal.operations import Operation, Step, begin, operation
from x0tta_cli.core.journal.records import OperationRecord, State, StepRecord, operations

__all__ = [
    "Operation",
    "OperationRecord",
    "State",
    "Step",
    "StepRecord",
    "begin",
    "operation",
    "operations",
]
