"""What a view is made of: plain nouns that say what to show, not how.

Named tuples, not dataclasses: every `cli.py` imports them, so that each --help pays for making
them, and a tuple class is made six times faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

Tone: TypeAlias = Literal["plain", "strong", "dim", "good", "bad", "warning"]


class Cell(NamedTuple):
    """A value with a tone of its own, wherever a value may stand."""

    value: Any
    tone: Tone = "plain"


class Heading(NamedTuple):
    """Names what follows."""

    text: str


class Text(NamedTuple):
    """A paragraph; line breaks in it stay."""

    text: str
    tone: Tone = "plain"


class Verbatim(NamedTuple):
    """Lines to be copied, such as a file's: never wrapped."""

    text: str


class Facts(NamedTuple):
    """Names beside values, one pair a line."""

    pairs: Sequence[tuple[str, Any]]


class Column(NamedTuple):
    """A column of a table; `wide_only` ones show with `-o wide`."""

    title: str
    align: Literal["left", "right"] = "left"
    wide_only: bool = False
    tone: Tone = "plain"


class Table(NamedTuple):
    """Rows of values under titles; each row has a value for every column."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]


Block: TypeAlias = Heading | Text | Verbatim | Facts | Table
View: TypeAlias = Callable[[Any], Iterable[Block]]
