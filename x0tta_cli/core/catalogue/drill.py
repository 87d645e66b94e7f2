"""Errors of the drill, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "drill.no_incident",
        ExitStatus.NOT_FOUND,
        "A library has no incident",
        "The folder holds a recording, but no folder below it has metrics.csv and target.json.",
        "Record an incident below the recording, or name another folder.",
        "x0tta drill list --data recordings/",
    ),
    Entry(
        "drill.no_truth",
        ExitStatus.NOT_YET_KNOWN,
        "No incident says what its root cause was",
        "Accuracy is a comparison with recorded root causes, and no target.json names one.",
        'Give each target.json a "root_cause", or run incidents one by one.',
        '{"target": {"node": "frontend", "metric": "latency"}, "root_cause": {"node": "cart"}}',
    ),
)
