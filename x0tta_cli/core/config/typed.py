"""Gives what was written for a section the types of its model, and says what does not fit."""

from __future__ import annotations

import json
import os
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from x0tta_cli.core import secrets
from x0tta_cli.core.config import complaints, references
from x0tta_cli.core.config.layers import Given, KeyPath
from x0tta_cli.core.errors import OperatorError, UsageError
from x0tta_cli.core.text import is_unicode
from x0tta_cli.core.times import parse_duration

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")

# What a secret is while none is fetched.
STAND_IN = "0" * 16
# All that operators write for yes and no.
WORDS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


@dataclass(frozen=True, slots=True)
class Fitted(Generic[Model]):
    """A section: what was given for each key and where, all that is wrong, else the settings."""

    settings: Model | None
    given: Mapping[KeyPath, Given]
    problems: tuple[OperatorError, ...]

    def checked(self) -> Model:
        """Give the settings; raises the first problem, which names the keys of the others."""
        if self.settings is None:
            raise complaints.first_of(self.problems)
        return self.settings


def fit(
    section: str, model: type[Model], layers: Sequence[Given], environ: Mapping[str, str] | None
) -> Fitted[Model]:
    """Merge the layers of a section, the strongest last, and validate them with its model.

    A file is held to its types strictly ("7" is no number); a text of the environment is read as
    its key's type. Without an environment no secret is fetched: each stands as STAND_IN.

    Problems are `config.unknown_key`, `config.bad_value`, `config.missing_key`,
    `config.plain_secret`, and what `references.resolve` raises.
    """
    from pydantic import ValidationError

    fitting = _Fitting(environ)
    tree = fitting.combine(model, layers, (section,)) if layers else {}
    settings = None
    try:
        # JSON, because there pydantic is strict about numbers and texts and yet makes paths,
        # enumerations and tuples, for which TOML has no types of its own.
        settings = model.model_validate_json(
            json.dumps(tree, default=_json_form), strict=True, by_alias=False, by_name=True
        )
    except ValidationError as error:
        fitting.problems += complaints.invalid(
            error, section, fitting.given, fitting.secret_paths, fitting.left_out
        )
    return Fitted(None if fitting.problems else settings, fitting.given, tuple(fitting.problems))


class _Fitting:
    """One pass over the layers of a section; collects what was given for which key.

    A key with a problem is left out, so that the others are judged as well.
    """

    def __init__(self, environ: Mapping[str, str] | None) -> None:
        self.given: dict[KeyPath, Given] = {}
        self.secret_paths: set[KeyPath] = set()
        self.problems: list[OperatorError] = []
        self.left_out: set[KeyPath] = set()
        self._environ = environ

    def combine(self, annotation: Any, layers: Sequence[Given], path: KeyPath) -> Any:
        """Merge tables key by key where the model has a table; elsewhere the strongest wins."""
        strongest = layers[-1]
        kinds = kinds_of(annotation)
        if isinstance(strongest.value, Mapping) and not is_secret(kinds):
            tables = _uppermost_tables(layers)
            for kind in _meant(kinds, tables, path):
                if (fields := getattr(kind, "model_fields", None)) is not None:
                    return self._model(kind, fields, tables, path)
                if get_origin(kind) is dict:
                    return self._mapping(get_args(kind)[1], tables, path)
        value = strongest.value
        if strongest.source.is_environment and isinstance(value, str):
            value = from_text(value, kinds)
        for kind in kinds:
            if isinstance(value, list) and get_origin(kind) in {list, tuple, set, frozenset}:
                self.given[path] = strongest
                return self._list(get_args(kind), value, strongest, path)
        return self._leaf(kinds, value, strongest, path)

    def _model(
        self, model: Any, fields: Mapping[str, Any], tables: Sequence[Given], path: KeyPath
    ) -> dict[str, Any]:
        takes_all = model.model_config.get("extra") == "allow"
        combined = {}
        for key, layers in _by_key(tables).items():
            place = (*path, key)
            annotation = fields[key].annotation if key in fields else Any
            if key not in fields and not takes_all:
                unknown = complaints.unknown_key(place, layers[-1].source, list(fields))
                self._leave_out(place, unknown)
                continue
            try:
                combined[key] = self.combine(annotation, layers, place)
            except OperatorError as problem:
                self._leave_out(place, problem)
        return combined

    def _leave_out(self, path: KeyPath, problem: OperatorError) -> None:
        self.problems.append(problem)
        self.left_out.add(path)

    def _mapping(self, annotation: Any, tables: Sequence[Given], path: KeyPath) -> dict[str, Any]:
        combined = {}
        for key, layers in _by_key(tables).items():
            try:
                combined[key] = self.combine(annotation, layers, (*path, key))
            except OperatorError as problem:
                self._leave_out((*path, key), problem)
        return combined

    def _list(
        self, item_annotations: Sequence[Any], items: list[Any], given: Given, path: KeyPath
    ) -> list[Any]:
        # `tuple[int, ...]` has one type for all, `tuple[str, int]` one for each.
        annotations = [item for item in item_annotations if item is not Ellipsis]
        return [
            self.combine(
                annotations[min(index, len(annotations) - 1)],
                [Given(item, given.source)],
                (*path, str(index)),
            )
            for index, item in enumerate(items)
        ]

    def _leaf(self, kinds: Sequence[Any], value: Any, given: Given, path: KeyPath) -> Any:
        self.given[path] = given
        if is_secret(kinds):
            self.secret_paths.add(path)
            return self._secret(value, given, path)
        if timedelta in kinds and not isinstance(value, timedelta):
            return _duration(value, given, path)
        if isinstance(value, str) and not is_unicode(value):
            raise complaints.bad_value(path, given, "It should be text in UTF-8.")
        if isinstance(value, str) and Path in kinds:
            # A file means what stands beside it, wherever x0tta is called; a shell means here.
            place = given.source.file.parent if given.source.file else Path()
            return str(place / os.path.expanduser(value))  # noqa: PTH111 - raises nothing
        return value

    def _secret(self, value: Any, given: Given, path: KeyPath) -> Any:
        if references.is_reference(value):
            if self._environ is None:
                return STAND_IN
            file = given.source.file
            return references.resolve(value, ".".join(path), file, self._environ)
        if isinstance(value, str):
            secrets.register(value)
            if given.source.file is not None:
                raise complaints.plain_secret(path, given)
            if is_unicode(value):
                return value
        raise complaints.bad_reference(path, given)


def kinds_of(annotation: Any) -> list[Any]:
    """Unfold `Annotated` and unions: `Path | None` is Path and None."""
    if get_origin(annotation) is Annotated:
        return kinds_of(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return [kind for part in get_args(annotation) for kind in kinds_of(part)]
    return [annotation]


def is_secret(kinds: Sequence[Any]) -> bool:
    """Whether a key of these kinds is a secret."""
    from pydantic import SecretStr

    return SecretStr in kinds


def _meant(kinds: Sequence[Any], tables: Sequence[Given], path: KeyPath) -> Sequence[Any]:
    """Choose among several models the one that a table means by a word: `kind = "email"`.

    Raises ConfigurationError `config.bad_value` for a word that none of them has, and
    `config.missing_key` where there is none.
    """
    models = [kind for kind in kinds if hasattr(kind, "model_fields")]
    if len(models) < 2:
        return kinds
    written = {key: layers[-1] for key, layers in _by_key(tables).items()}
    words: dict[str, list[str]] = {}
    for model in models:
        choices = _required_words(model)
        if all(key in written and written[key].value in choices[key] for key in choices):
            return [model]
        for key, texts in choices.items():
            words.setdefault(key, []).extend(texts)
    for key in words.keys() & written.keys():
        expected = f"It should be {', '.join(words[key][:-1])} or {words[key][-1]}."
        raise complaints.bad_value((*path, key), written[key], expected)
    for key in words:
        raise complaints.missing_key((*path, key))
    return kinds


def _required_words(model: Any) -> dict[str, list[str]]:
    return {
        name: list(get_args(field.annotation))
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is Literal and field.is_required()
    }


def _uppermost_tables(layers: Sequence[Given]) -> Sequence[Given]:
    """Leave out what a plain value in a stronger layer hides."""
    for index in range(len(layers) - 1, -1, -1):
        if not isinstance(layers[index].value, Mapping):
            return layers[index + 1 :]
    return layers


def _by_key(tables: Sequence[Given]) -> dict[str, list[Given]]:
    layers: dict[str, list[Given]] = {}
    for table in tables:
        for key, value in table.value.items():
            layers.setdefault(key, []).append(Given(value, table.source))
    return layers


def from_text(text: str, kinds: Sequence[Any]) -> Any:
    """Read a text of the environment as the type that its key has; as it is where none fits."""
    for kind in kinds:
        if get_origin(kind) is Literal:
            for choice in get_args(kind):
                if str(choice) == text:
                    return choice
        if get_origin(kind) in {list, tuple, set, frozenset}:
            return _list_from_text(text)
    if bool in kinds and text.strip().lower() in WORDS:
        return WORDS[text.strip().lower()]
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                continue
    return text


def _list_from_text(text: str) -> Any:
    """Read `a, b` or `["a", "b"]`; an empty text is an empty list."""
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return [item.strip() for item in text.split(",")] if text.strip() else []


def _duration(value: Any, given: Given, path: KeyPath) -> Any:
    if not isinstance(value, str):
        raise complaints.bad_value(path, given, 'It should be a duration such as "90s" or "1h30m".')
    try:
        return parse_duration(value)
    except UsageError as error:
        raise complaints.bad_value(path, given, f"{error.reason} {error.fix}") from None


def _json_form(value: Any) -> Any:
    """Write what JSON has no form for as pydantic reads it from JSON."""
    if isinstance(value, timedelta):
        return f"P{value.days}DT{value.seconds}.{value.microseconds:06d}S"
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
