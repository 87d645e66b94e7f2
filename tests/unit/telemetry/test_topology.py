from __future__ import annotations

import pytest

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.telemetry.topology import Topology


def test_neighbours_are_named_by_direction() -> None:
    topology = Topology.from_calls(
        ["front", "cart", "store"], [("front", "cart"), ("front", "store"), ("cart", "store")]
    )
    assert topology.callees(0) == (1, 2)
    assert topology.callers(2) == (0, 1)
    assert topology.callers(0) == ()


def test_a_component_that_calls_itself_is_not_its_own_neighbour() -> None:
    topology = Topology(("front", "cart"), ((0, 0), (0, 1)))
    assert topology.edges == ((0, 0), (0, 1))
    assert topology.callees(0) == (1,)
    assert topology.callers(0) == ()


def test_hops_are_counted_along_calls_and_through_cycles() -> None:
    topology = Topology(("a", "b", "c", "alone"), ((0, 1), (1, 2), (2, 0)))
    assert topology.hops_from(0) == (0, 1, 2, None)
    assert topology.hops_from(2) == (1, 2, 0, None)


def test_added_components_stand_at_the_end_once() -> None:
    topology = Topology(("a", "b"), ((0, 1),)).with_nodes(["b", "z", "c", "z"])
    assert topology.nodes == ("a", "b", "z", "c")
    assert topology.edges == ((0, 1),)


def test_a_call_named_twice_is_one_edge() -> None:
    assert Topology.from_calls(["a", "b"], [("a", "b"), ("a", "b")]).edges == ((0, 1),)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Topology(("a", "b", "a")), "telemetry.duplicate_node"),
        (lambda: Topology(("a", "b"), ((0, 2),)), "telemetry.unknown_node"),
        (lambda: Topology(("a", "b"), ((-1, 0),)), "telemetry.unknown_node"),
        (lambda: Topology.from_calls(["a"], [("a", "ghost")]), "telemetry.unknown_node"),
    ],
)
def test_what_cannot_be_a_topology(make, code) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert caught.value.code == code


def test_an_edge_twice_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="twice"):
        Topology(("a", "b"), ((0, 1), (0, 1)))


def test_an_unknown_name_is_answered_with_a_near_one() -> None:
    topology = Topology(("checkout", "cart"))
    assert topology.index_of("cart") == 1
    with pytest.raises(NotFoundError) as caught:
        topology.index_of("chekout")
    assert caught.value.code == "telemetry.no_such_node"
    assert "'checkout'" in caught.value.reason
