"""Runs checks side by side: one that fails or hangs costs nothing but its own answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from x0tta_cli.core.bounded import call_all
from x0tta_cli.core.doctor.model import (
    Check,
    Finding,
    Observed,
    Outcome,
    State,
    Surroundings,
    state_of,
)
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity

log = logging.getLogger(__name__)

BOUND_S = 5.0


def run_checks(checks: Sequence[tuple[str, Check]], surroundings: Surroundings) -> list[Outcome]:
    """Run checks, each given with its group; the outcomes in their order, none left out.

    A check that has no answer within `BOUND_S` is left behind in its thread, which does not keep
    the process from ending.
    """
    answers = call_all([partial(check.run, surroundings) for _, check in checks], BOUND_S)
    return [
        _outcome(group, check, answer if isinstance(answer, Observed) else _unseen(check, answer))
        for (group, check), answer in zip(checks, answers, strict=True)
    ]


def _unseen(check: Check, error: Exception) -> Observed:
    """Make a finding of what kept a check from its answer."""
    if isinstance(error, OperatorError):
        return Observed(findings=(Finding.from_error(error, check.name),))
    if isinstance(error, TimeoutError):
        return Observed(findings=(_hung(check),), unknown="no answer in time")
    log.debug("a check has failed", exc_info=error, extra={"check": check.name})
    return Observed(findings=(_failed(check, error),), unknown="the check failed")


def _outcome(group: str, check: Check, observed: Observed) -> Outcome:
    is_unseen = bool(observed.unknown) and not observed.findings
    state = State.UNKNOWN if is_unseen else state_of(observed)
    return Outcome(group, check.name, state, observed.summary, observed.findings, observed.unknown)


def _hung(check: Check) -> Finding:
    return Finding(
        "doctor.check_hung",
        Severity.WARNING,
        check.name,
        f"Looking at {check.name} took longer than {BOUND_S:g} s, and was given up.",
        f"x0tta doctor {check.name} --debug",
        "What it looks at does not answer: a disk, a socket or a name server.",
    )


def _failed(check: Check, error: Exception) -> Finding:
    from x0tta_cli.core.secrets import redact

    return Finding(
        "doctor.check_failed",
        Severity.ERROR,
        check.name,
        f"Looking at {check.name} failed: {redact(f'{type(error).__name__}: {error}')}.",
        f"x0tta doctor {check.name} --debug",
        "This is a defect of x0tta.",
    )
