from __future__ import annotations

import json

import pytest

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.target import Symptom, read_target

SEEN = {"node": "front", "metric": "latency", "agg": "Average", "timestamp": 1681399159}


@pytest.fixture
def read(tmp_path):
    def read_document(document: object):
        path = tmp_path / "target.json"
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            path.write_text(json.dumps(document))
        return read_target(path)

    return read_document


def test_the_form_of_the_recordings(read) -> None:
    target = read(
        {
            "target": SEEN,
            "root_cause": {"node": "store", "metric": None},
            "metadata": {"reproducibility": {"command": "…"}},
        }
    )
    assert target.symptom == Symptom("front", "latency", "Average", 1681399159.0)
    assert target.truths == ("store",)


@pytest.mark.parametrize(
    ("cause", "truths"),
    [
        (None, ()),
        ({}, ()),
        ({"node": None}, ()),
        ([], ()),
        ("store", ("store",)),
        ({"node": ["store", "cart"]}, ("store", "cart")),
        ([{"node": "store"}, "cart", {"node": "store"}], ("store", "cart")),
        ({"node": "not in the data"}, ("not in the data",)),
    ],
)
def test_a_cause_may_be_missing_one_or_several(read, cause, truths) -> None:
    assert read({"target": SEEN, "root_cause": cause}).truths == truths


def test_nothing_recorded_is_nothing_known(read) -> None:
    assert read({}).symptom is None
    assert read({}).truths == ()
    assert read({"target": {"node": "front"}}).symptom == Symptom("front")


@pytest.mark.parametrize(
    "timestamp", [1681399159, 1681399159.0, "1681399159", "2023-04-13T15:19:19Z"]
)
def test_an_instant_has_several_forms(read, timestamp) -> None:
    symptom = read({"target": {**SEEN, "timestamp": timestamp}}).symptom
    assert symptom.instant == 1681399159.0


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", ["line 1"]),
        (b'{\n"target": ', ["line 2"]),
        (b"\xff\xfe{}", ["UTF-8"]),
        (b"[" * 100_000, ["JSON"]),
        (b"[]", ["object"]),
        (b'{"metadata": "' + b"x" * 2_000_000 + b'"}', ["1 MiB"]),
        ({"target": "front"}, ["'target'"]),
        ({"target": {"metric": "latency"}}, ["'target.node'"]),
        ({"target": {"node": " "}}, ["'target.node'"]),
        ({"target": {**SEEN, "metric": 3}}, ["'target.metric'"]),
        ({"target": {**SEEN, "timestamp": True}}, ["'target.timestamp'"]),
        ({"target": {**SEEN, "timestamp": "soon"}}, ["'target.timestamp'", "'soon'"]),
        ({"target": {**SEEN, "timestamp": 1681399159000}}, ["milliseconds"]),
        ({"target": SEEN, "root_cause": 7}, ["'root_cause'", "'7'"]),
        ({"target": SEEN, "root_cause": ""}, ["'root_cause'"]),
    ],
)
def test_bad_input_is_refused_by_member(read, document, words) -> None:
    with pytest.raises(UsageError) as caught:
        read(document)
    assert caught.value.code == "telemetry.bad_target"
    assert "target.json" in str(caught.value)
    said = f"{caught.value} {caught.value.reason}"
    assert [word for word in words if word.lower() not in said.lower()] == []
