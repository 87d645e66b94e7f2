"""Render a drill as one self-contained HTML page: no script, nothing loaded from anywhere.

Everything that comes from outside is escaped by Jinja2, and its control and bidirectional
characters are written out, in the page and within its figures. The same input gives the same
bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from x0tta_cli.core import extras
from x0tta_cli.core.text import escape
from x0tta_cli.drill.model import DrillResult, DrillSummary, Verdict
from x0tta_cli.drill.report import text, theme
from x0tta_cli.drill.report.accuracy import MEASURES, accuracy_figure, methods_of
from x0tta_cli.drill.report.explanation import explanation_figure
from x0tta_cli.drill.report.model import ReportData, Series
from x0tta_cli.drill.report.series import series_figure
from x0tta_cli.drill.report.topology import topology_figure
from x0tta_cli.ml.model import Attribution, Evidence, Suspect
from x0tta_cli.pages.environment import environment_of, finished

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

SUSPECTS_DETAILED = 3
EXPLANATIONS_DRAWN = 9
NAME_LENGTH = 90
EVIDENCE_KINDS = {"observed": "Observed", "inferred": "Inferred", "unknown": "Not known"}


def render_page(result: DrillResult, data: ReportData) -> str:
    """Render one incident's page.

    Raises UnsupportedError `extras.missing` where the extra `report` is not installed.
    """
    extras.require("report")
    topology = topology_figure(result, data) if data.nodes else None
    explanations = [
        (one, _sum_of(one), finished(explanation_figure(f"explanation-{i}", one)))
        for i, one in enumerate(result.explanations[:EXPLANATIONS_DRAWN])
    ]
    return (
        _environment()
        .get_template("incident.html.jinja")
        .render(
            result=result,
            data=data,
            judgement=judgement_on(result),
            topology=topology,
            topology_svg=finished(topology.svg) if topology else "",
            suspects=[(one, _by_kind(one)) for one in result.ranking[:SUSPECTS_DETAILED]],
            others=list(enumerate(result.ranking, 1))[SUSPECTS_DETAILED:],
            series_by_node=_series_by_node(data),
            explanations=explanations,
            explanations_left_out=len(result.explanations) - len(explanations),
            longest_stage_ms=max((stage.duration_ms for stage in result.stages), default=0) or 1,
            total_ms=sum(stage.duration_ms for stage in result.stages),
        )
    )


def render_summary_page(summary: DrillSummary, attribution: str) -> str:
    """Render the page over all incidents: accuracies beside baselines, one row per incident.

    `attribution` is the data's source and licence, a paragraph per line.

    Raises UnsupportedError `extras.missing` where the extra `report` is not installed.
    """
    extras.require("report")
    methods = methods_of(summary)
    verdicts = [incident.verdict for incident in summary.incidents]
    return (
        _environment()
        .get_template("summary.html.jinja")
        .render(
            summary=summary,
            attribution=attribution,
            methods=methods,
            measures=MEASURES,
            accuracy_svg=finished(accuracy_figure(methods, summary.top_3_floor)),
            counts={verdict.value: verdicts.count(verdict) for verdict in Verdict},
        )
    )


def judgement_on(result: DrillResult) -> str:
    """Say in a sentence how the ranking compares with the recorded truth."""
    ranked = len(result.ranking)
    if result.verdict is Verdict.INCONCLUSIVE:
        return f"No verdict: {result.reason or 'there is not enough evidence'}."
    if result.truth_rank is None:
        return f"The recorded root cause is not among the {ranked} ranked components."
    place = f"The recorded root cause is ranked {text.ordinal(result.truth_rank)} of {ranked}"
    if result.verdict is Verdict.HIT:
        return f"{place}."
    return f"{place}: not within the first three."


def _series_by_node(data: ReportData) -> list[tuple[Series, list[tuple[Series, Markup]]]]:
    """Draw all series; neighbours of one component stand together under its first."""
    groups = []
    numbered = enumerate(data.series)
    for _, members in groupby(numbered, key=lambda pair: (pair[1].node, pair[1].reason)):
        drawn = [
            (one, finished(series_figure(f"series-{number}", one, data.instants, data.onset)))
            for number, one in members
        ]
        groups.append((drawn[0][0], drawn))
    return groups


def _by_kind(suspect: Suspect) -> Mapping[str, list[Evidence]]:
    """Keep numbers, conclusions and gaps apart; a kind without evidence stays, empty."""
    return {
        title: [item for item in suspect.evidence if item.kind == kind]
        for kind, title in EVIDENCE_KINDS.items()
    }


def _sum_of(explanation: Attribution) -> float:
    return sum(part.shap for part in explanation.contributions)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of("x0tta_cli.drill.report")
    environment.filters.update(
        name=_name,
        number=text.number,
        score=text.score,
        quantity=text.quantity,
        percent=text.percent,
        duration=text.duration,
        instant=text.instant,
        ordinal=text.ordinal,
        heat=theme.heat_step,
    )
    environment.globals.update(heat_steps=theme.HEAT_STEPS)
    return environment


def _name(value: str) -> Markup:
    """Set a component's name: isolated from the text's direction, breakable, not too long."""
    from markupsafe import Markup

    full = escape(value)
    short = text.shorten_to(full, NAME_LENGTH)
    parts = Markup("<wbr>").join(text.pieces(short))
    if short == full:
        return Markup('<bdi class="name">{}</bdi>').format(parts)
    return Markup('<bdi class="name" title="{}">{}</bdi>').format(full, parts)
