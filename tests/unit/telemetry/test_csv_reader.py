from __future__ import annotations

import csv
import io
import lzma
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x0tta_cli.core.errors import (
    NotFoundError,
    NotPermittedError,
    NotYetKnownError,
    OperatorError,
    UsageError,
)
from x0tta_cli.telemetry import table
from x0tta_cli.telemetry.csv_reader import read_metrics, read_node_names
from x0tta_cli.telemetry.topology import Topology

HEADER = "microservice,front,front,cart\nmetric,latency,availability,latency\nstatistic,p95,,p95\n"
SAMPLES = "100,0.5,99,0.1\n160,,98.5,0.2\n220,0.7,97,\n"


@pytest.fixture
def read(tmp_path):
    """Read a metrics.csv of this text or these bytes."""

    def read_text(content: str | bytes, name: str = "metrics.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_metrics(path)

    return read_text


def test_columns_become_components_and_features(read) -> None:
    telemetry = read(HEADER + SAMPLES)
    assert telemetry.topology.nodes == ("front", "cart")
    assert [feature.name for feature in telemetry.features] == ["latency_p95", "availability"]
    assert telemetry.instants.tolist() == [100.0, 160.0, 220.0]
    np.testing.assert_array_equal(telemetry.values[0], [[0.5, 99], [np.nan, 98.5], [0.7, 97]])
    np.testing.assert_array_equal(
        telemetry.values[1], [[0.1, np.nan], [0.2, np.nan], [np.nan, np.nan]]
    )


def test_components_of_the_graph_come_first_and_may_lack_columns(tmp_path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEADER + SAMPLES)
    telemetry = read_metrics(path, Topology(("cart", "never"), ((0, 1),)))
    assert telemetry.topology.nodes == ("cart", "never", "front")
    assert telemetry.topology.edges == ((0, 1),)
    assert telemetry.unobserved_nodes == ("never",)
    assert telemetry.values[2, 0].tolist() == [0.5, 99.0]


def test_the_order_of_columns_does_not_matter(read, tmp_path) -> None:
    rows = list(csv.reader(io.StringIO(HEADER + SAMPLES)))
    turned = [[row[0], *reversed(row[1:])] for row in rows]
    text = "\n".join(",".join(row) for row in turned)
    first, second = read(HEADER + SAMPLES), read(text)
    again = second.aligned_to(first.topology, first.features)
    np.testing.assert_array_equal(again.telemetry.values, first.values)
    assert again.missing_nodes == again.missing_features == ()


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "unix_timestamp,,,\n" + SAMPLES,
        HEADER + ",,,\n" + SAMPLES,
        "\ufeff" + HEADER + SAMPLES,
        (HEADER + SAMPLES).replace("\n", "\r\n"),
        HEADER + SAMPLES + "\n\n,,,\n",
        HEADER.replace("microservice", "").replace("metric", "").replace("statistic", "") + SAMPLES,
        HEADER.replace("front", " front ").replace("latency", '"latency"') + SAMPLES,
        HEADER.replace("microservice", "Microservice") + SAMPLES.replace(",,", ", ,"),
        HEADER + SAMPLES.replace(",,", ",NaN,").replace("97,", "97,nan"),
        HEADER
        + SAMPLES.replace("100,", "1970-01-01T00:01:40Z,", 1)
        .replace("160,", "1970-01-01 00:02:40,")
        .replace("220,", "1970-01-01T02:03:40.000+02:00,"),
        HEADER + SAMPLES.replace("100,", "1.0e2,", 1).replace("160,", "160.0,"),
    ],
)
def test_what_writers_of_csv_differ_in_makes_no_difference(read, text) -> None:
    telemetry, expected = read(text), read(HEADER + SAMPLES)
    assert telemetry.topology == expected.topology
    assert telemetry.features == expected.features
    np.testing.assert_array_equal(telemetry.instants, expected.instants)
    np.testing.assert_array_equal(telemetry.values, expected.values)


def test_a_compressed_file_is_the_same(read) -> None:
    packed = read(lzma.compress((HEADER + SAMPLES).encode()), "metrics.csv.xz")
    np.testing.assert_array_equal(packed.values, read(HEADER + SAMPLES).values)


def test_a_name_may_hold_commas_quotes_and_other_scripts(read) -> None:
    header = HEADER.replace("cart", '"cart, the ""second"" · корзина"')
    assert read(header + SAMPLES).topology.nodes == ("front", 'cart, the "second" · корзина')


def test_the_header_alone_names_the_components(tmp_path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEADER)
    assert read_node_names(path) == ("front", "cart")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "empty_file", ["metrics.csv"]),
        ("\n\n  \n", "empty_file", ["metrics.csv"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not_text", ["line 1"]),
        (HEADER.encode() + b"100,\xff,1,1\n", "not_text", ["line 4", "byte 5"]),
        ((HEADER + SAMPLES).encode("utf-16"), "not_text", ["line 1"]),
        (HEADER.encode() + b"100,1,1,1\n160,1\0,1,1\n", "not_text", ["line 5", "zero byte"]),
        (HEADER + '100,"0.5,99,0.1\n', "not_csv", ["line 4"]),
        (HEADER + "100,0." + "5" * 200_000 + ",99,0.1\n", "not_csv", ["line 4"]),
        ("100,1,1,1\n160,2,2,2\n220,3,3,3\n", "bad_header", ["line 1", "'microservice'"]),
        (HEADER.replace("metric,", "measure,") + SAMPLES, "bad_header", ["line 2", "'measure'"]),
        ("\n".join(HEADER.splitlines()[:2]) + "\n", "bad_header", ["only 2 of 3"]),
        (
            "\n".join(HEADER.splitlines()[:2]) + "\n" + SAMPLES,
            "bad_header",
            ["line 3", "'statistic'", "'100'"],
        ),
        (HEADER.replace(",", ";") + SAMPLES.replace(",", ";"), "bad_header", ["line 1"]),
        ("microservice\nmetric\nstatistic\n100\n", "bad_header", ["no column"]),
        (HEADER.replace("front,cart", "front") + SAMPLES, "bad_header", ["3, 4, 4 cells"]),
        (HEADER.replace("front,cart", ",cart") + SAMPLES, "bad_header", ["line 1", "column 3"]),
        (HEADER.replace("availability", "") + SAMPLES, "bad_header", ["line 2", "column 3"]),
        (HEADER + "100,0.5,99\n", "ragged_row", ["line 4", "3 cells", "has 4"]),
        (HEADER + SAMPLES + "280,1,1,1,1\n", "ragged_row", ["line 7", "5 cells"]),
        (
            HEADER + "100,0.5,99,fast\n",
            "not_a_number",
            ["line 4", "column 4", "cart", "latency", "p95", "'fast'"],
        ),
        (HEADER + SAMPLES + "280,1_000,1,1\n", "not_a_number", ["line 7", "column 2", "'1_000'"]),
        (HEADER + "100,NULL,1,1\n", "not_a_number", ["'NULL'"]),
        (HEADER + '100,"0,5",1,1\n', "not_a_number", ["'0,5'"]),
        (HEADER + "100,inf,1,1\n", "not_finite", ["line 4", "column 2", "front"]),
        (HEADER + "100,1,1,-Infinity\n", "not_finite", ["line 4", "column 4", "cart"]),
        (HEADER + "100,1,1,1e999\n", "not_finite", ["line 4", "column 4"]),
        (HEADER + SAMPLES + "280,-0.1,1,1\n", "wrong_unit", ["line 7", "column 2", "-0.1", "0 s"]),
        (
            HEADER + "100,1,100.5,1\n",
            "wrong_unit",
            ["line 4", "column 3", "availability", "100.5", "0 to 100 %"],
        ),
        (HEADER.replace("cart", "front") + SAMPLES, "duplicate_column", ["column 4", "column 2"]),
        (
            HEADER.replace("cart\nmetric,latency,", "cart\nmetric,Latency,") + SAMPLES,
            "duplicate_column",
            ["column 4", "also written 'Latency p95'"],
        ),
        (HEADER + ",0.5,99,0.1\n", "bad_instant", ["line 4", "column 1", "empty"]),
        (HEADER + "yesterday,0.5,99,0.1\n", "bad_instant", ["line 4", "'yesterday'"]),
        (HEADER + "nan,0.5,99,0.1\n", "bad_instant", ["line 4"]),
        (HEADER + "1693922400000,1,1,1\n", "bad_instant", ["line 4", "milliseconds"]),
        (HEADER + SAMPLES + "unix_timestamp,,,\n", "bad_instant", ["line 7"]),
        (HEADER + SAMPLES + "220,1,1,1\n", "duplicate_instant", ["line 7", "line 6"]),
        (HEADER + SAMPLES + "190,1,1,1\n", "unsorted_instants", ["line 7", "line 6"]),
        (HEADER + SAMPLES + "250,1,1,1\n", "irregular_step", ["line 7", "30 s", "60 s"]),
        (HEADER + SAMPLES + "310,1,1,1\n", "irregular_step", ["line 7", "90 s", "60 s"]),
    ],
)
def test_bad_input_is_refused_with_its_place(read, text, code, words) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    error = caught.value
    assert error.code == f"telemetry.{code}"
    said = f"{error} {error.reason}"
    assert "metrics.csv" in str(error)
    assert [word for word in words if word.lower() not in said.lower()] == []
    assert error.fix
    assert error.exit_status == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEADER, "empty_recording"),
        (HEADER + "unix_timestamp,,,\n", "empty_recording"),
        (HEADER + "100,,,\n160,NaN,,\n", "no_values"),
    ],
)
def test_a_recording_without_a_value_decides_nothing(read, text, code) -> None:
    with pytest.raises(NotYetKnownError) as caught:
        read(text)
    assert caught.value.code == f"telemetry.{code}"
    assert caught.value.exit_status == 10


def test_an_impossible_column_says_how_much_of_it_is(read) -> None:
    with pytest.raises(UsageError) as caught:
        read(HEADER + "100,1,250,1\n160,1,99,1\n220,1,300,1\n")
    assert "2 of 3 samples" in caught.value.reason
    assert caught.value.context["microservice"] == "front"
    assert caught.value.context["line"] == 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"this is no archive",
        lzma.compress((HEADER + SAMPLES).encode())[:-20],
        lzma.compress((HEADER + SAMPLES).encode())[:40] + b"\xff" * 40,
    ],
)
def test_a_damaged_archive_is_refused(read, content) -> None:
    with pytest.raises(UsageError) as caught:
        read(content, "metrics.csv.xz")
    assert caught.value.code == "telemetry.corrupt_archive"


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_LINE_BYTES"])
def test_reading_is_bounded(read, monkeypatch, limit) -> None:
    monkeypatch.setattr(table, limit, 60)
    content = lzma.compress(b"microservice," + b"," * 10_000)
    with pytest.raises(UsageError) as caught:
        read(content, "metrics.csv.xz")
    assert caught.value.code == "telemetry.too_large"


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    path = tmp_path / "metrics.csv"
    os.mkfifo(path)
    with pytest.raises(UsageError) as caught:
        read_metrics(path)
    assert caught.value.code == "telemetry.not_a_file"


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(NotFoundError) as caught:
        read_metrics(tmp_path / "metrics.csv")
    assert caught.value.exit_status == 4


def test_a_file_that_may_not_be_read(tmp_path, unreadable) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(HEADER + SAMPLES)
    with unreadable(path), pytest.raises(NotPermittedError) as caught:
        read_metrics(path)
    assert caught.value.exit_status == 6


def test_a_folder_in_its_place(tmp_path) -> None:
    path = tmp_path / "metrics.csv"
    path.mkdir()
    with pytest.raises(OperatorError) as caught:
        read_metrics(path)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("step", [1.0, 0.25, 300.0, 3600.0])
def test_any_step_with_gaps_and_an_unsteady_clock(read, step) -> None:
    steps = [0, 1, 2, 3.04, 4, 7, 8, 9, 10, 11, 12.02, 13]
    rows = "".join(f"{1e9 + step * number},1,1,1\n" for number in steps)
    telemetry = read(HEADER + rows)
    assert telemetry.step_s == pytest.approx(step)
    assert [gap.missing_samples for gap in telemetry.gaps()] == [2]


def test_a_recorder_that_was_restarted_may_have_another_beat(read) -> None:
    text = HEADER + SAMPLES + "2055,1,1,1\n2115,1,1,1\n"
    assert [gap.missing_samples for gap in read(text).gaps()] == [30]


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda name: name == name.strip() and name
)
cells = st.one_of(st.none(), st.floats(0, 1e12))


@st.composite
def recordings(draw):
    nodes = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    metrics = draw(
        st.lists(names, min_size=1, max_size=3, unique_by=lambda name: name.split()[0].lower())
    )
    columns = draw(
        st.lists(
            st.tuples(st.sampled_from(nodes), st.sampled_from(metrics)),
            min_size=1,
            max_size=8,
            unique=True,
        )
    )
    step = draw(st.sampled_from([1, 15, 300, 3600]))
    start = draw(st.integers(0, 2_000_000_000))
    instants = [start + step * number for number in range(draw(st.integers(1, 12)))]
    rows = [[draw(cells) for _ in columns] for _ in instants]
    return columns, instants, rows


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(recordings(), st.booleans())
def test_what_was_written_is_read_back(recording, packed) -> None:
    columns, instants, rows = recording
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["microservice", *(node for node, _ in columns)])
    writer.writerow(["metric", *(f"x {metric} y" for _, metric in columns)])
    writer.writerow(["statistic", *("Median" for _ in columns)])
    for instant, row in zip(instants, rows, strict=True):
        writer.writerow([instant, *("" if cell is None else repr(cell) for cell in row)])
    content = text.getvalue().encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("metrics.csv.xz" if packed else "metrics.csv")
        path.write_bytes(lzma.compress(content) if packed else content)
        if all(cell is None for row in rows for cell in row):
            with pytest.raises(NotYetKnownError):
                read_metrics(path)
            return
        telemetry = read_metrics(path)
    assert telemetry.instants.tolist() == instants
    place = {feature.quantity: number for number, feature in enumerate(telemetry.features)}
    measured = np.zeros(telemetry.values.shape, dtype=bool)
    for number, (node, metric) in enumerate(columns):
        series = telemetry.topology.index_of(node), slice(None), place[f"x {metric} y"]
        expected = [np.nan if row[number] is None else row[number] for row in rows]
        np.testing.assert_array_equal(telemetry.values[series], expected)
        measured[series] = True
    assert np.isnan(telemetry.values[~measured]).all()


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200), st.booleans())
def test_damage_is_an_answer_and_never_a_crash(noise, place, keep_rest) -> None:
    content = (HEADER + SAMPLES).encode()
    rest = content[place + len(noise) :] if keep_rest else b""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.csv"
        path.write_bytes(content[:place] + noise + rest)
        try:
            telemetry = read_metrics(path)
        except OperatorError as caught:
            error = caught
        else:
            assert not np.isinf(telemetry.values).any()
            return
    assert error.exit_status in {2, 10}
    assert str(path) in str(error)
