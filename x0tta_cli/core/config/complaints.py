"""What is wrong with a configuration: where, what was found, what is expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from copy import copy
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from x0tta_cli.core.config.layers import (
    HOUSE_VARIABLES,
    PREFIX,
    Given,
    KeyPath,
    Source,
    variable,
)
from x0tta_cli.core.config.references import FORMS
from x0tta_cli.core.errors import ConfigurationError, OperatorError

if TYPE_CHECKING:
    from pydantic import ValidationError


def unknown_key(path: KeyPath, source: Source, known: Sequence[str]) -> ConfigurationError:
    """Say that a section, or a table in it, has no such key."""
    *parents, key = path
    table = ".".join(parents)
    return ConfigurationError(
        "config.unknown_key",
        f"{_place(path, source)}: {table} has no key '{key}'.",
        reason=f"It has {', '.join(sorted(known))}." if known else "It has no keys at all.",
        fix=_meant(key, known, tuple(parents), source) or f"Remove it from {source.name(path)}.",
        context=_context(path, source),
    )


def near_miss(name: str, section: str, known: Sequence[str]) -> ConfigurationError:
    """Say that an environment variable lacks one of the two underscores behind its section."""
    key = name.removeprefix(f"{variable((section,))}_").lower()
    meant = next(iter(get_close_matches(key, known, n=1)), key)
    return ConfigurationError(
        "config.unknown_key",
        f"environment {name}: it sets nothing.",
        reason="A section and its key stand apart by two underscores.",
        fix=f"Did you mean {variable((section, meant))}?",
        context={"variable": name},
    )


def unknown_variable(name: str, known: Sequence[str]) -> ConfigurationError:
    """Say that an environment variable means a section that no capability has."""
    section, _, key = name.removeprefix(PREFIX).lower().partition("__")
    meant = get_close_matches(section, known, n=1)
    return ConfigurationError(
        "config.unknown_section",
        f"environment {name}: there is no section '{section}'.",
        reason=f"There are {', '.join(sorted(known))}.",
        fix=f"Did you mean {variable((meant[0], key))}?" if meant else f"unset {name}",
        context={"variable": name},
    )


def stray(name: str) -> ConfigurationError:
    """Say that an environment variable belongs neither to the house nor to a section."""
    meant = get_close_matches(name, sorted(HOUSE_VARIABLES), n=1)
    return ConfigurationError(
        "config.unknown_key",
        f"environment {name}: it sets nothing.",
        reason=f"{PREFIX}SECTION__KEY sets a key; the house itself knows "
        f"{', '.join(sorted(HOUSE_VARIABLES))}.",
        fix=f"Did you mean {meant[0]}?" if meant else f"unset {name}",
        context={"variable": name},
    )


def unknown_section(name: str, source: Source, known: Sequence[str]) -> ConfigurationError:
    """Say that no capability has such a section."""
    return ConfigurationError(
        "config.unknown_section",
        f"{_place((name,), source)}: there is no section '{name}'.",
        reason=f"There are {', '.join(sorted(known))}.",
        fix=_meant(name, known, (), source) or f"Remove it from {source.name((name,))}.",
        context=_context((name,), source),
    )


def bad_value(
    path: KeyPath, given: Given, expected: str, *, is_secret: bool = False
) -> ConfigurationError:
    """Say what was found where something else is expected; a secret's value is not shown."""
    found = "a value that is not shown" if is_secret else _found(given.value)
    return ConfigurationError(
        "config.bad_value",
        f"{_place(path, given.source)}: {'.'.join(path)} is {found}.",
        reason=expected,
        fix=_correction(path, given.source),
        context=_context(path, given.source),
    )


def plain_secret(path: KeyPath, given: Given) -> ConfigurationError:
    """Say that a secret stands in a configuration file itself."""
    return ConfigurationError(
        "config.plain_secret",
        f"{_place(path, given.source)}: {'.'.join(path)} is a secret in plain text.",
        reason="Configuration files are copied, shown and kept under version control.",
        fix=f"Replace the secret, and write where it is: {FORMS}.",
        context=_context(path, given.source),
    )


def bad_reference(path: KeyPath, given: Given) -> ConfigurationError:
    """Say that a value is no reference to a secret; it is not shown, for it may be the secret."""
    return bad_value(path, given, f"It should be {FORMS}.", is_secret=True)


def missing_key(path: KeyPath) -> ConfigurationError:
    """Say that a key without a default is set nowhere."""
    section, *keys = path
    return ConfigurationError(
        "config.missing_key",
        f"{'.'.join(path)} is not set.",
        reason="It has no default.",
        fix=f"Set {'.'.join(keys)} under [{section}] in a configuration file, or {variable(path)}.",
        context={"key": ".".join(path)},
    )


def invalid(
    error: ValidationError,
    section: str,
    given: Mapping[KeyPath, Given],
    secret_paths: Set[KeyPath],
    left_out: Set[KeyPath],
) -> list[ConfigurationError]:
    """Word what a model has found wrong, once for each key.

    What follows from keys that were left out is not told.
    """
    found: dict[KeyPath, ConfigurationError] = {}
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        path = _written((section, *map(str, detail["loc"])), given)
        if detail["type"] == "missing":
            if path not in left_out:
                found[path] = missing_key(path)
            continue
        # The location may go on inside the value, or into the branch of a union.
        while path not in given and len(path) > 1:
            path = path[:-1]
        if path in found:
            continue
        expected = _expected(detail["msg"])
        if path in given:
            found[path] = bad_value(path, given[path], expected, is_secret=path in secret_paths)
        elif not left_out:
            found[path] = _invalid_section(section, expected)
    return list(found.values())


def _written(location: KeyPath, given: Mapping[KeyPath, Given]) -> KeyPath:
    """Leave out of a location the words by which unions were chosen: `pagerduty` of a `kind`."""
    words = {(*path[:-1], one.value) for path, one in given.items() if isinstance(one.value, str)}
    path: KeyPath = ()
    for part in location:
        path = path if (*path, part) in words else (*path, part)
    return path


def first_of(problems: Sequence[OperatorError]) -> OperatorError:
    """Give the first problem, with the keys of the others named in its reason."""
    first = copy(problems[0])
    names = sorted({str(other.context["key"]) for other in problems[1:] if "key" in other.context})
    if names:
        first.reason = f"{first.reason} Also wrong: {', '.join(names)}."
    return first


def _invalid_section(section: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        "config.bad_value",
        f"The section {section} is not valid.",
        reason=expected,
        fix=f"Correct [{section}] in the file that x0tta config path names.",
        context={"section": section},
    )


def _place(path: KeyPath, source: Source) -> str:
    line = source.line(path)
    return f"{source.name(path)}, line {line}" if line else source.name(path)


def _context(path: KeyPath, source: Source) -> dict[str, object]:
    return {"key": ".".join(path), "source": source.name(path), "line": source.line(path)}


def _meant(word: str, known: Sequence[str], parents: KeyPath, source: Source) -> str:
    for meant in get_close_matches(word, known, n=1):
        shown = variable((*parents, meant)) if source.is_environment else f"'{meant}'"
        return f"Did you mean {shown}?"
    return ""


def _correction(path: KeyPath, source: Source) -> str:
    if source.is_environment:
        return f"export {variable(path)}=…, or unset it."
    return f"Correct it in {source.name(path)}." if source.file else "Give another value."


def _expected(message: str) -> str:
    message = re.sub("^(Input|String) should", "It should", message.removeprefix("Value error, "))
    if "match pattern '^https?://" in message:
        return "It should be a URL that begins with http:// or https://."
    # The model reads JSON; an operator writes TOML.
    message = message.replace("a valid array", "a list").replace("an object", "a table")
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _found(value: Any) -> str:
    """Name a value as its TOML file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {value[:60]!r}" + ("…" if len(value) > 60 else "")
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return f"a table with {', '.join(map(str, value)) or 'nothing in it'}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return f"{value}"
