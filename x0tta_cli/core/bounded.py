"""Calls side by side, each within one bound of time: none of them can hold up the others."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Value = TypeVar("Value")


def call_all(calls: Sequence[Callable[[], Value]], bound_s: float) -> list[Value | Exception]:
    """Give what each call returned or raised, in their order; TimeoutError for one without an end.

    Such a call is left behind in its thread, which does not keep the process from ending.
    """
    answers: queue.SimpleQueue[tuple[int, Value | Exception]] = queue.SimpleQueue()

    def answer(place: int, call: Callable[[], Value]) -> None:
        try:
            answers.put((place, call()))
        except Exception as error:  # noqa: BLE001 - the caller gets it
            answers.put((place, error))

    for place, call in enumerate(calls):
        threading.Thread(target=answer, args=(place, call), daemon=True).start()
    found: dict[int, Value | Exception] = {}
    deadline = time.monotonic() + bound_s
    while len(found) < len(calls):
        try:
            place, outcome = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[place] = outcome
    late = TimeoutError(f"no answer within {bound_s:g} s")
    return [found.get(place, late) for place in range(len(calls))]
