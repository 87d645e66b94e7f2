"""Errors of flags, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry
from x0tta_cli.core.errors import ExitStatus

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "flags.switched_off",
        ExitStatus.UNSUPPORTED,
        "A part of x0tta is switched off",
        "A flag of the configuration or the environment switches off what the command needs. "
        "Somebody wanted it so; the error says where the flag is set.",
        "Ask who has set it, or set it to on.",
        "x0tta config set flags.graphsage on",
    ),
    Entry(
        "flags.unknown",
        ExitStatus.NOT_FOUND,
        "There is no such flag",
        "This version has no flag of that name; it may be misspelt.",
        "Choose one that there is.",
        "x0tta flags list",
    ),
)
