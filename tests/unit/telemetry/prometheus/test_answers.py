from __future__ import annotations

import json
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.prometheus.answers import in_promql, read_matrix, read_messages

LABELS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)
POINTS = st.lists(st.tuples(st.integers(0, 10**12), st.floats()), max_size=20)


def as_go_writes(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)


def matrix(*series: object) -> dict[str, object]:
    return {"resultType": "matrix", "result": list(series)}


@given(st.lists(st.tuples(LABELS, POINTS), max_size=5))
def test_what_was_sent_is_what_is_read(series) -> None:
    sent = matrix(
        *(
            {
                "metric": labels,
                "values": [[instant / 1000, as_go_writes(value)] for instant, value in points],
            }
            for labels, points in series
        )
    )
    found = read_matrix(json.loads(json.dumps(sent)), "x")
    assert [dict(one.labels) for one in found] == [labels for labels, _ in series]
    for one, (_, points) in zip(found, series, strict=True):
        assert np.rint(one.instants * 1000).tolist() == [instant for instant, _ in points]
        np.testing.assert_array_equal(one.values, [value for _, value in points])


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["resultType", "result", "metric", "values", "histograms", "x"]),
                inner | st.just("matrix"),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_json_it_is_it_is_read_or_refused(data) -> None:
    with suppress(ValueError, UsageError):
        assert isinstance(read_matrix(data, "x"), tuple)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"resultType": "vector", "result": []},
        {"resultType": "matrix", "result": None},
        matrix("series"),
        matrix({"values": [[1, "1"]]}),
        matrix({"metric": {"a": "b"}}),
        matrix({"metric": {}, "values": [[1]]}),
        matrix({"metric": {}, "values": [["1", "1"]]}),
        matrix({"metric": {}, "values": [[True, "1"]]}),
        matrix({"metric": {}, "values": [[1, 1.5]]}),
        matrix({"metric": {}, "values": [[1, "one"]]}),
        matrix({"metric": {}, "values": [1]}),
        matrix({"metric": {}, "values": [[10**400, "1"]]}),
        matrix({"metric": {}, "values": [[math.nan, "1"]]}),
    ],
)
def test_what_is_no_matrix_is_refused(data) -> None:
    with pytest.raises(ValueError, match=r"\."):
        read_matrix(data, "x")


@pytest.mark.parametrize("beside", [{}, {"values": [[1, "1"]]}])
def test_a_native_histogram_is_refused_with_what_to_ask_instead(beside) -> None:
    series = {"metric": {"__name__": "delay", "node": "a"}, "histograms": [[1, {}]], **beside}
    with pytest.raises(UsageError) as caught:
        read_matrix(matrix(series), "delay")
    assert caught.value.code == "telemetry.native_histogram"
    assert 'delay{node="a"}' in str(caught.value)
    assert "histogram_quantile" in caught.value.fix


def test_warnings_and_remarks_are_kept() -> None:
    assert read_messages({"warnings": ["a", "b"], "infos": ["c"]}) == ("a", "b", "c")
    assert read_messages({}) == read_messages({"warnings": None, "infos": "c"}) == ()


def test_a_label_set_is_written_as_prometheus_does() -> None:
    labels = (("__name__", "up"), ("job", 'a"b'), ("узел", "é"))
    assert in_promql(labels) == 'up{job="a\\"b", узел="é"}'
    assert in_promql(()) == "{}"
