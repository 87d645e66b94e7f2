"""Long work in pieces, so that memory stays what it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def pieces(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Cut items into lists of at most `size`."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


def timely_pieces(items: Iterable[Item], size: int, within_s: float) -> Iterator[list[Item]]:
    """Cut items that come slowly into lists: none waits much longer than so long for the others."""
    held: list[Item] = []
    began = 0.0
    for item in items:
        began = began if held else time.monotonic()
        held.append(item)
        if len(held) >= size or time.monotonic() - began >= within_s:
            yield held
            held = []
    if held:
        yield held
