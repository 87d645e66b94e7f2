"""Whether configured sources serve: reachable, key accepted, index fresh."""

from __future__ import annotations

from collections.abc import Mapping

from x0tta_cli.core.doctor.model import Finding, Observed
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.core.notices import Severity
from x0tta_cli.pay.chains.registry import CountedHere, open_sources
from x0tta_cli.pay.chains.settings import SourceSettings


def look_at_sources(sources: Mapping[str, SourceSettings]) -> Observed:
    """Ask each source how far its index is: one request each, which no budget counts.

    Raises UnsupportedError `extras.missing`.
    """
    well, findings = [], []
    with open_sources(sources, usage=CountedHere()) as opened:
        for name, source in opened.items():
            try:
                source.horizon()
            except OperatorError as error:
                is_passing = error.code in {"pay.source_throttled", "pay.index_stale"}
                severity = Severity.WARNING if is_passing else Severity.ERROR
                findings.append(Finding.from_error(error, f"pay.sources.{name}", severity))
            else:
                well.append(name)
    return Observed(f"{', '.join(well)} well" if well else "", tuple(findings))
