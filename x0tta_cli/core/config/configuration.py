"""The configuration of one command line: read when first asked for, section by section."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from x0tta_cli.core.config.layers import (
    HOUSE_VARIABLES,
    PREFIX,
    Given,
    KeyPath,
    Place,
    places,
    read_files,
    variable,
    with_profile,
)
from x0tta_cli.core.errors import OperatorError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from x0tta_cli.core.config.typed import Fitted

Model = TypeVar("Model", bound="BaseModel")


@dataclass(frozen=True, slots=True)
class Origin:
    """A value as it may be shown, and where it comes from.

    `source` is "option", "environment X0TTA_DRILL__SEED", a file, a file with its profile, or
    "default"; `line` is that of the file. `value` is written as in TOML, `plain` is the same for
    JSON. A secret's value is in neither, only where the secret is.
    """

    value: str
    source: str
    line: int | None = None
    plain: object = None


def load(
    path: Path | None = None,
    profile: str | None = None,
    environ: Mapping[str, str] = os.environ,
    sections: Collection[str] = (),
) -> Configuration:
    """Give the configuration of `--config` and `--profile`; reads nothing yet, raises nothing.

    With `sections`, the names of all that there are, it warns of variables that set nothing.
    """
    chosen = profile or environ.get("X0TTA_PROFILE") or None
    return Configuration(path, chosen, environ, sections)


class Configuration:
    """Typed sections and their origins; see the package's docstring for what overrides what."""

    def __init__(
        self,
        path: Path | None,
        profile: str | None,
        environ: Mapping[str, str],
        sections: Collection[str] = (),
    ) -> None:
        self.profile = profile
        self._path, self._environ, self._sections = path, environ, sections
        self._layers: list[Given] | None = None
        self._models: dict[str, type[BaseModel]] = {}

    def section(
        self, name: str, model: type[Model], options: Mapping[str, object] | None = None
    ) -> Model:
        """Read one section as its model; `options` of the command line win, None is not given.

        Raises ConfigurationError `config.*` and `secrets.missing` (9), NotPermittedError
        `secrets.exposed` (6), `files.not_found` (4) and `files.not_readable` (6).
        """
        return self._fitted(name, model, options).checked()

    def origin(self, key: str) -> Origin:
        """Tell where the value of `drill.seed` comes from, once its section has been read.

        Raises KeyError for a key that the section's model does not have.
        """
        section = key.partition(".")[0]
        return self.origins(section, self._models[section])[key]

    def origins(
        self, name: str, model: type[BaseModel], options: Mapping[str, object] | None = None
    ) -> dict[str, Origin]:
        """Tell for each key of a section what it is and where it comes from.

        Raises as `section`, except that secrets are not fetched.
        """
        fitted = self._fitted(name, model, options, fetches_secrets=False)
        return {
            ".".join(path): _origin(path, value, fitted.given)
            for path, value in _walk(fitted.checked(), (name,), fitted.given)
        }

    def check(self, models: Mapping[str, type[BaseModel]]) -> list[OperatorError]:
        """Check the configuration as a whole; an empty list says that all is well.

        Other than `section`, it names every problem, also in profiles that are not chosen, in
        values that a stronger layer hides, and in sections and variables that nobody has.
        """
        from x0tta_cli.core.config.checking import problems_of

        return problems_of(self.places(), self.profile, self._environ, models)

    def is_given(self, name: str) -> bool:
        """Tell whether a file or the environment says anything of a section.

        Where nothing does, its defaults stand, and a command may do without the section's model,
        whose import takes longer than many a command. Raises what reading the files raises.
        """
        prefix = variable((name,))
        if any(variable_name.startswith(prefix) for variable_name in self._environ):
            return True
        return any(name in layer.value for layer in self._read())

    def places(self) -> list[Place]:
        """List the files that are looked for, the weakest first; reads none."""
        return places(self._path, self._environ)

    def _read(self) -> list[Given]:
        if self._layers is None:
            self._warn_of_strays()
            self._layers = with_profile(read_files(self.places()), self.profile)
        return self._layers

    def _warn_of_strays(self) -> None:
        """Say once which variables mean x0tta and set nothing: they may be misspelt."""
        sections, self._sections = self._sections, ()
        if not sections or all(_is_known(name, sections) for name in self._environ):
            return
        import logging

        from x0tta_cli.core.config.checking import problems_of_variables

        log = logging.getLogger(__name__)
        for problem in problems_of_variables(self._environ, sections):
            log.warning(str(problem), extra={"fix": problem.fix})

    def _fitted(
        self,
        name: str,
        model: type[Model],
        options: Mapping[str, object] | None,
        *,
        fetches_secrets: bool = True,
    ) -> Fitted[Model]:
        from x0tta_cli.core.config.sections import read_section

        layers = self._read()
        self._models[name] = model
        return read_section(
            name,
            model,
            layers,
            self._environ,
            options,
            fetches_secrets=fetches_secrets,
        )


def _is_known(name: str, sections: Collection[str]) -> bool:
    section, separator, _ = name.removeprefix(PREFIX).partition("__")
    is_key = bool(separator) and section.lower() in sections
    return not name.startswith(PREFIX) or name in HOUSE_VARIABLES or is_key


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
        elif isinstance(value, list | tuple) and any(isinstance(i, BaseModel) for i in value):
            for number, item in enumerate(value):
                yield from _walk(item, (*place, str(number)), given)
        elif isinstance(value, dict) and any(isinstance(i, BaseModel) for i in value.values()):
            for key, item in value.items():
                yield from _walk(item, (*place, key), given)
        elif isinstance(value, dict) and any(key[:-1] == place for key in given):
            yield from (((*place, key), item) for key, item in value.items())
        else:
            yield place, value


def _origin(path: KeyPath, value: Any, given: Mapping[KeyPath, Given]) -> Origin:
    found = given.get(path)
    from x0tta_cli.core.config.references import is_reference
    from x0tta_cli.core.secrets import HIDDEN, is_secret_name

    written = found.value if found and is_reference(found.value) else value
    if isinstance(written, str) and written and is_secret_name(path[-1]):
        written = HIDDEN
    if found is None:
        return Origin(_shown(written), "default", None, _plain(written))
    source, line = found.source.name(path), found.source.line(path)
    return Origin(_shown(written), source, line, _plain(written))


def _shown(value: Any) -> str:
    """Write a value as TOML would, but for tables within lists; secrets are hidden."""
    import json
    from datetime import timedelta

    from pydantic import SecretStr

    plain = _plain(value)
    if isinstance(value, SecretStr | timedelta):
        return str(plain)
    if isinstance(plain, dict) and len(plain) == 1:
        [(kind, name)] = plain.items()
        return f'{{ {kind} = "{name}" }}'
    return json.dumps(plain, ensure_ascii=False)


def _plain(value: Any) -> object:
    """Give a value the form that JSON and an operator have for it; secrets are hidden."""
    from datetime import timedelta
    from enum import Enum

    from pydantic import SecretStr

    from x0tta_cli.core.secrets import HIDDEN, json_form
    from x0tta_cli.core.times import format_duration

    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, timedelta):
        return format_duration(value)
    return json_form(value.value if isinstance(value, Enum) else value)
