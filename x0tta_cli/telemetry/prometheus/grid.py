"""The instants at which Prometheus is asked to evaluate an expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from x0tta_cli.core.errors import UsageError
from x0tta_cli.telemetry.instants import LATEST_UNIX_SECONDS

# A month of seconds is 2.6 million; a series of so many would be a mistaken step.
MAX_INSTANTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """`size` instants from `first_ms`, `step_ms` apart, in milliseconds since 1970.

    Every instant is a whole multiple of the step, so that two readings of overlapping times have
    the same instants in common, and so that servers which move the range to such instants
    themselves (Thanos, Mimir, VictoriaMetrics) have nothing to move. A millisecond is as fine as
    Prometheus stores time.
    """

    first_ms: int
    step_ms: int
    size: int

    @classmethod
    def between(cls, start: float, end: float, step_s: float, *, now: float) -> Self:
        """Lay the grid over start ≤ instant ≤ min(end, now), all in Unix seconds.

        It ends with the present, because Prometheus answers for times to come with the last values
        that it has. Raises UsageError `telemetry.bad_range`.
        """
        figures = (start, end, step_s)
        # Written so that NaN is refused too.
        if not all(-LATEST_UNIX_SECONDS <= figure <= LATEST_UNIX_SECONDS for figure in figures):
            raise _bad_range("Start, end and step have to be finite numbers of seconds.", figures)
        step_ms = round(step_s * 1000)
        if step_ms < 1 or abs(step_ms - step_s * 1000) > 1e-6 * step_ms:
            raise _bad_range("The step has to be a whole number of milliseconds.", figures)
        if start > end:
            raise _bad_range("The end is before the start.", figures)
        # Rounded first: a double of seconds is off by some fractions of a microsecond.
        first = -(-round(start * 1e6) // (step_ms * 1000))
        last = round(min(end, now) * 1e6) // (step_ms * 1000)
        size = last - first + 1
        if size < 1:
            when = "all of it is in the future" if start > now else "it is shorter than a step"
            raise _bad_range(f"No multiple of the step lies in the time: {when}.", figures)
        if size > MAX_INSTANTS:
            raise _bad_range(f"It has {size} instants; {MAX_INSTANTS} are allowed.", figures)
        return cls(first * step_ms, step_ms, size)

    @property
    def step_s(self) -> float:
        """The distance of two instants in seconds."""
        return self.step_ms / 1000

    @property
    def instants(self) -> NDArray[np.float64]:
        """The instants as float64[size], Unix seconds."""
        return (self.first_ms + self.step_ms * np.arange(self.size, dtype=np.int64)) / 1000

    def part(self, first: int, size: int) -> Grid:
        """Take `size` instants from number `first` on, or as many as there are."""
        return Grid(
            self.first_ms + first * self.step_ms, self.step_ms, min(size, self.size - first)
        )

    def params(self) -> dict[str, str]:
        """Give start, end and step as the HTTP API takes them."""
        last_ms = self.first_ms + self.step_ms * (self.size - 1)
        figures = {"start": self.first_ms, "end": last_ms, "step": self.step_ms}
        return {name: _in_seconds(figure) for name, figure in figures.items()}

    def places(self, instants_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Tell the numbers that the instants of an answer have on the grid.

        Raises ValueError with the reason for one that is not of the grid or is there twice.
        """
        offsets = np.rint(instants_s * 1000) - self.first_ms
        places = np.floor_divide(offsets, self.step_ms)
        outside = (offsets != places * self.step_ms) | (places < 0) | (places >= self.size)
        for index in np.flatnonzero(outside)[:1]:
            raise ValueError(f"It has a point at {instants_s[index]:.3f}, which was not asked for.")
        if len(np.unique(places)) < len(places):
            raise ValueError("It has two points at one instant.")
        numbers: NDArray[np.int64] = places.astype(np.int64)
        return numbers


def _in_seconds(milliseconds: int) -> str:
    sign, (seconds, rest) = ("-" if milliseconds < 0 else ""), divmod(abs(milliseconds), 1000)
    return f"{sign}{seconds}.{rest:03d}"


def _bad_range(reason: str, figures: tuple[float, float, float]) -> UsageError:
    start, end, step_s = figures
    return UsageError(
        "telemetry.bad_range",
        "This time can't be read from Prometheus.",
        reason=f"{reason} Asked for were {start:.3f} to {end:.3f}, every {step_s:g} s.",
        fix="Give a start before the end, both in the past, and a step that fits between them.",
        context={"start": start, "end": end, "step_s": step_s},
    )
