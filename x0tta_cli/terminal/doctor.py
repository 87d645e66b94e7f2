"""`x0tta doctor`: whether all that x0tta stands on is well, and how to mend what is not."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from x0tta_cli.terminal.arguments import seconds
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Table,
    Text,
    Tone,
    Words,
    configuration,
    progress,
    session,
)
from x0tta_cli.terminal.diagnosis import Diagnosis, Missing, group_names

if TYPE_CHECKING:
    from x0tta_cli.core.doctor import Finding, Outcome

app = App("See whether all that x0tta stands on is well, and how to mend what is not.", single=True)

TONE_OF: dict[str, Tone] = {
    "ok": "good",
    "note": "dim",
    "info": "dim",
    "warning": "warning",
    "error": "bad",
    "critical": "bad",
    "unknown": "dim",
}
GRAVITY = ("ok", "unknown", "note", "warning", "error")


class FailOn(StrEnum):
    """From which severity on findings count."""

    WARNING = "warning"
    ERROR = "error"


def blocks(diagnosis: Diagnosis) -> Iterator[Block]:
    """Lay out one line a group, then what was found, then what is missing."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in diagnosis.checks:
        groups.setdefault(outcome.group, []).append(outcome)
    columns = [Column("GROUP"), Column("STATE"), Column("WHAT")]
    yield Table(columns, [_line(name, outcomes) for name, outcomes in groups.items()])
    for name, outcomes in groups.items():
        shown = [finding for finding in _findings(outcomes) if _is_shown(finding, diagnosis)]
        if shown:
            yield Heading(name.capitalize())
        for finding in shown:
            yield Facts(_facts(finding))
    if diagnosis.missing:
        yield Heading("Needed")
    for missing in diagnosis.missing:
        word = "unknown" if missing.unknown else "missing"
        yield Facts(
            [(word, Cell(_name(missing), "bad")), ("why", missing.reason), ("mend", missing.fix)]
        )
    yield Text(*_verdict(diagnosis))


@app.command(
    view=blocks,
    examples=[
        "x0tta doctor  # everything, one line where all is well",
        "x0tta doctor kernel build  # in detail",
        "x0tta doctor --need ml --need bpf  # ends with 8 where one is missing",
        "x0tta doctor servers --wait 60s -o json  # until they are up",
        "x0tta doctor --suppress doctor.no_internet --fail-on warning",
    ],
)
def doctor(
    groups: Annotated[
        list[str] | None,
        typer.Argument(metavar="GROUP", help="Groups or single checks; without it, all groups."),
        Words(group_names()),
    ] = None,
    need: Annotated[
        list[str] | None,
        typer.Option("--need", metavar="NAME", help="End with 8 where this is missing."),
        Words(group_names()),
    ] = None,
    wait: Annotated[
        str,
        typer.Option("--wait", metavar="DURATION", help="Look again until all is well, say 60s."),
    ] = "0s",
    suppress: Annotated[
        list[str] | None,
        typer.Option(
            "--suppress", metavar="CODE[=OBJECT]", help="Leave a finding out, also for the status."
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="End with 3 for findings from this severity on.")
    ] = FailOn.ERROR,
) -> Diagnosis:
    """See whether all that x0tta stands on is well, and how to mend what is not.

    Every check is made, whatever the others say; nothing is changed. Ends with 8 where something
    that --need names is missing, 3 where something counts that was found, 10 where it can't be
    told whether what is needed is there, 0 otherwise. What is not here and has not been asked for
    is a note; notes show with the name of their group, and with -o wide or json.
    """
    from x0tta_cli.core.notices import Severity
    from x0tta_cli.terminal import diagnosis

    request = diagnosis.Request(
        tuple(groups or ()),
        tuple(need or ()),
        tuple(suppress or ()),
        Severity(fail_on.value),
        seconds(wait),
    )
    with progress().stage("look"):
        return diagnosis.diagnose(request, diagnosis.surroundings_of(configuration()))


def _line(name: str, outcomes: list[Outcome]) -> tuple[str, Cell, str]:
    state = max((outcome.state.value for outcome in outcomes), key=GRAVITY.index)
    summaries = [outcome.summary or outcome.unknown for outcome in outcomes]
    findings = _findings(outcomes)
    absent = [finding.object for finding in findings if finding.severity.value == "info"]
    wrong = [finding.object for finding in findings if finding.severity.value != "info"]
    if absent:
        summaries.append(f"without {', '.join(dict.fromkeys(absent))}")
    if wrong:
        summaries.append(f"see {', '.join(dict.fromkeys(wrong))}")
    return name, Cell(state, TONE_OF[state]), "; ".join(filter(None, summaries))


def _findings(outcomes: list[Outcome]) -> list[Finding]:
    return [finding for outcome in outcomes for finding in outcome.findings]


def _is_shown(finding: Finding, diagnosis: Diagnosis) -> bool:
    return _has_details(diagnosis) or finding.severity.value != "info"


def _has_details(diagnosis: Diagnosis) -> bool:
    return bool(diagnosis.groups) or session().output == "wide"


def _facts(finding: Finding) -> list[tuple[str, Any]]:
    word = "note" if finding.severity.value == "info" else finding.severity.value
    facts: list[tuple[str, Any]] = [(word, Cell(finding.message, TONE_OF[finding.severity.value]))]
    if finding.reason:
        facts.append(("why", finding.reason))
    return [*facts, ("mend", finding.fix), ("code", f"{finding.code}={finding.object}")]


def _name(missing: Missing) -> str:
    return missing.name if missing.name == missing.check else f"{missing.name}: {missing.check}"


def _verdict(diagnosis: Diagnosis) -> tuple[str, Tone]:
    count = {
        word: sum(finding.severity.value == word for finding in diagnosis.findings)
        for word in ("error", "warning", "info")
    }
    parts = [
        f"{number} {'note' if word == 'info' else word}{'' if number == 1 else 's'}"
        for word, number in count.items()
        if number
    ]
    if diagnosis.missing:
        parts.insert(0, f"{len(diagnosis.missing)} missing")
    if diagnosis.suppressed:
        parts.append(f"{len(diagnosis.suppressed)} suppressed")
    listed = f" ({', '.join(parts)})" if parts else ""
    if diagnosis.missing or not diagnosis.healthy:
        return f"Not well{listed}.", "bad"
    is_hidden = count["info"] and not _has_details(diagnosis)
    hint = " x0tta doctor -o wide shows the notes." if is_hidden else ""
    if count["error"] or count["warning"]:
        return f"Nothing that counts{listed}.{hint}", "warning"
    return f"All is well{listed}.{hint}", "good"
