"""What `x0tta doctor` finds out: which checks to run, what counts, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from x0tta_cli.core.doctor import Check, Finding, Outcome, State, Surroundings, run_checks
from x0tta_cli.core.doctor.model import Observed, is_at_least, state_of
from x0tta_cli.core.errors import ExitStatus, UsageError, first_of
from x0tta_cli.core.notices import Severity
from x0tta_cli.terminal.groups import GROUPS, load, settings_models
from x0tta_cli.terminal.options import did_you_mean

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration

PAUSE_S = 1.0
# The house's own checks; a group of commands adds its own under its name with `probe`.
HOUSE = {
    "installation": "x0tta_cli.core.doctor.installation:INSTALLATION",
    "configuration": "x0tta_cli.core.doctor.installation:CONFIGURATION",
    "state": "x0tta_cli.core.doctor.storage:CHECKS",
    "time": "x0tta_cli.core.doctor.time:CHECKS",
    "internet": "x0tta_cli.core.doctor.time:INTERNET",
    "servers": "x0tta_cli.core.doctor.servers:CHECKS",
    "kernel": "x0tta_cli.core.doctor.kernel:CHECKS",
    "build": "x0tta_cli.core.doctor.building:CHECKS",
    "containers": "x0tta_cli.core.doctor.containers:CHECKS",
}

Placed = tuple[str, Check]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that --need asked for and that is not there, or (`unknown`) could not be seen."""

    name: str
    check: str
    unknown: bool
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What every check saw, and what that means for what was asked."""

    healthy: bool
    fail_on: str
    checks: tuple[Outcome, ...]
    missing: tuple[Missing, ...]
    suppressed: tuple[Finding, ...]
    groups: tuple[str, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order of the checks."""
        return tuple(finding for outcome in self.checks for finding in outcome.findings)

    @property
    def rows(self) -> tuple[Finding, ...]:
        """What CSV shows: the findings."""
        return self.findings

    @property
    def exit_status(self) -> ExitStatus:
        """8 for what is needed and missing, 3 for findings that count, 10 for needs not seen."""
        unmet = [
            ExitStatus.NOT_YET_KNOWN if missing.unknown else ExitStatus.UNSUPPORTED
            for missing in self.missing
        ]
        return first_of([ExitStatus.DONE if self.healthy else ExitStatus.NO, *unmet])


@dataclass(frozen=True, slots=True)
class Request:
    """What the doctor is asked; without `groups` it looks at all of them."""

    groups: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    wait_s: float = 0.0
    may_go_out: bool = True


def diagnose(request: Request, surroundings: Surroundings) -> Diagnosis:
    """Run the checks, again and again while there is time and something is missing.

    Raises UsageError `doctor.unknown_check` and `doctor.unknown_finding`, before anything is run.
    """
    known = checks_of(group_names())
    chosen = _chosen(request, known)
    suppressions = [_suppression(text) for text in request.suppressed]
    deadline = time.monotonic() + request.wait_s
    outcomes = run_checks(chosen, surroundings)
    while True:
        diagnosis = _judge(request, outcomes, suppressions, known)
        pause_s = min(PAUSE_S, deadline - time.monotonic())
        if diagnosis.exit_status is ExitStatus.DONE or pause_s <= 0:
            return diagnosis
        time.sleep(pause_s)
        # What was well stays so: a wait is for what comes up.
        again = [place for place, outcome in enumerate(outcomes) if outcome.state != State.OK]
        renewed = run_checks([chosen[place] for place in again], surroundings)
        for place, outcome in zip(again, renewed, strict=True):
            outcomes[place] = outcome


def group_names() -> list[str]:
    """Name the groups of checks; imports none of them."""
    return [*HOUSE, *(group.name for group in GROUPS.values() if group.probe)]


def checks_of(groups: Sequence[str]) -> list[Placed]:
    """Import the checks of some groups."""
    found = []
    for name in groups:
        reference = HOUSE.get(name) or (GROUPS[name].probe if name in GROUPS else None)
        found += [(name, check) for check in (load(reference) if reference else ())]
    return found


def surroundings_of(configuration: Configuration) -> Surroundings:
    """Collect what the checks look at."""
    from x0tta_cli.core.doctor.settings import DoctorSettings
    from x0tta_cli.core.errors import OperatorError

    try:
        settings = configuration.section("doctor", DoctorSettings)
    except OperatorError:
        # The doctor is asked when something is broken; its check of the configuration says what.
        settings = DoctorSettings.model_validate({})
    return Surroundings(configuration, settings_models(), settings.internet_url)


def _chosen(request: Request, known: Sequence[Placed]) -> list[Placed]:
    for name in (*request.groups, *request.needs):
        _named(name, known)
    wanted = [*request.groups, *request.needs]
    chosen = [
        placed
        for placed in known
        if not request.groups or any(placed in _named(name, known) for name in wanted)
    ]
    return [placed for placed in chosen if request.may_go_out or not placed[1].is_remote]


def _named(name: str, known: Sequence[Placed]) -> list[Placed]:
    """Find checks by the name of their group, their own, or both as `kernel.bpf`."""
    found = [
        (group, check)
        for group, check in known
        if name in {group, check.name, f"{group}.{check.name}"}
    ]
    if found:
        return found
    names = [*dict.fromkeys(group for group, _ in known), *(check.name for _, check in known)]
    raise UsageError(
        "doctor.unknown_check",
        f"The doctor knows nothing called '{name}'.",
        reason=f"It knows {', '.join(dict.fromkeys(names))}.",
        fix=did_you_mean(name, names) or "Choose one of them.",
        context={"name": name, "names": names},
    )


def _suppression(text: str) -> tuple[str, str]:
    """Read `CODE` or `CODE=OBJECT`; the object may have the wildcards of a shell."""
    from x0tta_cli.core.catalogue import CATALOGUE

    code, _, subject = text.partition("=")
    if code in CATALOGUE:
        return code, subject or "*"
    raise UsageError(
        "doctor.unknown_finding",
        f"There is no finding '{code}' to suppress.",
        reason="--suppress takes the code of a finding, or CODE=OBJECT for one object alone.",
        fix=did_you_mean(code, [known for known in CATALOGUE if known.startswith("doctor.")])
        or "x0tta doctor -o json shows the codes and objects.",
        context={"code": code},
    )


def _judge(
    request: Request,
    outcomes: Sequence[Outcome],
    suppressions: Sequence[tuple[str, str]],
    known: Sequence[Placed],
) -> Diagnosis:
    suppressed: list[Finding] = []
    kept = []
    for outcome in outcomes:
        hidden = [finding for finding in outcome.findings if _is_hidden(finding, suppressions)]
        suppressed += hidden
        kept.append(_without(outcome, hidden) if hidden else outcome)
    counting = [
        finding
        for outcome in kept
        for finding in outcome.findings
        if is_at_least(finding.severity, request.fail_on)
    ]
    missing = [item for name in request.needs for item in _missing(name, kept, known)]
    return Diagnosis(
        healthy=not counting,
        fail_on=request.fail_on.value,
        checks=tuple(kept),
        missing=tuple(dict.fromkeys(missing)),
        suppressed=tuple(suppressed),
        groups=request.groups,
    )


def _is_hidden(finding: Finding, suppressions: Sequence[tuple[str, str]]) -> bool:
    return any(
        code == finding.code and fnmatchcase(finding.object, pattern)
        for code, pattern in suppressions
    )


def _without(outcome: Outcome, hidden: Sequence[Finding]) -> Outcome:
    left = tuple(finding for finding in outcome.findings if finding not in hidden)
    observed = Observed(outcome.summary, left, outcome.unknown)
    return replace(outcome, findings=left, state=state_of(observed))


def _missing(name: str, outcomes: Sequence[Outcome], known: Sequence[Placed]) -> list[Missing]:
    wanted = {(group, check.name) for group, check in _named(name, known)}
    missing = []
    for outcome in outcomes:
        if (outcome.group, outcome.check) not in wanted or outcome.state is State.OK:
            continue
        first = next(iter(outcome.findings), None)
        missing.append(
            Missing(
                name,
                outcome.check,
                unknown=bool(outcome.unknown),
                reason=first.message if first else outcome.unknown,
                fix=first.fix if first else f"x0tta doctor {outcome.check}",
            )
        )
    return missing
