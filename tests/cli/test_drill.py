"""The main job, as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from fakes.small_mesh import write_library

pytestmark = pytest.mark.slow

STAGES = ["load", "train", "detect", "explain", "rank", "tell", "judge"]
FIRST_OF_PETSHOP = "high_traffic/test/issue_0"


@pytest.fixture
def library(tmp_path):
    return write_library(tmp_path / "recordings")


def drill(x0tta, *arguments):
    ended = x0tta("drill", "run", *arguments, "-o", "json")
    return ended.returncode, json.loads(ended.stdout)


def test_the_first_recorded_incident_goes_from_telemetry_to_a_judged_explanation(x0tta):
    ended = x0tta("drill", "-o", "json")
    result = json.loads(ended.stdout)
    assert ended.stderr == ""
    assert result["incident"] == FIRST_OF_PETSHOP
    assert [stage["name"] for stage in result["stages"]] == STAGES
    assert all(stage["duration_ms"] > 0 for stage in result["stages"])
    order = [suspect["node"] for suspect in result["ranking"]]
    assert result["truth_rank"] == order.index(result["truth"]) + 1
    assert (ended.returncode, result["verdict"]) == (
        (0, "hit") if result["truth_rank"] <= 3 else (3, "miss")
    )
    assert {e["kind"] for e in result["ranking"][0]["evidence"]} >= {"observed", "inferred"}
    assert result["detected"]
    assert [e["node"] for e in result["explanations"]] == [d["node"] for d in result["detected"]]
    for explanation in result["explanations"]:
        total = explanation["base"] + sum(c["shap"] for c in explanation["contributions"])
        assert total == pytest.approx(explanation["score"], abs=1e-3)
    training = result["training"]
    assert training["stated_false_alarm_rate"] == 0.01
    low, high = training["measured_interval"]
    assert low <= training["measured_false_alarm_rate"] <= high
    alert = result["alert"]
    assert alert["state"] == "visible, then resolved"
    assert alert["labels"]["component"] == order[0]
    assert {"observed", "inferred", "not_known", "summary"} <= set(alert["annotations"])


def test_another_mesh_with_other_names_and_steps(x0tta, library):
    status, result = drill(x0tta, "incident_2", "--data", str(library))
    assert (status, result["verdict"], result["truth"]) == (0, "hit", "database")
    assert result["incident"] == "recorded/incident_2"


def test_the_same_seed_gives_the_same_numbers(x0tta, library):
    def numbers(seed):
        _, result = drill(x0tta, "incident_1", "--data", str(library), "--seed", seed)
        return [result[name] for name in ("ranking", "detected", "explanations", "training")]

    assert numbers("7") == numbers("7")
    assert numbers("7") != numbers("8")


def test_status_and_rows_are_the_same_in_every_form(x0tta, library, environment):
    line = ["drill", "run", "incident_1", "--data", str(library)]
    status, result = drill(x0tta, *line[2:])
    rows = [(suspect["node"], suspect["score"]) for suspect in result["ranking"]]

    as_csv = x0tta(*line, "-o", "csv")
    read = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [(row["node"], float(row["score"])) for row in read] == rows

    as_lines = x0tta(*line, "-o", "jsonl", "-q")
    assert [
        (suspect["node"], suspect["score"]) for suspect in json.loads(as_lines.stdout)["ranking"]
    ] == rows

    as_table = x0tta(*line)
    in_table = re.findall(r"^ *\d+ +(\w+) +(\d\.\d\d)", as_table.stdout, re.MULTILINE)
    assert in_table == [(node, f"{score:.2f}") for node, score in rows[:5]]

    command = " ".join([str(Path(sys.executable).with_name("x0tta")), *line])
    terminal = pexpect.spawn(
        command, env=environment, encoding="utf-8", dimensions=(60, 120), timeout=60
    )
    shown = terminal.read()
    terminal.close()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert re.findall(r"^ *\d+ +(\w+) +(\d\.\d\d)", plain, re.MULTILINE) == in_table
    statuses = {as_csv.returncode, as_lines.returncode, as_table.returncode, terminal.exitstatus}
    assert statuses == {status}


def test_all_incidents_are_summed_up_beside_the_baselines(x0tta, library):
    status, summary = drill(x0tta, "--all", "--data", str(library))
    assert status == 0
    assert summary["top_1"] <= summary["top_3"] == 1.0
    assert set(summary["baselines"]) == {"largest_robust_z", "frequency_order"}
    for method in (summary, *summary["baselines"].values()):
        for name in ("top_1", "top_3", "avg_5", "mrr"):
            low, high = method["intervals"][name]
            assert low <= method[name] <= high
    assert [row["incident"] for row in summary["incidents"]] == [
        "recorded/incident_1",
        "recorded/incident_2",
    ]


def test_a_floor_that_is_missed_is_status_3(x0tta, library):
    for target in library.glob("recorded/*/target.json"):
        document = json.loads(target.read_text())
        document["root_cause"] = {"node": "nowhere"}
        target.write_text(json.dumps(document))
    status, summary = drill(x0tta, "--all", "--data", str(library))
    assert (status, summary["verdict"], summary["top_3"]) == (3, "miss", 0.0)


def test_an_incident_without_a_recorded_cause_has_no_verdict(x0tta, library):
    (library / "recorded/incident_1/target.json").write_text("{}")
    status, result = drill(x0tta, "incident_1", "--data", str(library))
    assert (status, result["verdict"], result["truth"]) == (10, "inconclusive", None)


def test_an_incident_without_anything_unusual_is_not_ranked(x0tta, library):
    healthy = (library / "noissue/metrics.csv").read_text().splitlines()
    incident = library / "recorded/incident_1/metrics.csv"
    incident.write_text("\n".join(healthy[:14]) + "\n")
    status, result = drill(x0tta, "incident_1", "--data", str(library))
    assert (status, result["verdict"]) == (10, "inconclusive")
    assert result["reason"]


def test_a_report_is_one_page_of_its_own(x0tta, library, tmp_path):
    page = tmp_path / "incident.html"
    ended = x0tta("drill", "incident_1", "--data", str(library), "--html", str(page))
    assert ended.returncode == 0
    text = page.read_text()
    assert text.lower().startswith("<!doctype html>")
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert [path.name for path in tmp_path.glob("incident*")] == ["incident.html"]


def test_the_list_names_what_run_takes(x0tta):
    ended = x0tta("drill", "list", "-o", "json")
    incidents = [row["incident"] for row in json.loads(ended.stdout)]
    assert ended.returncode == 0
    assert len(incidents) == 34
    assert incidents[0] == FIRST_OF_PETSHOP


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.slow
def test_a_signal_in_any_stage_leaves_nothing_half_done(stage, library, environment, tmp_path):
    page = tmp_path / "page.html"
    script = Path(__file__).with_name("interrupted.py")
    started = {
        status: subprocess.Popen(
            [sys.executable, script, stage, name, "drill", "--html", page, "--data", library],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, status in (("SIGTERM", 143), ("SIGINT", 130))
    }
    for status, process in started.items():
        output, errors = process.communicate(timeout=120)
        assert process.returncode == status, errors
        assert "Traceback" not in errors
        assert output == ""
    assert list(tmp_path.glob("page*")) == []
    assert list(tmp_path.rglob("*.tmp")) == []


def replace_in(path, old, new, count=1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def break_graph(library):
    replace_in(library / "graph.csv", ",entrance", ",nobody")


def break_columns(library):
    replace_in(library / "recorded/incident_1/metrics.csv", "microservice", "")
    (library / "recorded/incident_1/metrics.csv").write_text("a,b\n1,2\n")


def empty_incident(library):
    path = library / "recorded/incident_1/metrics.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:4]) + "\n")


def one_healthy_sample(library):
    path = library / "noissue/metrics.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:5]) + "\n")


def remove_graph(library):
    (library / "graph.csv").unlink()


def folder_for_a_file(library):
    (library / "graph.csv").unlink()
    (library / "graph.csv").mkdir()


@pytest.mark.parametrize(
    ("spoil", "status", "words"),
    [
        (break_graph, 2, "graph.csv"),
        (break_columns, 2, "metrics.csv"),
        (empty_incident, 10, "metrics.csv"),
        (one_healthy_sample, 10, "sample"),
        (remove_graph, 4, "graph.csv"),
        (folder_for_a_file, 2, "graph.csv"),
    ],
)
def test_bad_data_says_where_and_how_to_mend_it(x0tta, library, spoil, status, words):
    spoil(library)
    ended = x0tta("drill", "incident_1", "--data", str(library), "-o", "json")
    problem = json.loads(ended.stderr.splitlines()[-1])
    assert (ended.returncode, problem["exit_status"]) == (status, status)
    assert words in problem["detail"]
    assert problem["fix"]
    assert ended.stdout == ""


def test_a_component_without_any_measurement_is_named_as_not_known(x0tta, library):
    path = library / "recorded/incident_1/metrics.csv"
    header, *rows = list(csv.reader(path.read_text().splitlines()))
    silent = [index for index, name in enumerate(header) if name == "mail"]
    for row in rows[3:]:
        for index in silent:
            row[index] = ""
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    status, result = drill(x0tta, "incident_1", "--data", str(library))
    assert status == 0
    assert any("mail" in line for line in result["not_known"])


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["drill", "run", "nowhere"], 4, "telemetry.unknown_incident"),
        (["drill", "run", "--data", "/nowhere"], 4, "telemetry.no_recording"),
        (["drill", "run", "--bogus"], 2, "usage.unknown_option"),
        (["drill", "run", "a", "b"], 2, "usage.unexpected_argument"),
        (["drill", "run", "a", "--all"], 2, "usage.exclusive_options"),
        (["drill", "run", "--seed", "-1"], 2, "usage.bad_value"),
        (["drill", "run", "--seed", "x"], 2, "usage.bad_value"),
        (["drill", "--html", "/nowhere/page.html"], 4, "files.no_such_folder"),
    ],
)
def test_a_wrong_request_ends_with_its_status(x0tta, arguments, status, code):
    ended = x0tta(*arguments, "-o", "json")
    assert (ended.returncode, json.loads(ended.stderr)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[drill]\nsede = 1\n", "config.unknown_key"),
        ('[drill]\nseed = "many"\n', "config.bad_value"),
        ("[drill\n", "config.not_toml"),
    ],
)
def test_a_wrong_configuration_is_status_9_and_names_the_file(x0tta, tmp_path, text, code):
    path = tmp_path / "config.toml"
    path.write_text(text)
    ended = x0tta("drill", "list", "--config", str(path), "-o", "json")
    problem = json.loads(ended.stderr)
    assert (ended.returncode, problem["code"]) == (9, code)
    assert str(path) in problem["detail"]


def test_the_configuration_gives_the_defaults_and_options_win(x0tta, library, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(f'[drill]\ndata = "{library}"\nseed = 5\n')
    _, result = drill(x0tta, "--config", str(path))
    assert (result["incident"], result["training"]["seed"]) == ("recorded/incident_1", 5)
    _, result = drill(x0tta, "--config", str(path), "--seed", "6")
    assert result["training"]["seed"] == 6


def test_a_reader_that_leaves_is_status_141(environment):
    x0tta = Path(sys.executable).with_name("x0tta")
    line = f"{x0tta} drill list -o jsonl | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1] in {"141", "0"}
