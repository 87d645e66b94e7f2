from __future__ import annotations

import json
import lzma

import numpy as np
import pytest

from x0tta_cli.core.errors import (
    NotFoundError,
    NotPermittedError,
    NotYetKnownError,
    OperatorError,
    UsageError,
)
from x0tta_cli.telemetry.library import Library
from x0tta_cli.telemetry.recordings import read_incident

LATER = 1_700_090_000


@pytest.fixture
def library(recording) -> Library:
    return Library(recording)


def test_an_incident_is_held_against_its_healthy_time(library) -> None:
    incident = library.load("issue_2")
    healthy = library.healthy(incident.healthy_identifier)
    assert incident.identifier == "test/issue_2"
    assert incident.telemetry.topology == healthy.topology
    assert incident.telemetry.features == healthy.features
    assert incident.telemetry.values.shape == (3, 5, 3)
    assert incident.onset == LATER + 150
    assert incident.truth == "store"
    assert incident.symptom.node == "front"
    assert incident.unseen_nodes == incident.missing_nodes == incident.unknown_nodes == ()
    assert incident.missing_features == incident.unknown_features == ()


def test_a_compressed_recording_is_the_same(library, recording) -> None:
    before = library.load("issue_1").telemetry
    for path in recording.rglob("*.csv"):
        path.with_suffix(".csv.xz").write_bytes(lzma.compress(path.read_bytes()))
        path.unlink()
    after = library.load("issue_1").telemetry
    assert after.topology == before.topology
    np.testing.assert_array_equal(after.values, before.values)


def test_what_either_side_lacks_is_listed_and_never_zero(
    library, recording, rows_of, write
) -> None:
    healthy = [
        ("front", "latency", "p95"), ("front", "requests", "Sum"),
        ("cart", "latency", "p95"), ("cart", "requests", "Sum"),
    ]  # fmt: skip
    now = [
        ("newcomer", "latency", "p95"), ("store", "latency", "p95"),
        ("front", "latency", "p95"), ("front", "cpu_ratio", "Average"),
    ]  # fmt: skip
    write(recording / "noissue" / "metrics.csv", rows_of(healthy))
    write(recording / "test" / "issue_1" / "metrics.csv", rows_of(now, start=LATER, samples=5))
    incident = library.load("issue_1")
    telemetry = incident.telemetry
    assert telemetry.topology.nodes == ("front", "cart", "store", "newcomer")
    assert [feature.name for feature in telemetry.features] == ["latency_p95", "requests_sum"]
    assert incident.unseen_nodes == ("store", "newcomer")
    assert incident.unknown_nodes == ("newcomer",)
    assert incident.missing_nodes == ("cart",)
    assert incident.missing_features == ("requests_sum",)
    assert incident.unknown_features == ("cpu_ratio_average",)
    assert np.isnan(telemetry.values[1]).all()
    assert np.isnan(telemetry.values[:, :, 1]).all()
    assert np.isfinite(telemetry.values[[0, 2, 3], :, 0]).all()


def test_an_all_missing_component_is_allowed_and_listed(library, recording, rows_of, write) -> None:
    rows = rows_of(start=LATER, samples=5)
    for row in rows[3:]:
        row[4:7] = ["", "", ""]
    write(recording / "test" / "issue_1" / "metrics.csv", rows)
    incident = library.load("issue_1")
    assert incident.missing_nodes == ("cart",)
    assert {run.node for run in incident.telemetry.missing_runs(at_least=5)} == {"cart"}


def test_an_incident_may_have_no_description(library, recording) -> None:
    (recording / "test" / "issue_1" / "target.json").unlink()
    incident = library.load("issue_1")
    assert incident.symptom is incident.truth is incident.onset is None
    assert incident.truths == ()


def test_a_single_sample_of_an_incident_is_enough_to_read(
    library, recording, rows_of, write
) -> None:
    write(recording / "test" / "issue_1" / "metrics.csv", rows_of(start=LATER + 120, samples=1))
    assert library.load("issue_1").telemetry.instants.tolist() == [LATER + 120]


def test_a_changed_healthy_recording_is_read_again(library, recording, rows_of, write) -> None:
    assert len(library.healthy(".").instants) == 20
    write(recording / "noissue" / "metrics.csv", rows_of(samples=31))
    assert len(library.healthy(".").instants) == 31


def test_a_list_of_calls_may_name_what_only_incidents_measure(
    library, recording, rows_of, write
) -> None:
    write(recording / "graph.csv", [["caller", "callee"], ["front", "cart"], ["cart", "late"]])
    with pytest.raises(UsageError) as caught:
        library.load("issue_1")
    assert caught.value.code == "telemetry.unknown_node"
    columns = [(node, "latency", "p95") for node in ("front", "late")]
    write(recording / "test" / "issue_10" / "metrics.csv", rows_of(columns, start=LATER, samples=5))
    assert library.load("issue_1").telemetry.topology.nodes == ("front", "cart", "late", "store")


def refuse(library: Library, kind: type[OperatorError], code: str) -> OperatorError:
    with pytest.raises(kind) as caught:
        library.load("issue_1")
    assert caught.value.code == f"telemetry.{code}"
    return caught.value


def test_files_that_are_missing(library, recording) -> None:
    (recording / "test" / "issue_1" / "metrics.csv").unlink()
    missing = refuse(library, NotFoundError, "no_metrics")
    assert str(recording / "test" / "issue_1") in f"{missing} {missing.reason} {missing.fix}"
    (recording / "test" / "issue_1" / "metrics.csv").write_text("")
    (recording / "noissue" / "metrics.csv").rename(recording / "elsewhere.csv")
    refuse(library, NotFoundError, "no_healthy_recording")
    (recording / "elsewhere.csv").rename(recording / "noissue" / "metrics.csv")
    (recording / "graph.csv").unlink()
    refuse(library, NotFoundError, "no_graph")


@pytest.mark.parametrize(
    "place", ["noissue", "noissue/metrics.csv", "graph.csv", "test/issue_1/target.json"]
)
def test_a_file_that_may_not_be_read(library, recording, unreadable, place) -> None:
    reference = library.find("issue_1")
    with unreadable(recording / place), pytest.raises(NotPermittedError) as caught:
        read_incident(reference)
    assert caught.value.exit_status == 6


@pytest.mark.parametrize(("samples", "code"), [(0, "empty_recording"), (1, "too_few_samples")])
def test_too_little_healthy_time(library, recording, rows_of, write, samples, code) -> None:
    write(recording / "noissue" / "metrics.csv", rows_of(samples=samples))
    error = refuse(library, NotYetKnownError, code)
    assert "noissue/metrics.csv" in str(error)


def test_nothing_in_common(library, recording, rows_of, write) -> None:
    columns = [("front", "cpu_ratio", "Average")]
    write(recording / "test" / "issue_1" / "metrics.csv", rows_of(columns, start=LATER, samples=5))
    error = refuse(library, UsageError, "no_common_feature")
    assert "latency_p95" in error.reason
    assert "cpu_ratio_average" in error.reason


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"node": "ghost"}, "unknown_symptom"),
        ({"node": "front", "timestamp": LATER - 61}, "symptom_outside"),
        ({"node": "front", "timestamp": LATER + 301}, "symptom_outside"),
    ],
)
def test_a_symptom_that_is_not_of_this_recording(library, recording, target, code) -> None:
    path = recording / "test" / "issue_1" / "target.json"
    path.write_text(json.dumps({"target": target}))
    assert "target.json" in str(refuse(library, UsageError, code))


@pytest.mark.parametrize("scale", [1e3, 1e-3, 1e6])
def test_another_unit_than_in_healthy_time(library, recording, rows_of, write, scale) -> None:
    rows = rows_of(start=LATER, samples=5, scale=scale)
    write(recording / "test" / "issue_1" / "metrics.csv", rows)
    error = refuse(library, UsageError, "wrong_unit")
    assert "latency p95" in str(error)
    assert "3 of 3 components" in error.reason


def test_availability_as_a_ratio_is_another_unit(library, recording, rows_of, write) -> None:
    rows = rows_of(start=LATER, samples=5)
    for row in rows[3:]:
        row[3] = row[6] = row[9] = 1.0
    write(recording / "test" / "issue_1" / "metrics.csv", rows)
    error = refuse(library, UsageError, "wrong_unit")
    assert "availability Average" in str(error)


def test_trouble_itself_is_no_other_unit(library, recording, rows_of, write) -> None:
    rows = rows_of(start=LATER, samples=5)
    for row in rows[3:]:
        # One component was slow before the trouble was noticed; then all are, and load is gone.
        row[4] = 250.0
        row[2] = row[5] = row[8] = 0.04
    for row in rows[6:]:
        row[1] = row[4] = row[7] = 250.0
    write(recording / "test" / "issue_1" / "metrics.csv", rows)
    assert library.load("issue_1").telemetry.values[1, 0, 0] == 250.0


@pytest.mark.parametrize("step", [10, 300, 90])
def test_another_step_than_in_healthy_time(library, recording, rows_of, write, step) -> None:
    rows = rows_of(start=LATER, samples=5, step=step)
    write(recording / "test" / "issue_1" / "metrics.csv", rows)
    path = recording / "test" / "issue_1" / "target.json"
    path.write_text("{}")
    error = refuse(library, UsageError, "different_step")
    assert f"every {step} s" in str(error)


def test_gaps_are_no_other_step(library, recording, rows_of, write) -> None:
    rows = rows_of(start=LATER, samples=6)
    write(recording / "test" / "issue_1" / "metrics.csv", [*rows[:4], *rows[6:]])
    assert [gap.missing_samples for gap in library.load("issue_1").telemetry.gaps()] == [2]
