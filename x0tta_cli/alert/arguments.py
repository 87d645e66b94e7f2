"""Reads what a command line gives: `k=v` pairs, and texts that become notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.notices import MAX_KEY_LENGTH, Notice, Severity


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Read `name=value` texts; raises UsageError `alert.bad_pair`."""
    read = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise UsageError(
                "alert.bad_pair",
                f"{option} '{text}' is no NAME=VALUE.",
                reason="A name goes before the '=', its value behind it.",
                fix=f"{option} component=cart",
            )
        read[name.strip()] = value
    return read


def severity(text: str) -> Severity:
    """Read a severity; raises UsageError `alert.bad_severity`."""
    try:
        return Severity(text.lower())
    except ValueError:
        raise UsageError(
            "alert.bad_severity",
            f"There is no severity '{text}'.",
            reason=f"There are {', '.join(Severity)}.",
            fix="--severity warning",
        ) from None


def notice(
    name: str,
    severity_word: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_at: datetime | None = None,
) -> Notice:
    """Word an alert; without a start it begins now. Raises UsageError `alert.bad_severity`."""
    given = dict(annotations)
    return Notice(
        name=name,
        severity=severity(severity_word),
        labels=labels,
        annotations=given,
        starts_at=starts_at or datetime.now(UTC),
        source_url=given.pop("source_url", ""),
        runbook_url=given.pop("runbook_url", ""),
    )


def checked_key(key: str | None) -> str | None:
    """Check a key of the operator's own; raises UsageError `alert.bad_key`."""
    if key is None or (0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        return key
    raise UsageError(
        "alert.bad_key",
        "The deduplication key can't be used.",
        reason=f"It may have 1 to {MAX_KEY_LENGTH} printable characters, as PagerDuty's.",
        fix="--dedup-key cart-latency",
    )
