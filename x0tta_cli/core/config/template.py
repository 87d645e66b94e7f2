"""The first configuration file: every key with its meaning and its default, commented out."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from x0tta_cli.core.config.layers import KeyPath
from x0tta_cli.core.config.typed import is_secret, kinds_of
from x0tta_cli.core.times import format_duration

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

WIDTH = 96
HEAD = """\
# The configuration of x0tta: every key with its default. Take the '#' off a line to change it,
# or let x0tta do it: x0tta config set SECTION.KEY VALUE. Check it with: x0tta config check.
#
# The environment (X0TTA_SECTION__KEY) and options of commands win over this file.
# A secret never stands here, only where it is: { env = "NAME" }, { file = "PATH" } with mode 600,
# or { credential = "NAME" } of systemd.
# [profiles.night.SECTION] lies over [SECTION] with --profile night or X0TTA_PROFILE=night.
"""


def template(models: Mapping[str, type[BaseModel]]) -> str:
    """Write a file with the sections of these models, in which nothing is set."""
    lines = [HEAD.rstrip()]
    for name, model in models.items():
        lines += ["", *_table((name,), model, is_live=not _needs_something(model))]
    return "\n".join(lines) + "\n"


def _table(path: KeyPath, model: type[BaseModel], *, is_live: bool) -> Iterator[str]:
    """Write the header and the keys of a table, then the tables in it."""
    header = f"[{'.'.join(path)}]"
    # A header alone would bring a table into being that lacks what has no default.
    yield header if is_live else f"# {header}"
    within = []
    for number, (name, field) in enumerate(model.model_fields.items()):
        nested = _nested(field)
        if nested:
            within.append((name, field, *nested))
            continue
        if number:
            yield ""
        yield from _explained(field)
        yield f"# {name} = {_value(field)}"
    for name, field, table, is_list in within:
        yield ""
        yield from _explained(field)
        if is_list:
            yield f"# [[{'.'.join((*path, name))}]]"
            yield from list(_table((*path, name), table, is_live=False))[1:]
        else:
            always = is_live and not field.is_required() and field.default is not None
            yield from _table((*path, name), table, is_live=always and not _needs_something(table))


def _explained(field: FieldInfo) -> list[str]:
    text = field.description or ""
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False)]


def _needs_something(model: type[BaseModel]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _nested(field: FieldInfo) -> tuple[type[BaseModel], bool] | None:
    """Find the model of a key that is a table or a list of tables; whether it is a list."""
    for kind in kinds_of(field.annotation):
        if hasattr(kind, "model_fields"):
            return kind, False
        if get_origin(kind) in {list, tuple}:
            for item in kinds_of(get_args(kind)[0]):
                if hasattr(item, "model_fields"):
                    return item, True
    return None


def _value(field: FieldInfo) -> str:
    """Write the default as TOML does, or an example of the kind where there is none."""
    import tomlkit

    kinds = kinds_of(field.annotation)
    default: Any = None
    if not field.is_required():
        default = field.get_default(call_default_factory=True)
    if is_secret(kinds):
        return '{ env = "NAME" }'
    if default is None:
        default = next(iter(field.examples or ()), None)
    if default is None:
        return _example(kinds)
    if isinstance(default, timedelta):
        default = format_duration(default)
    elif isinstance(default, Enum):
        default = default.value
    elif isinstance(default, Path):
        default = str(default)
    elif isinstance(default, tuple | set | frozenset):
        default = list(default)
    elif isinstance(default, dict):
        return inline_table(default)
    return str(tomlkit.item(default).as_string())


def inline_table(table: Mapping[str, Any]) -> str:
    """Write a table on one line: `{ env = "NAME" }`."""
    import tomlkit

    pairs = [
        f"{tomlkit.key(key).as_string()} = {tomlkit.item(value).as_string()}"
        for key, value in table.items()
    ]
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"


def _example(kinds: list[Any]) -> str:
    for kind in kinds:
        if kind in EXAMPLES:
            return EXAMPLES[kind]
        if isinstance(kind, type) and issubclass(kind, Enum):
            return f'"{next(iter(kind)).value}"'
        if get_origin(kind) is Literal:
            return json.dumps(get_args(kind)[0])
        if get_origin(kind) in {list, tuple, set, frozenset}:
            return f"[{_example(kinds_of(get_args(kind)[0]))}]"
        if get_origin(kind) is dict:
            return "{}"
    return '"VALUE"'


EXAMPLES: Mapping[Any, str] = {
    Path: '"/PATH"',
    bool: "true",
    int: "0",
    float: "0.0",
    timedelta: '"30s"',
    date: "2026-01-01",
    datetime: "2026-01-01T00:00:00Z",
}
