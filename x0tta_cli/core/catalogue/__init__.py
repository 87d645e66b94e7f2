"""The catalogue of error codes: what `x0tta explain` and the README's table are made of.

One module per area, each with its entries sorted by code. An error that is raised with a code
that is missing here, or an entry that nothing raises, fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from x0tta_cli.core.catalogue import (
    alert,
    doctor,
    drill,
    ebpf,
    flags,
    house,
    ml,
    pay,
    telemetry,
    terminal,
)
from x0tta_cli.core.catalogue.entry import Entry

__all__ = ["CATALOGUE", "Entry"]

CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {
        entry.code: entry
        for area in (house, terminal, doctor, telemetry, ebpf, ml, pay, alert, drill, flags)
        for entry in area.ENTRIES
    }
)
