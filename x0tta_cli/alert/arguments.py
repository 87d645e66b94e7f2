"""Reads what a command line gives: names, `k=v` pairs, durations, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from x0tta_cli.alert.model import LONGEST
from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.notices import MAX_KEY_LENGTH, Notice, Severity
from x0tta_cli.core.times import format_duration, parse_duration, parse_instant

# A subject of a mail and a page's headline hold it whole.
MAX_NAME_LENGTH = 200


def text(given: str) -> str:
    """Read any text; bytes that are no UTF-8 become '?', as in all that is kept and sent."""
    return given.encode("utf-8", "replace").decode()


def name(given: str) -> str:
    """Read what an alert is called; raises UsageError `alert.bad_name`."""
    if given.strip() and len(given) <= MAX_NAME_LENGTH and given.isprintable():
        return given
    raise UsageError(
        "alert.bad_name",
        "The alert can't be called so.",
        reason=f"A name has 1 to {MAX_NAME_LENGTH} printable characters, and is not blank.",
        fix="x0tta alert send HighLatency",
    )


def seconds(given: str, option: str) -> float:
    """Read a duration that has to be one; raises UsageError `alert.bad_duration`, and as times."""
    duration = parse_duration(given)
    if duration and duration <= LONGEST:
        return duration.total_seconds()
    raise UsageError(
        "alert.bad_duration",
        f"{option} {given} can't be.",
        reason=f"It has to be longer than nothing, and at most {format_duration(LONGEST)}.",
        fix=f"{option} 10m",
    )


def start(given: str) -> datetime:
    """Read when something began; raises UsageError `alert.bad_start`, and as times."""
    now = datetime.now(UTC)
    began = parse_instant(given, now)
    if began <= now:
        return began
    raise UsageError(
        "alert.bad_start",
        f"An alert can't have begun at {given}, a time to come.",
        reason="An Alertmanager would keep it to itself until then.",
        fix="--since -10m",
    )


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Read `name=value` texts; raises UsageError `alert.bad_pair`."""
    read = {}
    for given in map(text, texts):
        label, separator, value = given.partition("=")
        if not separator or not label.strip():
            raise UsageError(
                "alert.bad_pair",
                f"{option} '{given}' is no NAME=VALUE.",
                reason="A name goes before the '=', its value behind it.",
                fix=f"{option} component=cart",
            )
        read[label.strip()] = value
    return read


def severity(given: str) -> Severity:
    """Read a severity; raises UsageError `alert.bad_severity`."""
    try:
        return Severity(given.lower())
    except ValueError:
        raise UsageError(
            "alert.bad_severity",
            f"There is no severity '{given}'.",
            reason=f"There are {', '.join(Severity)}.",
            fix="--severity warning",
        ) from None


def notice(
    named: str,
    severity_word: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_at: datetime | None = None,
) -> Notice:
    """Word an alert; without a start it begins now. Raises as `name` and `severity`."""
    told = dict(annotations)
    return Notice(
        name=name(named),
        severity=severity(severity_word),
        labels=labels,
        annotations=told,
        starts_at=starts_at or datetime.now(UTC),
        source_url=told.pop("source_url", ""),
        runbook_url=told.pop("runbook_url", ""),
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
