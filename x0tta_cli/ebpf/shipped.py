"""The nouns of programs that come with x0tta."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a program, as `--param NAME=VALUE` gives it."""

    name: str
    form: str
    help: str
    default: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Shipped:
    """A program that comes with x0tta."""

    name: str
    summary: str
    maps: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    can_drop: bool
    notes: tuple[str, ...]
