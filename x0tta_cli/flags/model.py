"""The nouns of flags."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Types of a flag's value, as OpenFeature has them."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag, its value in force, and where that comes from ("default" where nobody set it)."""

    name: str
    kind: Kind
    value: bool | int | float | str
    default: bool | int | float | str
    source: str
    help: str

    @property
    def is_off(self) -> bool:
        """Whether the flag switches its part of x0tta off."""
        return self.value is False
