"""The configuration as a whole: everything that is wrong with it, not only the first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from x0tta_cli.core.config import complaints
from x0tta_cli.core.config.layers import (
    HOUSE_VARIABLES,
    PREFIX,
    PROFILES,
    Given,
    Place,
    exists,
    near_misses,
    profiles_of,
    read_file,
    variable,
    with_profile,
)
from x0tta_cli.core.config.sections import read_section, tables_of
from x0tta_cli.core.errors import ConfigurationError, NotFoundError, OperatorError

if TYPE_CHECKING:
    from pydantic import BaseModel

Models = Mapping[str, "type[BaseModel]"]


def problems_of(
    places: Sequence[Place], profile: str | None, environ: Mapping[str, str], models: Models
) -> list[OperatorError]:
    """Check every file with all its profiles, the environment, and what they add up to."""
    tables, found = _read_all(places)
    for table in tables:
        found += problems_of_table(table, models)
    try:
        layers = with_profile(tables, profile)
    except ConfigurationError as problem:
        found.append(problem)
        layers = tables
    found += problems_of_variables(environ, models)
    for name, model in models.items():
        # A section that nobody writes is not in use, and may lack what has no default.
        if tables_of(name, layers) or _has_variables(name, environ):
            found += read_section(name, model, layers, environ).problems
    return distinct(found)


def problems_of_place(place: Place, models: Models) -> list[OperatorError] | None:
    """Check one file by itself, as `problems_of_table`; None where it is not there."""
    try:
        if not place.is_named and not exists(place.path):
            return None
        return problems_of_table(read_file(place.path), models)
    except NotFoundError:
        return None
    except OperatorError as problem:
        return [problem]


def problems_of_table(table: Given, models: Models) -> list[OperatorError]:
    """Check one file by itself, each of its profiles too; what it leaves to others is no problem.

    Secrets are not fetched: where they are may be right for another machine or profile.
    """
    found = _problems_of_profiles(table)
    for layer in [table, *profiles_of(table)]:
        found += [
            complaints.unknown_section(name, layer.source, list(models))
            for name in layer.value
            if name not in models and name != PROFILES
        ]
        for name, model in models.items():
            fitted = read_section(name, model, [layer], {}, fetches_secrets=False)
            found += [problem for problem in fitted.problems if "source" in problem.context]
    return sorted(found, key=_line)


def distinct(problems: Iterable[OperatorError]) -> list[OperatorError]:
    """Leave out what was already said."""
    return list({identity(problem): problem for problem in problems}.values())


def identity(problem: OperatorError) -> tuple[str, str, str]:
    """Tell one problem from another."""
    return problem.code, str(problem), problem.reason


def _line(problem: OperatorError) -> int:
    line = problem.context.get("line")
    return line if isinstance(line, int) else 0


def _read_all(places: Sequence[Place]) -> tuple[list[Given], list[OperatorError]]:
    tables, found = [], []
    for place in places:
        try:
            if place.is_named or exists(place.path):
                tables.append(read_file(place.path))
        except OperatorError as problem:
            found.append(problem)
    return tables, found


def _problems_of_profiles(table: Given) -> list[OperatorError]:
    profiles = table.value.get(PROFILES, {})
    expected = f"It should be a table of sections: [{PROFILES}.NAME.SECTION]."
    if not isinstance(profiles, dict):
        return [complaints.bad_value((PROFILES,), Given(profiles, table.source), expected)]
    return [
        complaints.bad_value((PROFILES, name), Given(value, table.source), expected)
        for name, value in profiles.items()
        if not isinstance(value, dict)
    ]


def problems_of_variables(
    environ: Mapping[str, str], sections: Collection[str]
) -> list[OperatorError]:
    """Find the variables that mean us and that no section will ever read."""
    meant = {missed for name in sections for missed in near_misses(name, environ)}
    problems: list[OperatorError] = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in HOUSE_VARIABLES or name in meant:
            continue
        section, separator, _ = name.removeprefix(PREFIX).partition("__")
        if not separator:
            problems.append(complaints.stray(name))
        elif section.lower() not in sections:
            problems.append(complaints.unknown_variable(name, list(sections)))
    return problems


def _has_variables(section: str, environ: Mapping[str, str]) -> bool:
    return any(name.startswith(f"{variable((section,))}__") for name in environ)
