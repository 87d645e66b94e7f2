from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.drill.report.layout import GAP, lay_out, nearest, shortest_path

HEIGHT = 30.0


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    node = st.integers(0, count - 1)
    return count, draw(st.lists(st.tuples(node, node), max_size=30, unique=True))


@given(graphs())
def test_every_call_but_to_itself_has_one_way_from_caller_to_callee(graph):
    count, edges = graph
    layout = lay_out([HEIGHT] * count, edges)
    calls = [edge for edge in edges if edge[0] != edge[1]]
    assert sorted((route.caller, route.callee) for route in layout.routes) == sorted(calls)
    for route in layout.routes:
        columns = [column for column, _ in route.points]
        assert columns[0] == layout.columns[route.caller]
        assert columns[-1] == layout.columns[route.callee]
        step = -1 if route.backward else 1
        assert columns == list(range(columns[0], columns[-1] + step, step))


@given(graphs())
def test_boxes_do_not_overlap_and_stay_inside(graph):
    count, edges = graph
    layout = lay_out([HEIGHT] * count, edges)
    assert all(0 <= column < layout.column_count for column in layout.columns)
    for centre in layout.centres:
        assert centre + 1e-6 >= HEIGHT / 2
        assert centre + HEIGHT / 2 <= layout.height + 1e-6
    for first, second in combinations(range(count), 2):
        if layout.columns[first] == layout.columns[second]:
            distance = abs(layout.centres[first] - layout.centres[second])
            assert distance >= HEIGHT + GAP - 1e-6


@given(graphs())
def test_the_same_graph_is_laid_out_the_same_way(graph):
    count, edges = graph
    assert lay_out([HEIGHT] * count, edges) == lay_out([HEIGHT] * count, edges)


def test_a_chain_is_a_straight_line_from_left_to_right():
    layout = lay_out([HEIGHT] * 4, [(0, 1), (1, 2), (2, 3)])
    assert layout.columns == (0, 1, 2, 3)
    assert len(set(layout.centres)) == 1


def test_callers_stand_next_to_what_they_call():
    layout = lay_out([HEIGHT] * 4, [(0, 1), (1, 2), (3, 2)])
    assert layout.columns == (0, 1, 2, 1)


def test_crossings_that_can_be_avoided_are_avoided():
    layout = lay_out([HEIGHT] * 4, [(0, 3), (1, 2)])
    assert (layout.centres[0] < layout.centres[1]) == (layout.centres[3] < layout.centres[2])


def test_the_call_that_closes_a_cycle_runs_backward():
    layout = lay_out([HEIGHT] * 3, [(0, 1), (1, 2), (2, 0)])
    assert [(route.caller, route.callee) for route in layout.routes if route.backward] == [(2, 0)]


def test_components_without_calls_form_a_block():
    layout = lay_out([HEIGHT] * 16, [])
    assert layout.column_count == 4
    assert {layout.columns.count(column) for column in range(4)} == {4}


def test_nothing_is_laid_out_as_nothing():
    assert lay_out([], []).height == 0


def test_the_nearest_of_the_seeds_are_chosen_first():
    edges = [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert nearest(5, [2], edges, 3) == [1, 2, 3]
    assert nearest(5, [4, 0], edges, 2) == [0, 4]
    assert nearest(3, [], [], 9) == [0, 1, 2]


def test_the_shortest_way_follows_the_direction_of_calls():
    edges = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]
    assert shortest_path(edges, 0, 4) == [(0, 3), (3, 4)]
    assert shortest_path(edges, 4, 0) == []
    assert shortest_path(edges, 2, 2) == []
