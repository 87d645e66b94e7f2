"""Lines of `x0tta drill`, on a tiny mesh."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from command_lines.line import Line, Lines, Place
from fakes.small_mesh import write_library


@contextmanager
def tiny_mesh(place: Place) -> Iterator[None]:
    write_library(place.folder / "recordings")
    yield


LINES = {
    "drill run": Lines(
        Line(
            "drill run incident_1 --data {folder}/recordings --seed 1",
            around=tiny_mesh,
            slow=True,
            extra="ml",
        ),
        Line("drill run nowhere --data {folder}/recordings", 4, around=tiny_mesh),
    ),
    "drill list": Lines(
        Line("drill list --data {folder}/recordings", around=tiny_mesh),
        Line("drill list --data {folder}/nowhere", 4, "telemetry.no_recording"),
    ),
}
