"""`x0tta drill`: recorded incidents through the whole loop, judged against the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x0tta_cli.drill.model import Accuracy, DrillResult, DrillSummary, Verdict
from x0tta_cli.terminal.command import (
    App,
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Kind,
    Table,
    Text,
    Tone,
    configuration,
    progress,
)

if TYPE_CHECKING:
    from x0tta_cli.alert.settings import AlertSettings
    from x0tta_cli.core.journal import Leftover, Operation, OperationRecord
    from x0tta_cli.drill.settings import DrillSettings
    from x0tta_cli.ml.model import Attribution
    from x0tta_cli.telemetry.library import Library

app = App(
    "Take a recorded incident from telemetry to a paged explanation, and judge it.", default="run"
)
SUSPECTS_SHOWN = 5
DETECTIONS_SHOWN = 8
ACCURACY_TITLES = (("top_1", "TOP-1"), ("top_3", "TOP-3"), ("avg_5", "AVG@5"), ("mrr", "MRR"))
EVIDENCE_TITLES = (("observed", "observed"), ("inferred", "inferred"), ("unknown", "not known"))
TONE_OF: dict[Verdict, Tone] = {
    Verdict.HIT: "good",
    Verdict.MISS: "bad",
    Verdict.INCONCLUSIVE: "warning",
}

DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Folder of recordings; without it, the PetShop recordings."
    ),
]


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """One recorded incident that a drill can run."""

    incident: str
    recording: str


def blocks_of_run(result: DrillResult | DrillSummary) -> Iterator[Block]:
    """Lay out one incident, or the summary of all."""
    if isinstance(result, DrillSummary):
        yield from blocks_of_summary(result)
    else:
        yield from blocks_of_incident(result)


@app.command(
    view=blocks_of_run,
    examples=[
        "x0tta drill  # the first recorded incident",
        "x0tta drill run high_traffic/test/issue_3 --html incident.html",
        "x0tta drill run --all -o json  # accuracy over all incidents",
        "x0tta drill run --data recordings/ --seed 7",
    ],
)
def run(
    incident: Annotated[
        str | None,
        typer.Argument(help="Incident, as `x0tta drill list` names it; without it, the first."),
        Kind("incident"),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Run every incident and sum up the accuracy.")
    ] = False,
    data: DataFolder = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed", metavar="N", min=0, max=2**32 - 1, help="Seed of training (default 0)."
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a report as one page.")
    ] = None,
) -> DrillResult | DrillSummary:
    """Take an incident from telemetry to a paged explanation, and judge it.

    Trains a detector on healthy time, detects the anomalous components, explains each, ranks root
    causes along the call graph, delivers one alert to the configured Alertmanagers (where there
    are none, to a receiver on loopback) and resolves it, and compares the ranking with the
    recorded truth. Ends with 0 when the truth is within the first three (with --all: in at least
    80 % of the incidents), 3 when not, 10 without enough evidence.
    """
    from x0tta_cli.core import extras, files
    from x0tta_cli.flags.evaluation import require_on

    check_request(incident, every=every)
    require_on("graphsage", configuration())
    settings = settings_with(data=data, seed=seed)
    extras.require("ml")
    if html is not None:
        extras.require("report")
        files.check_writable(html)
    from x0tta_cli.drill import pages
    from x0tta_cli.drill.run import Loop

    loop = Loop(
        library_of(settings),
        settings.seed,
        settings.false_alarm_rate,
        progress(),
        alert_settings(),
    )
    if every:
        summary = loop.run_all(settings.top_3_floor)
        if html is not None:
            files.write_atomically(html, pages.of_summary(summary, loop.library))
        return summary
    finding = loop.run(incident or first_of(loop.library))
    if html is not None:
        files.write_atomically(html, pages.of_finding(finding, loop.library))
    return finding.result


@app.command(
    "list",
    examples=["x0tta drill list", "x0tta drill list --data recordings/ -o json"],
)
def list_(data: DataFolder = None) -> list[ListedIncident]:
    """List the recorded incidents."""
    library = library_of(settings_with(data=data))
    return [
        ListedIncident(reference.identifier, reference.recording.identifier)
        for reference in library.incidents()
    ]


def resume_telling(operation: Operation) -> None:
    """Go on with the alert of a drill that was interrupted."""
    from x0tta_cli.drill import tell

    tell.resume(operation, alert_settings())


def leftovers_of_telling(record: OperationRecord) -> Iterator[Leftover]:
    """Find the alert of a drill that was interrupted, where it still fires."""
    from x0tta_cli.drill import tell

    yield from tell.leftovers(record, alert_settings())


def alert_settings() -> AlertSettings:
    """Read where alerts go."""
    from x0tta_cli.alert.settings import AlertSettings

    return configuration().section("alert", AlertSettings)


def check_request(incident: str | None, *, every: bool) -> None:
    """Refuse an incident's name beside --all."""
    from x0tta_cli.core.errors import UsageError

    if incident is not None and every:
        raise UsageError(
            "usage.exclusive_options",
            "An incident and --all were both given.",
            fix="Leave one of them out.",
        )


def settings_with(*, data: Path | None = None, seed: int | None = None) -> DrillSettings:
    """Lay the options that were given over the configured settings."""
    from x0tta_cli.drill.settings import DrillSettings

    given = {"data": data, "seed": seed}
    settings = configuration().section("drill", DrillSettings)
    return settings.model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )


def library_of(settings: DrillSettings) -> Library:
    """Open the folder that was named, or the recordings that come with x0tta."""
    from x0tta_cli.telemetry.library import Library, packaged_library

    return Library(settings.data) if settings.data else packaged_library()


def first_of(library: Library) -> str:
    """Name the first incident; NotFoundError `drill.no_incident` where a library has none."""
    from x0tta_cli.core.errors import NotFoundError

    incidents = library.incidents()
    if not incidents:
        raise NotFoundError(
            "drill.no_incident",
            f"{library.root} holds no incident.",
            reason="An incident is a folder with metrics.csv and target.json below a recording.",
            fix="Record one there, or name another folder with --data.",
        )
    return incidents[0].identifier


def blocks_of_incident(result: DrillResult) -> Iterator[Block]:
    """Verdict, ranking, evidence by kind, detected components, training and stages."""
    yield Heading(f"{result.incident}: {result.symptom}")
    yield verdict_on_incident(result)
    if result.ranking:
        yield from blocks_of_ranking(result)
    yield from blocks_of_evidence(result)
    if result.detected:
        yield from blocks_of_detections(result)
    yield Heading("The loop")
    yield Facts(facts_of_loop(result))


def blocks_of_ranking(result: DrillResult) -> Iterator[Block]:
    """List the likeliest root causes, the recorded one marked."""
    yield Heading("Likely root causes")
    yield Table(
        [Column("#", "right"), Column("COMPONENT"), Column("SCORE", "right"), Column("")],
        [
            (place, suspect.node, f"{suspect.score:.2f}", truth_mark(suspect.node, result))
            for place, suspect in enumerate(result.ranking[:SUSPECTS_SHOWN], 1)
        ],
    )


def blocks_of_evidence(result: DrillResult) -> Iterator[Block]:
    """Tell what speaks for the first suspect; facts, inference and ignorance apart."""
    facts: list[tuple[str, str]] = []
    for kind, title in EVIDENCE_TITLES:
        lines = [
            evidence.statement
            for suspect in result.ranking[:1]
            for evidence in suspect.evidence
            if evidence.kind == kind
        ]
        if kind == "unknown":
            lines += result.not_known
        # The kind stands once, before the first of its lines.
        facts += zip((title, *[""] * len(lines)), lines, strict=False)
    if facts:
        yield Heading(f"Why {result.ranking[0].node}" if result.ranking else "What is missing")
        yield Facts(facts)


def blocks_of_detections(result: DrillResult) -> Iterator[Block]:
    """List the components that deviate most, and how many more do."""
    yield Heading(f"{len(result.detected)} anomalous components")
    yield Table(
        [Column("COMPONENT"), Column("SCORE", "right"), Column("MOST OF IT FROM")],
        [
            (item.node, f"{item.score:.2f}", main_reasons(item))
            for item in result.explanations[:DETECTIONS_SHOWN]
        ],
    )
    left_out = len(result.explanations) - DETECTIONS_SHOWN
    if left_out > 0:
        yield Text(f"and {left_out} that deviate less: -o json and --html have all.", "dim")


def verdict_on_incident(result: DrillResult) -> Text:
    """Give the answer in a sentence."""
    if result.verdict is Verdict.INCONCLUSIVE:
        return Text(f"No verdict: {result.reason}.", "warning")
    if result.truth_rank is None:
        return Text(f"Missed: the recorded root cause, {result.truth}, was not ranked.", "bad")
    found = result.verdict is Verdict.HIT
    return Text(
        f"{'Found' if found else 'Missed'}: the recorded root cause, {result.truth}, "
        f"is number {result.truth_rank}.",
        "good" if found else "bad",
    )


def truth_mark(node: str, result: DrillResult) -> Cell:
    """Mark the recorded root cause in a list."""
    return Cell("recorded cause" if node == result.truth else "", "good")


def main_reasons(explanation: Attribution) -> str:
    """Name the inputs that raised a detector score most, with their SHAP values."""
    largest = sorted(explanation.contributions, key=lambda item: -item.shap)[:2]
    return ", ".join(
        f"{item.feature}{'' if item.source == 'own' else f' of {item.source}'} {item.shap:+.2f}"
        for item in largest
        if item.shap > 0
    )


def facts_of_loop(result: DrillResult) -> list[tuple[str, str]]:
    """How the detector was calibrated, what became of the alert, how long each stage took."""
    low, high = result.training.measured_interval
    alert = result.alert
    return [
        (
            "false alarms",
            f"{result.training.stated_false_alarm_rate:.2%} stated, "
            f"{result.training.measured_false_alarm_rate:.2%} measured on held-back healthy data "
            f"(95 % interval {low:.2%} to {high:.2%})",
        ),
        ("alert", f"{alert.name}, {alert.state}" if alert else "none: nothing was detected"),
        ("stages", ", ".join(f"{s.name} {s.duration_ms / 1000:.2f} s" for s in result.stages)),
    ]


def blocks_of_summary(summary: DrillSummary) -> Iterator[Block]:
    """Accuracy beside the baselines, then a row per incident."""
    yield Heading(f"{len(summary.incidents)} incidents, {summary.distinct_causes} distinct causes")
    reached = summary.verdict is Verdict.HIT
    yield Text(
        f"Top-3 accuracy {summary.top_3:.2f} {'reaches' if reached else 'misses'} "
        f"the floor of {summary.top_3_floor:.2f}.",
        "good" if reached else "bad",
    )
    methods: list[tuple[str, DrillSummary | Accuracy]] = [
        ("x0tta", summary),
        *summary.baselines.items(),
    ]
    yield Table(
        [Column("METHOD"), *(Column(title, "right") for _, title in ACCURACY_TITLES)],
        [
            (name.replace("_", " "), *(with_interval(method, key) for key, _ in ACCURACY_TITLES))
            for name, method in methods
        ],
    )
    yield Text("In brackets: 95 % intervals over incidents.", "dim")
    yield Heading("Incidents")
    yield Table(
        [
            Column("INCIDENT"),
            Column("VERDICT"),
            Column("RANK", "right"),
            Column("RECORDED CAUSE"),
            Column("RANKED FIRST", wide_only=True),
            Column("SECONDS", "right", wide_only=True),
        ],
        [
            (
                item.incident,
                Cell(item.verdict.value, TONE_OF[item.verdict]),
                item.truth_rank or "-",
                item.truth or "not recorded",
                item.first or "-",
                f"{item.duration_ms / 1000:.2f}",
            )
            for item in summary.incidents
        ],
    )


def with_interval(method: DrillSummary | Accuracy, name: str) -> str:
    """Write a figure with its 95 % interval."""
    low, high = method.intervals[name]
    return f"{getattr(method, name):.2f} [{low:.2f} {high:.2f}]"
