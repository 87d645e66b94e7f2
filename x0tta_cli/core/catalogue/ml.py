"""Errors of the detector, its explanations and rankings, sorted by code."""

from __future__ import annotations

from x0tta_cli.core.catalogue.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
