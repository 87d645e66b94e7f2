from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.ml.canonical import canonical_order, colours_of


@given(st.permutations(range(7)), st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_the_order_is_of_contents_and_calls_whatever_the_order_given(order, calls):
    # Three pairs of equal contents: only the calls can tell them apart.
    values = np.repeat(np.arange(4.0), 2)[:7].reshape(7, 1)
    place = {node: number for number, node in enumerate(order)}
    moved = [(place[caller], place[callee]) for caller, callee in calls]
    straight = colours_of(values, sorted(calls))
    turned = colours_of(values[list(order)], moved)
    assert [turned[place[node]] for node in range(7)] == list(straight)


def test_equal_components_share_a_colour_until_a_neighbour_differs():
    values = np.array([[1.0], [1.0], [1.0], [2.0]])
    assert len(set(colours_of(values[:3], []))) == 1
    assert len(set(colours_of(values, [(0, 3)]))) == 3
    assert len(set(colours_of(values, [(0, 1), (1, 2), (2, 3)]))) == 4


def test_missing_values_and_negative_zeros_have_one_form():
    values = np.array([[np.nan, 0.0], [np.nan, -0.0]])
    assert len(set(colours_of(values, []))) == 1


def test_the_order_holds_each_component_once():
    values = np.random.default_rng(0).normal(size=(9, 2))
    assert sorted(canonical_order(values, [(0, 1), (1, 0), (2, 2)])) == list(range(9))
