"""Reading a page makes thousands of objects, none of which refers to itself.

Python's collector looks through all of them again and again, for nothing: a twentieth of a run.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Rows of several pages; memory that only the collector could free is found a little later.
OBJECTS_BETWEEN = 100_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the collector look less often for the block."""
    before = gc.get_threshold()
    gc.set_threshold(max(OBJECTS_BETWEEN, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
