"""One section: its layers out of files, environment and options, fitted to its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from x0tta_cli.core.config import complaints
from x0tta_cli.core.config.layers import OPTION, Given, from_environment, near_misses
from x0tta_cli.core.config.typed import Fitted, fit
from x0tta_cli.core.errors import ConfigurationError, OperatorError

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


def read_section(
    name: str,
    model: type[Model],
    tables: Sequence[Given],
    environ: Mapping[str, str],
    options: Mapping[str, object] | None = None,
    *,
    fetches_secrets: bool = True,
) -> Fitted[Model]:
    """Fit what was given for one section to its model; `tables` have the weakest first."""
    problems: list[OperatorError] = [
        complaints.near_miss(variable_name, name, list(model.model_fields))
        for variable_name in near_misses(name, environ)
    ]
    layers = []
    for layer in tables_of(name, tables):
        if isinstance(layer.value, dict):
            layers.append(layer)
        else:
            problems.append(
                complaints.bad_value((name,), layer, f"It should be a table: [{name}].")
            )
    try:
        variables = from_environment(name, environ)
    except ConfigurationError as problem:
        problems.append(problem)
    else:
        layers += [variables] if variables else []
    given = {key: value for key, value in (options or {}).items() if value is not None}
    layers += [Given(given, OPTION)] if given else []
    fitted = fit(name, model, layers, environ if fetches_secrets else None)
    if not problems:
        return fitted
    return replace(fitted, settings=None, problems=(*problems, *fitted.problems))


def tables_of(name: str, tables: Sequence[Given]) -> list[Given]:
    """Give what each table has under the name of a section, which may be no table itself."""
    return [Given(table.value[name], table.source) for table in tables if name in table.value]
