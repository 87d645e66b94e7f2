"""Results as JSON, rows and fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path

import numpy as np
import pytest

from x0tta_cli.terminal.records import known_fields, plain, rows_of, selected


@dataclass(frozen=True, slots=True)
class Row:
    node: str
    score: float


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    parts: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.parts


@dataclass(frozen=True, slots=True)
class Bare:
    name: str


class Kind(Enum):
    ONE = "one"


class Status(IntEnum):
    NO = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Result("a", (Row("n", 0.5),)), {"name": "a", "parts": [{"node": "n", "score": 0.5}]}),
        (Kind.ONE, "one"),
        (Status.NO, 3),
        ({Kind.ONE: Path("/x")}, {"one": "/x"}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        (timedelta(minutes=1), 60.0),
        (Decimal("0.10"), "0.10"),
        ([float("nan"), float("inf"), 1.5], [None, None, 1.5]),
        ({"b", "a"}, ["a", "b"]),
        (np.float32(0.5), 0.5),
        (np.array([1, 2]), [1, 2]),
        (True, True),
    ],
)
def test_plain(value, expected):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)


def test_what_has_no_form_in_json_is_a_defect():
    with pytest.raises(TypeError, match="bytes has no form"):
        plain({"a": b"x"})


def test_rows():
    rows = [Row("n", 1.0)]
    assert rows_of(rows) is rows
    assert rows_of(Result("a", tuple(rows))) == tuple(rows)
    assert rows_of(Bare("a")) == (Bare("a"),)


def test_fields_mean_the_rows_first_and_then_the_result():
    result = Result("a", (Row("n", 1.0),))
    assert selected(result, ["node"]) == ((Row("n", 1.0),), False)
    assert selected(result, ["name"]) == ((result,), True)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Bare, [("name",)]),
        (Result, [("node", "score"), ("name", "parts")]),
        (list[Row], [("node", "score")]),
        (tuple[Row, ...], [("node", "score")]),
        (Iterator[Row], [("node", "score")]),
        (Bare | list[Row] | None, [("name",), ("node", "score")]),
        (dict[str, int], None),
        (Bare | dict[str, int], None),
        (str, None),
    ],
)
def test_known_fields(annotation, expected):
    assert known_fields(annotation) == expected
