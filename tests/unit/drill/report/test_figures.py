from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x0tta_cli.drill.report.accuracy import accuracy_figure, methods_of
from x0tta_cli.drill.report.explanation import explanation_figure
from x0tta_cli.drill.report.model import HealthyBand, ReportData, Series
from x0tta_cli.drill.report.series import series_figure
from x0tta_cli.drill.report.topology import topology_figure

pytestmark = pytest.mark.slow

INSTANTS = (0.0, 300.0, 600.0, 900.0)
BAND = HealthyBand(10.0, 20.0, 30.0)


def draw_series(values, healthy=BAND, instants=INSTANTS) -> str:
    return series_figure(
        "series-0", Series("shop", "rate", "count", values, healthy), instants, 450
    )


def rings(svg: str) -> int:
    return len(re.findall(r"<use [^>]*fill: var\(--paper\)", svg))


def strokes(svg: str, colour: str) -> list[list[float]]:
    """The strokes of one colour, each as x, y, x, y."""
    path = re.search(rf'<path d="([^"]*)"[^>]*stroke: var\(--{colour}\)', svg)
    numbers = [float(number) for number in re.findall(r"[\d.]+", path[1])] if path else []
    return [numbers[start : start + 4] for start in range(0, len(numbers), 4)]


def test_samples_outside_the_healthy_band_are_dots_others_are_rings():
    svg = draw_series((5.0, 20.0, 30.0, 31.0))
    dots = strokes(svg, "blame")
    assert len(dots) == 2
    assert all(dot[:2] == dot[2:] for dot in dots)
    assert rings(svg) == 2


def test_missing_samples_are_underlined_and_counted():
    svg = draw_series((20.0, None, math.nan, 25.0))
    assert "2 of 4 samples, from 20 to 25" in svg
    assert rings(svg) == 2
    assert len(strokes(svg, "muted")) == 1
    assert "no samples" not in svg
    assert len(strokes(draw_series((None, 20.0, None, 25.0)), "muted")) == 2


def test_a_long_series_stays_small():
    instants = tuple(60.0 * number for number in range(5000))
    values = tuple(float(number % 60) for number in range(5000))
    assert len(draw_series(values, instants=instants)) < 400_000


def test_a_series_that_health_never_saw_has_no_band():
    svg = draw_series((1.0, 2.0, 3.0, 4.0), healthy=None)
    assert "var(--band)" not in svg
    assert "never measured in health" in svg


def test_availability_shows_no_values_past_its_bound():
    series = Series("shop", "availability", "%", (100.0,) * 4, HealthyBand(100.0, 100.0, 100.0))
    ticks = re.findall(r">([\d.]+)\u202f%<", series_figure("series-0", series, INSTANTS, None))
    assert max(float(tick) for tick in ticks) == 100


@pytest.mark.parametrize("days", [0.001, 1, 40, 4000])
def test_time_is_marked_at_a_few_places_whatever_the_span(days):
    instants = tuple(days * 86400 * part for part in range(4))
    svg = draw_series((20.0,) * 4, instants=instants)
    assert 1 <= len(re.findall(r">(?:[A-Z][a-z]{2} \d\d )?\d\d:\d\d<", svg)) <= 6


def test_an_explanation_shows_base_large_parts_the_rest_and_the_score(explanation):
    svg = explanation_figure("explanation-0", explanation)
    written = [float(value.replace("−", "-")) for value in re.findall(r">([+−]?\d+\.\d\d)<", svg)]
    base, score, *steps = written
    assert base + sum(steps) == pytest.approx(score, abs=0.005 * len(written))
    assert score == pytest.approx(explanation.score, abs=0.005)
    assert "4 others" in svg
    assert "600\u202fms, healthy 60\u202fms" in svg
    assert "missing, healthy 100\u202f%" in svg


def test_an_explanation_without_parts_is_its_base(explanation):
    svg = explanation_figure("explanation-0", replace(explanation, contributions=(), score=0.25))
    assert "then nothing, gives 0.25" in svg


def test_topology_marks_truth_symptom_and_the_first_three(drill):
    figure = topology_figure(*drill())
    assert re.findall(r">(#\d)", figure.svg) == ["#2", "#1", "#3"]
    assert figure.svg.count("var(--truth)") == 2
    assert ">symptom<" in figure.svg
    assert figure.has_way
    assert not figure.has_backward_calls


def test_full_names_are_in_the_titles_of_shortened_boxes(drill):
    name = "adoptions@services-database.us-west-2.rds.amazonaws.com_Database::SQL"
    svg = topology_figure(*drill(("shop", name), ((0, 1),))).svg
    assert f"<title>{name} (truth): root-cause score 1.00, ranked 1st</title>" in svg
    assert "…" in svg


names = st.text(st.characters(), min_size=1, max_size=40)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(names, min_size=1, max_size=5, unique=True))
def test_any_name_can_be_drawn(drill, chosen):
    figure = topology_figure(*drill(tuple(chosen), ()))
    assert figure.drawn == len(chosen)
    assert "script" not in figure.svg or any("script" in name for name in chosen)


def test_accuracies_stand_in_words_beside_the_drawing(summary):
    svg = accuracy_figure(methods_of(summary), summary.top_3_floor)
    assert "x0tta drill: Top-1 0.50, Top-3 0.75, Avg@5 0.70, Mean reciprocal rank 0.60" in svg
    assert ">floor<" in svg


@pytest.mark.parametrize(
    "change", [{"scores": (0.1,)}, {"edges": ((0, 9),)}, {"instants": (1.0,)}], ids=str
)
def test_material_that_does_not_fit_together_is_refused(drill, change):
    _, data = drill()
    with pytest.raises(ValueError, match=r"scores|edge|instants"):
        replace(data, **change)
    assert isinstance(data, ReportData)
