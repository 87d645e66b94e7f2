from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from x0tta_cli.drill.model import Verdict
from x0tta_cli.drill.report.page import judgement_on, render_page, render_summary_page

pytestmark = pytest.mark.slow

VOID = {"meta", "br", "wbr", "hr", "img", "input", "link"}
HOSTILE = (
    "<script>alert(1)</script>",
    "\"quoted\" & 'single' </title></style></svg>",
    "right\u202eto left",
    "n" * 300,
    r"$\frac{a}{b}$",
    "bell\x07 escape\x1b[31m nul\x00 \ufffe",
    "{{ 7 * 7 }}{% raw %}",
    "שלום 服务 🛒",
    "two\nlines",
    "url(https://elsewhere.example/x) #ab0001 var(--ink)",
)
NOT_SHOWN_RAW = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe]"
)


class Page(HTMLParser):
    """Reads a page strictly: every element is closed where it was opened."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if attributes.get(name)]

    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def test_the_page_shows_what_a_drill_found(drill):
    page = Page(render_page(*drill()))
    for shown in (
        "mesh/slow",
        "orders",
        "The recorded root cause is ranked 1st of 4.",
        "latency (p95) of shop",
        "2023-04-13 15:19:19 UTC",
        "orders is ten times slower",
        "no callee of orders explains it",
        "availability of orders was not measured",
        "never seen",
        "0.87\u202f%",
        "0.71\u202f% to 1.06\u202f%",
        "4.87\u202fs",
        "MeshRootCauseSuspected",
        "not measured in this incident: mail",
        "CC-BY-4.0",
    ):
        assert shown in page.text


def test_base_and_contributions_add_up_to_the_score_that_is_shown(drill):
    page = Page(render_page(*drill()))
    sums = re.findall(r"base ([\d.−]+) \+ contributions ([\d.−]+) = ([\d.−]+)", page.text)
    assert len(sums) == 3
    for parts in sums:
        base, contributions, score = (float(part.replace("−", "-")) for part in parts)
        assert base + contributions == pytest.approx(score, abs=2e-3)


def test_nothing_is_loaded_and_nothing_runs(drill):
    source = render_page(*drill(HOSTILE))
    page = Page(source)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(page.tags())
    for name in ("src", "srcset", "action", "data", "formaction", "background"):
        assert page.attributes(name) == []
    assert all(target.startswith("#") for target in page.attributes("href"))
    styles = [*page.attributes("style"), *re.findall(r"<style>(.*?)</style>", source, re.DOTALL)]
    assert not any("url(" in style or "@import" in style for style in styles)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.attributes("content")[0]


def test_hostile_names_are_shown_as_they_are_and_do_nothing(drill):
    source = render_page(*drill(HOSTILE))
    page = Page(source)
    assert not NOT_SHOWN_RAW.search(source)
    shown = page.text + "".join(page.attributes("title"))
    for text in (
        "<script>alert(1)</script>",
        "\"quoted\" & 'single' </title></style></svg>",
        r"right\u202eto left",
        "n" * 300,
        r"$\frac{a}{b}$",
        r"bell\x07 escape\x1b[31m nul\x00 \ufffe",
        "{{ 7 * 7 }}{% raw %}",
        "שלום 服务 🛒",
        r"two\nlines",
        "url(https://elsewhere.example/x) #ab0001 var(--ink)",
    ):
        assert text in shown


def test_figures_have_names_too_hostile_or_not(drill):
    page = Page(render_page(*drill(HOSTILE)))
    labels = page.attributes("aria-label")
    assert any("<script>alert(1)</script>" in label for label in labels)
    figures = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in figures)


def test_a_reader_without_sight_finds_language_headings_and_headers(drill):
    page = Page(render_page(*drill()))
    assert page.attributes("lang") == ["en"]
    levels = [int(tag[1]) for tag in page.tags() if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    steps = [second - first for first, second in pairwise(levels)]
    assert max(steps) <= 1
    headers = [attributes for tag, attributes in page.elements if tag == "th"]
    assert headers
    assert all(header.get("scope") in {"row", "col"} for header in headers)


def test_identifiers_are_unique_and_references_lead_somewhere(drill):
    page = Page(render_page(*drill()))
    identifiers = page.attributes("id")
    assert len(identifiers) == len(set(identifiers))
    referenced = {target.removeprefix("#") for target in page.attributes("href")}
    referenced |= set(page.attributes("aria-labelledby"))
    for _, attributes in page.elements:
        for value in attributes.values():
            referenced |= set(re.findall(r"url\(#([^)]+)\)", value or ""))
    assert referenced <= set(identifiers)


def test_figures_leave_all_colours_to_the_readers_scheme(drill, summary):
    for source in (render_page(*drill()), render_summary_page(summary, "CC-BY-4.0")):
        page = Page(source)
        colours = [style for style in page.attributes("style") if re.search(r"#[0-9a-f]{3}", style)]
        assert colours == []
        assert "prefers-color-scheme: dark" in source


def test_the_same_drill_gives_the_same_bytes(drill):
    assert render_page(*drill(HOSTILE)) == render_page(*drill(HOSTILE))


RENDER = """
import sys
sys.path.insert(0, sys.argv[1])
from conftest import build_drill
from x0tta_cli.drill.report.page import render_page
sys.stdout.buffer.write(render_page(*build_drill()).encode())
"""


def render_elsewhere(folder: Path, **environment: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-c", RENDER, str(Path(__file__).parent)],
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    ).stdout


def test_neither_the_user_nor_the_process_changes_a_page(drill, tmp_path):
    (tmp_path / "matplotlibrc").write_text(
        "font.size: 30\naxes.facecolor: red\nsvg.fonttype: path\n"
    )
    for seed in ("1", "2"):
        rendered = render_elsewhere(tmp_path, PYTHONHASHSEED=seed)
        assert rendered.decode() == render_page(*drill())


def test_nothing_is_written_in_the_home_folder(tmp_path, state):
    home = tmp_path / "home"
    home.mkdir()
    render_elsewhere(tmp_path, HOME=str(home), XDG_CACHE_HOME="", XDG_CONFIG_HOME="")
    assert list(home.iterdir()) == []
    assert (state / "matplotlib").is_dir()


def test_a_state_folder_that_can_not_be_made_is_done_without(tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "state")
    assert render_elsewhere(tmp_path, X0TTA_STATE_DIR=nowhere, TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []


def chain(count: int) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    names = tuple(
        f"component-{number:03}.region-2.internal.example_Kind::Of" for number in range(count)
    )
    return names, tuple(((number * 7) % count, number) for number in range(1, count))


@pytest.mark.parametrize(
    ("names", "edges"),
    [
        (("alone",), ()),
        (("self",), ((0, 0),)),
        (("a", "b"), ((0, 1), (1, 0))),
        (("a", "b", "c"), ((0, 1), (1, 2), (2, 0))),
        chain(45),
        chain(500),
    ],
    ids=["one", "self-call", "pair", "cycle", "45", "500"],
)
def test_meshes_of_every_size_and_shape_are_drawn(drill, names, edges):
    source = render_page(*drill(names, edges))
    Page(source)
    assert len(source.encode()) < 1_000_000


def test_of_a_large_mesh_the_nearest_components_are_drawn_and_it_says_so(drill):
    page = Page(render_page(*drill(*chain(500))))
    assert "The 80 of 500 components nearest to what was found are drawn." in page.text


def without(**changes):
    return lambda result, data: (replace(result, **changes), data)


def with_data(**changes):
    return lambda result, data: (result, replace(data, **changes))


def all_missing(result, data):
    silent = tuple(replace(one, values=(None,) * 5, healthy=None) for one in data.series)
    return result, replace(data, series=silent)


def no_samples(result, data):
    empty = tuple(replace(one, values=()) for one in data.series)
    return result, replace(data, series=empty, instants=(), onset=None)


def strange_values(result, data):
    values = (float("nan"), float("inf"), 1e300, -1e300, 5e-324)
    return result, replace(data, series=(replace(data.series[0], values=values),))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (without(explanations=()), "Ranking"),
        (without(detected=(), alert=None), "No alert was due"),
        (
            without(ranking=(), verdict=Verdict.INCONCLUSIVE, reason="nothing moved"),
            "nothing moved",
        ),
        (without(truth=None, truth_rank=None, verdict=Verdict.INCONCLUSIVE), "not recorded"),
        (without(truth="elsewhere", truth_rank=None, verdict=Verdict.MISS), "elsewhere"),
        (without(stages=(), not_known=()), "Total"),
        (with_data(symptom_node=None), "Call graph"),
        (with_data(onset=None), "not known"),
        (with_data(series=()), "Call graph"),
        (all_missing, "no samples"),
        (no_samples, "no samples"),
        (strange_values, "Around the onset"),
    ],
)
def test_what_is_missing_is_said_or_left_out(drill, change, shown):
    page = Page(render_page(*change(*drill())))
    assert shown in page.text


def test_the_judgement_follows_verdict_and_rank(drill):
    result, _ = drill()
    assert judgement_on(result) == "The recorded root cause is ranked 1st of 4."
    missed = replace(result, verdict=Verdict.MISS, truth_rank=4)
    assert judgement_on(missed).endswith("ranked 4th of 4: not within the first three.")
    unranked = replace(result, verdict=Verdict.MISS, truth_rank=None)
    assert judgement_on(unranked).endswith("is not among the 4 ranked components.")
    unsure = replace(result, verdict=Verdict.INCONCLUSIVE, reason="one sample is too few")
    assert judgement_on(unsure) == "No verdict: one sample is too few."


def test_the_summary_shows_accuracies_beside_baselines_and_a_row_per_incident(summary):
    page = Page(render_summary_page(summary, "CC-BY-4.0"))
    for shown in (
        "75\u202f%",
        "Not reached",
        "largest robust z",
        "frequency order",
        "0.50 to 0.90",
    ):
        assert shown in page.text
    for incident in summary.incidents:
        assert incident.incident in page.text
    assert page.text.count("not recorded") == 1


def test_a_summary_without_baselines_incidents_or_judgement_is_a_page(summary):
    empty = replace(
        summary,
        verdict=Verdict.INCONCLUSIVE,
        baselines={},
        incidents=(),
        training={},
        intervals={},
        judged_incidents=0,
    )
    assert "Nothing could be judged" in Page(render_summary_page(empty, "")).text


def test_hostile_names_in_a_summary_are_escaped(summary):
    rows = tuple(replace(summary.incidents[0], incident=name, truth=name) for name in HOSTILE)
    source = render_summary_page(replace(summary, incidents=rows, baselines={}), "<b>")
    assert "script" not in Page(source).tags()
    assert not NOT_SHOWN_RAW.search(source)
