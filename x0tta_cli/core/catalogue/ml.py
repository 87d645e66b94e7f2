"""Errors of the detector, its explanations and rankings, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "ml.nothing_measured",
        ExitStatus.NOT_YET_KNOWN,
        "Healthy time without a single value",
        "The healthy recording has components and samples, but every value is missing. What is "
        "usual can't be learnt from that.",
        "Check that the recorder ran, and record healthy time again.",
        "x0tta drill run --data recordings/",
    ),
    Entry(
        "ml.too_few_samples",
        ExitStatus.NOT_YET_KNOWN,
        "Too little healthy time",
        "A fifth of healthy time is held back to set the threshold. A false-alarm rate of 1 % "
        "needs at least 100 held-back values (components times samples), 0.1 % needs 1000.",
        "Record healthy time for longer, or allow more false alarms.",
        "X0TTA_DRILL__FALSE_ALARM_RATE=0.05 x0tta drill run --data recordings/",
    ),
)
