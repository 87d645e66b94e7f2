"""Every code that the source raises is in the catalogue, and the other way round."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import x0tta_cli
from x0tta_cli.core import errors
from x0tta_cli.core.catalogue import CATALOGUE
from x0tta_cli.core.doctor import Finding
from x0tta_cli.core.errors import OperatorError

SOURCE = Path(x0tta_cli.__file__).parent
AREAS = (
    "house",
    "terminal",
    "doctor",
    "telemetry",
    "ebpf",
    "ml",
    "pay",
    "alert",
    "drill",
    "flags",
)
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, OperatorError) and kind is not OperatorError
} | {"Finding": Finding}


@cache
def raised() -> tuple[tuple[str, str, int], ...]:
    """Give code, place and exit status of every error that the source makes; read once."""
    return tuple(found())


def found() -> Iterator[tuple[str, str, int]]:
    for path in sorted(SOURCE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call):
                continue
            name = (
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            )
            if name == "Finding" and "core.doctor" not in source:
                # Another noun of the same name.
                continue
            if name in KINDS:
                place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                for code in codes_of(node, place):
                    yield code, place, int(KINDS[name].exit_status)


def codes_of(call: ast.Call, place: str) -> list[str]:
    assert call.args, f"{place}: the code has to be the first argument"
    choices = [call.args[0]]
    while any(isinstance(choice, ast.IfExp) for choice in choices):
        choices = [
            part
            for choice in choices
            for part in (
                [choice.body, choice.orelse] if isinstance(choice, ast.IfExp) else [choice]
            )
        ]
    for choice in choices:
        is_text = isinstance(choice, ast.Constant) and isinstance(choice.value, str)
        assert is_text, f"{place}: the code has to be written out"
    return [choice.value for choice in choices]


def test_every_code_that_is_raised_is_explained():
    missing = {f"{code} ({place})" for code, place, _ in raised() if code not in CATALOGUE}
    assert not missing


def test_every_explained_code_is_raised():
    assert not set(CATALOGUE) - {code for code, _, _ in raised()}


def test_status_of_a_code_is_the_same_wherever_it_is_raised():
    wrong = {
        f"{code} ({place}) ends with {status}, catalogued as {int(CATALOGUE[code].status)}"
        for code, place, status in raised()
        if code in CATALOGUE and CATALOGUE[code].status != status
    }
    assert not wrong


@pytest.mark.parametrize("area", AREAS)
def test_an_area_is_sorted_and_has_no_code_twice(area):
    entries = importlib.import_module(f"x0tta_cli.core.catalogue.{area}").ENTRIES
    codes = [entry.code for entry in entries]
    assert codes == sorted(set(codes))


def test_areas_share_no_code():
    modules = [importlib.import_module(f"x0tta_cli.core.catalogue.{area}") for area in AREAS]
    assert len(CATALOGUE) == sum(len(module.ENTRIES) for module in modules)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.code)
def test_an_entry_says_all_that_an_operator_needs(entry):
    assert re.fullmatch(r"internal|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", entry.code)
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.cause.endswith((".", "?"))
    assert entry.mend.endswith((".", "?"))
    assert entry.example
