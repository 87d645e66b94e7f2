"""The configuration of one command line: read when first asked for, section by section."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from x0tta_cli.core.config.layers import (
    ENVIRONMENT,
    OPTION,
    PREFIX,
    PROFILES,
    Given,
    KeyPath,
    from_environment,
    near_misses,
    read_files,
    with_profile,
)
from x0tta_cli.core.errors import OperatorError

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


@dataclass(frozen=True, slots=True)
class Origin:
    """A value as it may be shown, and where it comes from.

    `source` is "option", "environment X0TTA_DRILL__SEED", a file, a file with its profile, or
    "default". A secret's value is never in it.
    """

    value: str
    source: str


def load(
    path: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Configuration:
    """Give the configuration of `--config` and `--profile`; reads nothing yet, raises nothing."""
    return Configuration(path, profile or environ.get("X0TTA_PROFILE") or None, environ)


class Configuration:
    """Typed sections and their origins; see the package's docstring for what overrides what."""

    def __init__(self, path: Path | None, profile: str | None, environ: Mapping[str, str]) -> None:
        self._path, self._profile, self._environ = path, profile, environ
        self._layers: list[Given] | None = None
        self._models: dict[str, type[BaseModel]] = {}

    def section(
        self, name: str, model: type[Model], options: Mapping[str, object] | None = None
    ) -> Model:
        """Read one section as its model; `options` of the command line win, None is not given.

        Raises ConfigurationError `config.*` and `secrets.missing` (9), NotPermittedError
        `secrets.exposed` (6), `files.not_found` (4) and `files.not_readable` (6).
        """
        return self._fitted(name, model, options)[0]

    def origin(self, key: str) -> Origin:
        """Tell where the value of `drill.seed` comes from, once its section has been read.

        Raises KeyError for a key that the section's model does not have.
        """
        section = key.partition(".")[0]
        return self.origins(section, self._models[section])[key]

    def origins(
        self, name: str, model: type[BaseModel], options: Mapping[str, object] | None = None
    ) -> dict[str, Origin]:
        """Tell for each key of a section what it is and where it comes from."""
        settings, given = self._fitted(name, model, options)
        return {
            ".".join(path): _origin(path, value, given)
            for path, value in _walk(settings, (name,), given)
        }

    def check(self, models: Mapping[str, type[BaseModel]]) -> list[OperatorError]:
        """Check the configuration as a whole; an empty list says that all is well.

        Other than `section`, it also finds sections that no model has.
        """
        from x0tta_cli.core.config import complaints

        try:
            found: list[OperatorError] = [
                complaints.unknown_section(name, layer.source, list(models))
                for layer in [*self._read(), self._all_variables()]
                for name in layer.value
                if name not in models and name != PROFILES
            ]
        except OperatorError as error:
            return [error]
        for name, model in models.items():
            try:
                self.section(name, model)
            except OperatorError as error:
                found.append(error)
        return found

    def _fitted(
        self, name: str, model: type[Model], options: Mapping[str, object] | None
    ) -> tuple[Model, dict[KeyPath, Given]]:
        from x0tta_cli.core.config import complaints
        from x0tta_cli.core.config.typed import fit

        for variable_name in near_misses(name, self._environ):
            raise complaints.near_miss(variable_name, name, list(model.model_fields))
        layers = [
            Given(layer.value[name], layer.source) for layer in self._read() if name in layer.value
        ]
        for layer in layers:
            if not isinstance(layer.value, dict):
                raise complaints.bad_value((name,), layer, f"It should be a table: [{name}].")
        if (variables := from_environment(name, self._environ)) is not None:
            layers.append(variables)
        given = {key: value for key, value in (options or {}).items() if value is not None}
        if given:
            layers.append(Given(given, OPTION))
        self._models[name] = model
        return fit(name, model, layers, self._environ)

    def _read(self) -> list[Given]:
        if self._layers is None:
            self._layers = with_profile(read_files(self._path, self._environ), self._profile)
        return self._layers

    def _all_variables(self) -> Given:
        names = {
            name.removeprefix(PREFIX).partition("__")[0].lower()
            for name in self._environ
            if name.startswith(PREFIX) and "__" in name
        }
        return Given(dict.fromkeys(sorted(names)), ENVIRONMENT)


def _walk(
    settings: BaseModel, path: KeyPath, given: Mapping[KeyPath, Given]
) -> Iterator[tuple[KeyPath, Any]]:
    """Visit each key that has a value of its own: nested tables are entered."""
    from pydantic import BaseModel

    extra = settings.model_extra or {}
    for name in [*type(settings).model_fields, *extra]:
        value, place = getattr(settings, name), (*path, name)
        if isinstance(value, BaseModel):
            yield from _walk(value, place, given)
        elif isinstance(value, dict) and any(key[:-1] == place for key in given):
            yield from (((*place, key), item) for key, item in value.items())
        else:
            yield place, value


def _origin(path: KeyPath, value: Any, given: Mapping[KeyPath, Given]) -> Origin:
    found = given.get(path)
    source = found.source.name(path) if found else "default"
    from x0tta_cli.core.config.references import is_reference

    written = found.value if found and is_reference(found.value) else value
    return Origin(_shown(written), source)


def _shown(value: Any) -> str:
    """Write a value as TOML would, but for tables within lists; secrets are hidden."""
    import json
    from datetime import timedelta
    from enum import Enum

    from pydantic import SecretStr

    from x0tta_cli.core.secrets import HIDDEN, json_form
    from x0tta_cli.core.times import format_duration

    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, dict) and len(value) == 1:
        [(kind, name)] = value.items()
        return f'{{ {kind} = "{name}" }}'
    return json.dumps(json_form(value.value if isinstance(value, Enum) else value))
