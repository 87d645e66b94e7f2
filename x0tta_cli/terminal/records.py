"""Results as records: the fields they have, the rows they show, and what JSON makes of them."""

from __future__ import annotations

import math
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any, Union, get_args, get_origin, get_type_hints

from x0tta_cli.core.times import format_instant

Record = Mapping[str, Any]


def plain(value: Any) -> Any:
    """Turn a result into what JSON knows; NaN and the infinities are null, as JSON has none.

    Raises TypeError on a type that has no form in the JSON contract.
    """
    if isinstance(value, Enum):
        value = value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        items = [plain(item) for item in value]
        return sorted(items) if isinstance(value, Set) else items
    return _plain_scalar(value)


def fields_of(row: Any) -> tuple[str, ...]:
    """Name the fields of a row: a dataclass instance or type, or a mapping."""
    if is_dataclass(row):
        return tuple(field.name for field in fields(row))
    return tuple(map(str, row)) if isinstance(row, Mapping) else ()


def value_of(row: Any, field: str) -> Any:
    """Read one field of a row."""
    return row[field] if isinstance(row, Mapping) else getattr(row, field)


def rows_of(result: Any) -> Sequence[Any]:
    """Give the rows of a result: its items, its `rows`, or the result itself as the only one."""
    if isinstance(result, list | tuple):
        return result
    rows = getattr(result, "rows", None)
    # A count may bear that name too.
    return tuple(rows) if isinstance(rows, Iterable) else (result,)


def selected(result: Any, names: Sequence[str]) -> tuple[Sequence[Any], bool]:
    """Find the rows that --fields speaks of, and whether they are the result itself.

    The rows come first; where they lack a name, the result's own fields are meant.
    """
    rows = rows_of(result)
    if isinstance(result, list | tuple) or (rows and set(names) <= set(fields_of(rows[0]))):
        return rows, False
    if set(names) <= set(fields_of(result)):
        return (result,), True
    return rows, False


def known_fields(annotation: Any) -> list[tuple[str, ...]] | None:
    """List the sets of fields that a command's return annotation offers; None where unknown."""
    if get_origin(annotation) in {Union, types.UnionType}:
        parts = [known_fields(part) for part in get_args(annotation) if part is not type(None)]
        return None if None in parts else [names for part in parts if part for names in part]
    item = _item_of(annotation)
    if item is not None:
        return known_fields(item)
    if not (isinstance(annotation, type) and is_dataclass(annotation)):
        return None
    offered = [fields_of(annotation)]
    rows = getattr(annotation, "rows", None)
    if isinstance(rows, property):
        of_rows = known_fields(get_type_hints(rows.fget).get("return"))
        if of_rows is None:
            return None
        offered = [*of_rows, *offered]
    return offered


def _item_of(annotation: Any) -> Any:
    """Give the type of the items of `list[T]`, `tuple[T, ...]` or an iterator; None for others."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not arguments:
        return None
    return arguments[0] if issubclass(origin, list | tuple | Iterator | Sequence) else None


def _plain_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePath) or _is_decimal(value):
        return str(value)
    if hasattr(value, "item"):
        # A scalar of numpy; it is not imported to ask.
        return plain(value.item())
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _is_decimal(value: Any) -> bool:
    # Nobody has made one where nobody has imported what makes them.
    decimal = sys.modules.get("decimal")
    return decimal is not None and isinstance(value, decimal.Decimal)
