"""Durations and instants as operators write and read them: one parser for the whole house."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from x0tta_cli.core.errors import UsageError

_UNIT_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
# Compiled when first used: most commands read no time at all.
_PART = rf"({_NUMBER})(ms|[wdhms])"
_DURATION = rf"(?:{_NUMBER}(?:ms|[wdhms]))+"
_INSTANT = (
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?P<fraction>\.[0-9]{1,18})? ?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `90s`, `10m`, `1h30m`, `1.5d` or `250ms`.

    Units are w d h m s ms, each at most once, the longer first; the finest duration is one
    microsecond. Raises UsageError `times.bad_duration`.
    """
    written = text.strip()
    if not re.fullmatch(_DURATION, written):
        raise _bad_duration(text, "A number has to be followed by its unit: w, d, h, m, s or ms.")
    parts: list[tuple[str, str]] = re.findall(_PART, written)
    lengths = [_UNIT_MICROSECONDS[unit] for _, unit in parts]
    if any(longer <= shorter for longer, shorter in pairwise(lengths)):
        raise _bad_duration(text, "Units stand once each, the longer before the shorter.")
    microseconds = 0
    for number, unit in parts:
        whole, _, fraction = number.partition(".")
        share, rest = divmod(int(whole + fraction) * _UNIT_MICROSECONDS[unit], 10 ** len(fraction))
        if rest:
            raise _bad_duration(text, "It is finer than a microsecond.")
        microseconds += share
    try:
        return timedelta(microseconds=microseconds)
    except OverflowError:
        raise _bad_duration(text, "It is longer than a calendar.") from None


def format_duration(duration: timedelta) -> str:
    """Write a duration so that `parse_duration` reads it back: `1d2h`, `1m30s`, `1.5s`, `250ms`."""
    microseconds = duration // timedelta(microseconds=1)
    sign, rest = ("-" if microseconds < 0 else ""), abs(microseconds)
    if 0 < rest < _UNIT_MICROSECONDS["s"]:
        return f"{sign}{_decimal(rest, _UNIT_MICROSECONDS['ms'])}ms"
    parts = []
    for unit in "dhm":
        count, rest = divmod(rest, _UNIT_MICROSECONDS[unit])
        parts += [f"{count}{unit}"] if count else []
    if rest or not parts:
        parts.append(f"{_decimal(rest, _UNIT_MICROSECONDS['s'])}s")
    return sign + "".join(parts)


def parse_instant(text: str, now: datetime | None = None) -> datetime:
    """Read an instant: RFC 3339 (`2026-11-25T10:00:00Z`), or relative to `now` (`-2h`, `now`).

    The result is in UTC; digits beyond microseconds are dropped, and a leap second is the first
    of the next minute. `now` (aware) is the clock's where it is not given. Raises UsageError
    `times.bad_instant`.
    """
    written = text.strip()
    try:
        if written == "now" or written[:1] in {"-", "+"}:
            return _relative(written, now or datetime.now(UTC))
        return _absolute(written)
    except (ValueError, OverflowError) as error:
        raise _bad_instant(text, f"There is no such instant: {error}.") from None


def format_instant(instant: datetime) -> str:
    """Write an aware instant in UTC as RFC 3339: `2026-11-25T10:00:00Z`."""
    return _aware(instant).astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_local(instant: datetime) -> str:
    """Write an aware instant for a terminal: local, to the second, with its offset."""
    return _aware(instant).astimezone().isoformat(" ", "seconds")


def _relative(written: str, now: datetime) -> datetime:
    if written == "now":
        return _aware(now).astimezone(UTC)
    try:
        distance = parse_duration(written[1:])
    except UsageError as error:
        raise _bad_instant(written, error.reason) from None
    return _aware(now).astimezone(UTC) + (-distance if written[0] == "-" else distance)


def _absolute(written: str) -> datetime:
    found = re.fullmatch(_INSTANT, written)
    if found is None:
        raise _bad_instant(written, "It is neither RFC 3339 nor a distance from now.")
    if found["offset"] is None:
        raise _bad_instant(written, "It does not say in which time zone.")
    is_leap = found["second"] == "60"
    second = "59" if is_leap else found["second"]
    fraction = (found["fraction"] or ".0")[:7]
    offset = found["offset"].upper().replace("Z", "+00:00")
    instant = datetime.fromisoformat(f"{found['date']}T{found['minute']}:{second}{offset}")
    # Seconds beyond the parser's own resolution go in by hand: it takes 3 or 6 digits alone.
    instant += timedelta(microseconds=int(fraction[1:].ljust(6, "0")), seconds=int(is_leap))
    return instant.astimezone(UTC)


def _decimal(count: int, per: int) -> str:
    """Write count / per exactly; `per` is a power of ten."""
    whole, rest = divmod(count, per)
    digits = str(rest).rjust(len(str(per)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"the instant {instant.isoformat()} has no time zone")
    return instant


def _bad_duration(text: str, reason: str) -> UsageError:
    return UsageError(
        "times.bad_duration",
        f"'{text}' is not a duration.",
        reason=reason,
        fix="Write it as 90s, 10m, 1h30m or 250ms.",
        context={"value": text},
    )


def _bad_instant(text: str, reason: str) -> UsageError:
    return UsageError(
        "times.bad_instant",
        f"'{text}' is not an instant.",
        reason=reason,
        fix="Write it as 2026-11-25T10:00:00Z, with an offset such as +02:00, or as -2h.",
        context={"value": text},
    )
