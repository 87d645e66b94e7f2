"""The same rows and statuses in every form, piped and on a terminal."""

from __future__ import annotations

import csv
import io
import json

import pytest

FORMS = ["table", "wide", "json", "jsonl", "csv"]
HOSTILE = "evil\x1b[31m\nname\u202e"


@pytest.mark.parametrize("form", FORMS)
def test_the_status_does_not_depend_on_the_form(practice, form):
    assert practice("practice", "run", "-o", form, "-q").returncode == 3
    assert practice("practice", "fail", "down", "-o", form).returncode == 7
    assert practice("practice", "fail", "badly", "-o", form, "-q").returncode == 1


def test_json_of_an_object_is_its_fields(practice):
    found = json.loads(practice("practice", "-o", "json").stdout)
    assert found["at"] == "2026-01-02T03:04:05Z"
    assert [row["node"] for row in found["ranking"]][1:] == [HOSTILE, "メッシュ"]
    assert found["ranking"][1]["score"] is None


def test_json_of_a_list_is_a_bare_array_and_jsonl_a_line_each(practice):
    rows = json.loads(practice("practice", "list", "-o", "json").stdout)
    assert [row["node"] for row in rows] == ["node-0", "node-1", "node-2"]
    lines = practice("practice", "list", "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == rows


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_stream_is_json_lines(practice, form):
    lines = practice("practice", "stream", "-o", form).stdout.splitlines()
    assert [json.loads(line)["node"] for line in lines] == ["node-0", "node-1", "node-2"]


def test_a_stream_as_a_table_has_one_header(practice):
    lines = practice("practice", "stream").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["NODE", "node-0", "node-1", "node-2"]
    assert practice("practice", "stream", "-o", "csv").stdout.splitlines()[:2] == [
        "node,score,evidence",
        "node-0,0.0,",
    ]


def test_csv_has_the_rows_of_a_result_exactly(practice):
    text = practice("practice", "-o", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["node"] for row in rows][1:] == [HOSTILE, "メッシュ"]
    assert [row["score"] for row in rows] == ["0.91234", "", "0.1"]
    assert rows[1]["evidence"] == "=1+1"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("csv", "score,node\n0.0,node-0\n"),
        ("jsonl", '{"score": 0.0, "node": "node-0"}\n'),
        ("table", "SCORE  NODE\n    0  node-0\n"),
        ("wide", "SCORE  NODE\n    0  node-0\n"),
        ("json", '[\n  {\n    "score": 0.0,\n    "node": "node-0"\n  }\n]\n'),
    ],
)
def test_fields_choose_and_order_in_every_form(practice, form, expected):
    line = ["practice", "list", "--count", "1", "--fields", "score,node", "-o", form]
    assert practice(*line).stdout == expected


def test_fields_of_an_object_are_those_of_its_rows_or_its_own(practice):
    rows = json.loads(practice("practice", "--fields", "node", "-o", "json").stdout)
    assert rows[2] == {"node": "メッシュ"}
    own = practice("practice", "--fields", "incident,verdict", "-o", "csv").stdout
    assert own == "incident,verdict\na/1 7,miss\n"
    assert practice("practice", "--fields", "verdict").stdout == "verdict  miss\n"


def test_wide_shows_more_columns(practice):
    assert "EVIDENCE" not in practice("practice").stdout
    assert "EVIDENCE" in practice("practice", "-o", "wide").stdout


def test_text_from_outside_cannot_draw_on_the_terminal(practice):
    for form in ("table", "wide", "json", "jsonl"):
        shown = practice("practice", "-o", form).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert r"evil\x1b[31m\nname\u202e" in practice("practice").stdout


def test_nothing_found_is_said_beside_the_result(practice):
    ended = practice("practice", "list", "--count", "0")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "Nothing found.\n")
    assert practice("practice", "list", "--count", "0", "-q").stderr == ""
    assert json.loads(practice("practice", "list", "--count", "0", "-o", "json").stdout) == []


def test_times_are_local_or_utc(practice):
    assert "2026-01-02 04:04:05+01:00" in practice("practice", env={"TZ": "Europe/Berlin"}).stdout
    utc = practice("practice", "--utc", env={"TZ": "Europe/Berlin"}).stdout
    assert "2026-01-02T03:04:05Z" in utc


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_no_locale_makes_it_fail(practice, locale):
    ended = practice("practice", "-o", "wide", env=locale)
    assert ended.returncode == 3
    assert "3 <= 4" in ended.stdout or "– ±3 ≤ 4" in ended.stdout
    found = json.loads(practice("practice", "-o", "json", env=locale).stdout)
    assert found["ranking"][2]["node"] == "メッシュ"


def test_bytes_that_are_no_text_are_kept(practice):
    ended = practice("practice", "run", b"\xff", "-o", "json", env={"LC_ALL": "C"})
    assert json.loads(ended.stdout)["incident"] == "\udcff 7"
    assert practice("practice", "run", b"\xff").stdout.startswith(r"Incident \udcff 7")
