"""Keys of the configuration by their dotted names: `drill.seed`, `flags.graphsage`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args, get_origin

from x0tta_cli.core.config.layers import KeyPath
from x0tta_cli.core.config.typed import kinds_of
from x0tta_cli.core.errors import NotFoundError

if TYPE_CHECKING:
    from pydantic import BaseModel

Models = Mapping[str, "type[BaseModel]"]


@dataclass(frozen=True, slots=True)
class Key:
    """A key that some section has: its path begins with the section, `kinds` are its types."""

    path: KeyPath
    kinds: tuple[Any, ...]

    @property
    def name(self) -> str:
        """The key as it is written on a command line."""
        return ".".join(self.path)


def find_key(name: str, models: Models) -> Key:
    """Find a key by its name; NotFoundError `config.no_such_key`, with what was probably meant."""
    section, *rest = name.strip().split(".")
    if section not in models:
        raise _no_such_key(name, models, f"The sections are {', '.join(sorted(models))}.")
    kinds: tuple[Any, ...] = (models[section],)
    path: KeyPath = (section,)
    for part in rest:
        entered = _kinds_within(kinds, part)
        if entered is None or not part:
            raise _no_such_key(name, models, _what_it_has(path, kinds))
        kinds, path = entered, (*path, part)
    if any(_fields(kind) is not None for kind in kinds):
        raise _no_such_key(name, models, _what_it_has(path, kinds))
    return Key(path, kinds)


def find_section(name: str, models: Models) -> str:
    """Find a section by its name; NotFoundError `config.no_such_key`."""
    section = name.strip()
    if section in models:
        return section
    meant = get_close_matches(section.partition(".")[0], list(models), n=1)
    raise NotFoundError(
        "config.no_such_key",
        f"There is no section '{name}'.",
        reason=f"The sections are {', '.join(sorted(models))}.",
        fix=f"Did you mean {meant[0]}?" if meant else "Choose one of them.",
        context={"section": name},
    )


def all_keys(models: Models) -> list[str]:
    """List the keys of all sections; those within lists and free tables have no fixed names."""
    return [name for section, model in models.items() for name in _names((section,), model)]


def _names(path: KeyPath, model: Any) -> Iterator[str]:
    for name, field in model.model_fields.items():
        place = (*path, name)
        nested = [kind for kind in kinds_of(field.annotation) if _fields(kind) is not None]
        if nested:
            yield from _names(place, nested[0])
        else:
            yield ".".join(place)


def _kinds_within(kinds: tuple[Any, ...], part: str) -> tuple[Any, ...] | None:
    """Enter a table of these kinds by one of its keys; None where it has no such key."""
    for kind in kinds:
        fields = _fields(kind)
        if fields is not None:
            if part in fields:
                return tuple(kinds_of(fields[part].annotation))
            if kind.model_config.get("extra") == "allow":
                return (Any,)
        if get_origin(kind) is dict:
            return tuple(kinds_of(get_args(kind)[1]))
    return None


def _fields(kind: Any) -> Mapping[str, Any] | None:
    return getattr(kind, "model_fields", None)


def _what_it_has(path: KeyPath, kinds: tuple[Any, ...]) -> str:
    name = ".".join(path)
    for kind in kinds:
        fields = _fields(kind)
        if fields is not None:
            return f"{name} is a table with {', '.join(sorted(fields)) or 'no keys at all'}."
    return f"{name} is a value, not a table."


def _no_such_key(name: str, models: Models, reason: str) -> NotFoundError:
    known = all_keys(models)
    within = [key for key in known if key.startswith(f"{name}.")]
    # A last part that fits is worth more than a similar sound of the whole.
    ends = [key for key in known if key.rpartition(".")[2] == name.rpartition(".")[2]]
    meant = within or ends or get_close_matches(name, known, n=1)
    return NotFoundError(
        "config.no_such_key",
        f"There is no key '{name}'.",
        reason=reason,
        fix=f"Did you mean {' or '.join(meant[:3])}?" if meant else "See x0tta config show.",
        context={"key": name},
    )
