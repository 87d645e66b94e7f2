from __future__ import annotations

import pytest

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.graph_reader import read_graph

MATRIX = ",front,cart,store\nfront,0,1,0\ncart,0,0,2.5\nstore,0,0,0\n"


@pytest.fixture
def read(tmp_path):
    def read_text(text: str, measured=("front", "cart", "store")):
        path = tmp_path / "graph.csv"
        path.write_text(text)
        return read_graph(path, lambda: measured)

    return read_text


def test_a_row_calls_its_columns(read) -> None:
    topology = read(MATRIX)
    assert topology.nodes == ("front", "cart", "store")
    assert topology.edges == ((0, 1), (1, 2))


def test_rows_may_stand_in_another_order_than_columns(read) -> None:
    lines = MATRIX.splitlines()
    assert read("\n".join([lines[0], *reversed(lines[1:])])).callees(1) == (2,)


def test_a_matrix_may_name_what_was_never_measured(read) -> None:
    assert read(MATRIX, measured=()).nodes == ("front", "cart", "store")


def test_a_component_may_call_itself(read) -> None:
    topology = read(",a\na,1\n")
    assert topology.edges == ((0, 0),)
    assert topology.callees(0) == ()


def test_a_list_of_calls_is_the_same_graph(read) -> None:
    topology = read("caller,callee\nfront,cart\ncart,store\nfront,cart\n")
    assert topology.nodes == ("front", "cart", "store")
    assert topology.edges == ((0, 1), (1, 2))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "empty_file", ["graph.csv"]),
        ("front\ncart\n", "bad_graph", ["line 1"]),
        (MATRIX.replace(",front", ",", 1), "bad_graph", ["line 1", "column 2"]),
        (MATRIX.replace("\ncart,", "\n,"), "bad_graph", ["line 3", "column 1"]),
        (
            MATRIX.replace("cart,store\n", "front,store\n"),
            "duplicate_node",
            ["line 1", "column 3", "'front'", "column 2"],
        ),
        (MATRIX.replace("\ncart,", "\nfront,"), "duplicate_node", ["line 3", "'front'", "line 2"]),
        (MATRIX + "ghost,0,1,0\n", "unknown_node", ["line 5", "'ghost'", "no column"]),
        (MATRIX.replace("\nstore,0,0,0", ""), "unknown_node", ["line 1", "'store'", "no row"]),
        (MATRIX.replace("cart,store", "kart,store"), "unknown_node", ["line 3", "'cart'"]),
        (MATRIX.replace("front,0,1,0", "front,0,1"), "ragged_row", ["line 2", "3 cells", "has 4"]),
        (MATRIX.replace("2.5", "-1"), "negative_edge", ["line 3", "column 4", "cart → store"]),
        (MATRIX.replace("2.5", "yes"), "not_a_number", ["line 3", "column 4", "'yes'"]),
        (MATRIX.replace("2.5", ""), "not_a_number", ["line 3", "column 4"]),
        (MATRIX.replace("2.5", "nan"), "not_a_number", ["line 3", "column 4"]),
        (MATRIX.replace("2.5", "inf"), "not_a_number", ["line 3", "column 4"]),
        ("caller,callee\nfront,ghost\n", "unknown_node", ["line 2", "'ghost'"]),
        ("caller,callee\nfront,cart,3\n", "ragged_row", ["line 2", "3 cells"]),
    ],
)
def test_bad_input_is_refused_with_its_place(read, text, code, words) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    error = caught.value
    assert error.code == f"telemetry.{code}"
    said = f"{error} {error.reason}"
    assert "graph.csv" in str(error)
    assert [word for word in words if word.lower() not in said.lower()] == []
    assert error.fix
