"""What the outbox tells of itself: of its channels, dead letters and storms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from x0tta_cli.core.notices import Notice, Severity

# The label of such an alert, which is neither collapsed nor told of again.
OWN = {"origin": "x0tta-alert"}


def own_notice(
    name: str,
    severity: Severity,
    labels: Mapping[str, str],
    summary: str,
    now: float,
    *,
    lasting: timedelta | None = None,
) -> Notice:
    """Word what the outbox tells of itself."""
    starts_at = datetime.fromtimestamp(now, UTC)
    return Notice(
        name=name,
        severity=severity,
        labels={**labels, **OWN},
        annotations={"summary": summary},
        starts_at=starts_at,
        ends_at=starts_at + lasting if lasting else None,
    )
