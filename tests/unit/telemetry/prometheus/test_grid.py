from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.prometheus.grid import MAX_INSTANTS, Grid

LATER = 4e9
STEPS_MS = st.one_of(st.integers(1, 5000), st.sampled_from([15_000, 60_000, 300_000]))


@given(start_ms=st.integers(-(10**12), 2 * 10**12), length=st.integers(0, 500), step_ms=STEPS_MS)
def test_the_grid_holds_every_multiple_of_the_step_and_nothing_else(
    start_ms, length, step_ms
) -> None:
    end_ms = start_ms + length * step_ms + step_ms
    grid = Grid.between(start_ms / 1000, end_ms / 1000, step_ms / 1000, now=LATER)
    expected = (
        [ms for ms in range(start_ms, end_ms + 1) if ms % step_ms == 0]
        if (end_ms - start_ms < 20_000)
        else list(range(-(-start_ms // step_ms) * step_ms, end_ms + 1, step_ms))
    )
    assert np.rint(grid.instants * 1000).astype(int).tolist() == expected
    assert grid.step_s == step_ms / 1000


@given(first=st.integers(0, 10**9), step_ms=STEPS_MS, size=st.integers(1, 3000), data=st.data())
def test_parts_cover_the_grid_once(first, step_ms, size, data) -> None:
    grid = Grid(first * step_ms, step_ms, size)
    at_most = data.draw(st.integers(1, size + 10))
    instants = [
        instant
        for position in range(0, size, at_most)
        for instant in grid.part(position, at_most).instants
    ]
    assert instants == grid.instants.tolist()


@given(first=st.integers(-(10**9), 10**9), step_ms=STEPS_MS, size=st.integers(1, 300))
def test_what_is_asked_for_is_the_grid(first, step_ms, size) -> None:
    grid = Grid(first * step_ms, step_ms, size)
    params = {name: round(float(text) * 1000) for name, text in grid.params().items()}
    assert params == {
        "start": grid.first_ms,
        "end": grid.first_ms + (size - 1) * step_ms,
        "step": step_ms,
    }


@given(step_ms=STEPS_MS, size=st.integers(1, 200), data=st.data())
def test_points_are_found_again_in_any_order(step_ms, size, data) -> None:
    grid = Grid(1_700_000_000_000 // step_ms * step_ms, step_ms, size)
    order = data.draw(st.permutations(range(size)))
    assert grid.places(grid.instants[order]).tolist() == order


def test_overlapping_readings_have_the_same_instants() -> None:
    early = Grid.between(1000.3, 1100.9, 15, now=LATER).instants
    late = Grid.between(1044.0, 1200.0, 15, now=LATER).instants
    assert early.tolist() == [1005, 1020, 1035, 1050, 1065, 1080, 1095]
    assert set(early[early >= 1044]) <= set(late)


def test_the_grid_ends_with_the_present() -> None:
    assert Grid.between(1000, 2000, 10, now=1055).instants[-1] == 1050


@pytest.mark.parametrize(
    ("start", "end", "step_s", "words"),
    [
        (100, 50, 1, "before the start"),
        (100, 101, 0, "whole number of milliseconds"),
        (100, 101, -1, "whole number of milliseconds"),
        (100, 101, 0.0005, "whole number of milliseconds"),
        (100, 101, 0.0125, "whole number of milliseconds"),
        (101, 109, 10, "shorter than a step"),
        (5e9, 6e9, 10, "in the future"),
        (0, MAX_INSTANTS, 1, str(MAX_INSTANTS + 1)),
        (math.nan, 101, 1, "finite"),
        (0, math.inf, 1, "finite"),
        (0, 1, math.nan, "finite"),
        (0, 1_700_000_000_000, 60, "finite"),
    ],
)
def test_a_time_that_makes_no_grid_is_refused(start, end, step_s, words) -> None:
    with pytest.raises(UsageError) as caught:
        Grid.between(start, end, step_s, now=LATER)
    assert caught.value.code == "telemetry.bad_range"
    assert words in caught.value.reason


@pytest.mark.parametrize(
    ("instants", "words"),
    [
        ([100.0, 110.5], "110.500"),
        ([90.0], "90.000"),
        ([130.0], "130.000"),
        ([100.0, 110.0, 100.0], "two points"),
    ],
)
def test_a_point_that_was_not_asked_for_is_told(instants, words) -> None:
    with pytest.raises(ValueError, match=words):
        Grid(100_000, 10_000, 3).places(np.array(instants))
