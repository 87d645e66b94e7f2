from __future__ import annotations

import copy
import inspect
import json
import pickle
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from x0tta_cli.core import errors, secrets
from x0tta_cli.core.errors import ExitStatus, OperatorError, UnavailableError, first_of


@pytest.mark.parametrize("status", list(ExitStatus))
def test_alone_each_status_stands(status):
    assert first_of([status]) is status


def test_no_outcome_is_done():
    assert first_of([]) is ExitStatus.DONE


def test_gravest_outcome_wins_in_any_order():
    order = [1, 9, 6, 8, 5, 7, 4, 3, 10, 0]
    for index in range(len(order) - 1):
        for statuses in permutations(order[index : index + 3]):
            assert first_of(statuses) == order[index]


def test_a_signal_goes_before_every_outcome():
    assert first_of([1, 143, 0]) == 143
    assert first_of([9, 130]) == 130


def test_a_usage_error_stands_behind_a_defect_alone():
    assert first_of([9, 2]) == 2
    assert first_of([2, 1]) == 1


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match="77"):
        first_of([77])


def test_every_subclass_stands_in_the_drawn_tree_with_its_status():
    drawn = errors.__doc__ or ""
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, OperatorError) and kind is not OperatorError:
            lines = [line for line in drawn.splitlines() if f" {name} " in line]
            assert len(lines) == 1
            assert f" {int(kind.exit_status)} " in lines[0]


def test_problem_is_one_json_object_of_rfc_9457():
    error = UnavailableError(
        "http.timed_out",
        "It took too long.",
        reason="Slow.",
        fix="Wait.",
        retryable=True,
        context={"at": datetime(2026, 1, 1, tzinfo=UTC), "file": Path("/x"), "ratio": float("nan")},
    )
    problem = json.loads(json.dumps(error.problem(), allow_nan=False))
    assert problem == {
        "type": "urn:x0tta:error:http.timed_out",
        "title": "A server took too long",
        "detail": "It took too long.",
        "exit_status": 7,
        "code": "http.timed_out",
        "reason": "Slow.",
        "fix": "Wait.",
        "retryable": True,
        "context": {"at": "2026-01-01 00:00:00+00:00", "file": "/x", "ratio": None},
    }


def test_no_part_of_an_error_shows_a_secret():
    secrets.register("hunter2-hunter2")
    error = UnavailableError(
        "http.unreachable",
        "GET https://hunter2-hunter2@example.org",
        reason="Bearer hunter2-hunter2",
        fix="curl hunter2-hunter2",
        context={"deep": [{"value": "hunter2-hunter2"}], "token": "another-one"},
    )
    shown = json.dumps(error.problem()) + str(error) + error.reason + error.fix
    assert "hunter2" not in shown
    assert "another-one" not in shown


@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_can_be_copied_and_passed_between_processes(duplicate):
    error = UnavailableError("a.b", "What.", reason="Why.", fix="How.", retryable=True)
    assert duplicate(error).problem() == error.problem()
    assert type(duplicate(error)) is UnavailableError
