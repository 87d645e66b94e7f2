from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.core.times import (
    format_duration,
    format_instant,
    format_local,
    parse_duration,
    parse_instant,
)

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
INSTANTS = st.datetimes(
    min_value=datetime(2, 1, 1),
    max_value=datetime(9998, 1, 1),
    timezones=st.just(UTC),
)


def refusal(parse: Callable[[str], object], text: str) -> str | None:
    try:
        parse(text)
    except UsageError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("250ms", timedelta(milliseconds=250)),
        ("1m5ms", timedelta(minutes=1, milliseconds=5)),
        ("0.001ms", timedelta(microseconds=1)),
        ("2w", timedelta(days=14)),
        (" 1d ", timedelta(days=1)),
        ("0s", timedelta()),
    ],
)
def test_durations_that_operators_write(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "90", "s", "-2h", "1h 30m", "1m1h", "1s1s", "1,5h", "1e3s", "٣s", "1y", "0.0000001s",
     "999999999999999w", "1.s", ".5s", "inf", "1" * 5000 + "s"],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_a_mend(text):
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert caught.value.code == "times.bad_duration"
    assert caught.value.reason
    assert "1h30m" in caught.value.fix


@given(st.timedeltas(min_value=timedelta(0)))
def test_a_written_duration_reads_back_exactly(duration):
    assert parse_duration(format_duration(duration)) == duration


@given(st.text())
def test_any_text_is_a_duration_or_a_usage_error(text):
    assert refusal(parse_duration, text) in {None, "times.bad_duration"}


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(seconds=1.5), "1.5s"),
        (timedelta(milliseconds=250), "250ms"),
        (timedelta(days=1, hours=2), "1d2h"),
        (timedelta(hours=-1), "-1h"),
    ],
)
def test_durations_as_they_are_shown(duration, text):
    assert format_duration(duration) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25T10:00:00Z", NOW - timedelta(hours=2)),
        ("2026-11-25t10:00:00z", NOW - timedelta(hours=2)),
        ("2026-11-25 12:00:00+02:00", NOW - timedelta(hours=2)),
        ("2026-11-25 12:00:00 +02:00", NOW - timedelta(hours=2)),
        ("2026-11-25T10:00:00.5Z", NOW - timedelta(hours=2) + timedelta(milliseconds=500)),
        ("1970-01-01T00:00:00.1234567891Z", datetime(1970, 1, 1, 0, 0, 0, 123456, UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("-2h", NOW - timedelta(hours=2)),
        ("+90s", NOW + timedelta(seconds=90)),
        ("now", NOW),
    ],
)  # fmt: skip
def test_instants_that_operators_write(text, expected):
    instant = parse_instant(text, NOW)
    assert instant == expected
    assert instant.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-25", "2026-11-25T10:00:00", "2026-11-25T10:00Z",
     "2026-13-01T00:00:00Z",
     "2026-02-30T00:00:00Z", "2026-W48-3T00:00:00Z", "20261125T100000Z", "2026-11-25T24:00:01Z",
     "2026-11-25T10:00:61Z", "0001-01-01T00:00:00+01:00", "-2", "-", "-+2h", "-99999999w",
     "1764064800"],
)  # fmt: skip
def test_what_is_no_instant_is_refused_with_a_mend(text):
    with pytest.raises(UsageError) as caught:
        parse_instant(text, NOW)
    assert caught.value.code == "times.bad_instant"
    assert caught.value.reason
    assert caught.value.fix


def test_a_missing_offset_is_named_as_what_is_missing():
    with pytest.raises(UsageError, match="not an instant") as caught:
        parse_instant("2026-11-25T10:00:00")
    assert "time zone" in caught.value.reason


@given(st.text())
def test_any_text_is_an_instant_or_a_usage_error(text):
    assert refusal(parse_instant, text) in {None, "times.bad_instant"}


@given(INSTANTS, st.integers(-23 * 60, 23 * 60))
def test_a_written_instant_reads_back_exactly_from_any_zone(instant, offset_minutes):
    there = instant.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert parse_instant(format_instant(there)) == instant
    assert parse_instant(there.isoformat()) == instant
    assert format_instant(there).endswith("Z")


def test_the_local_form_has_its_offset_and_reads_back(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert format_local(NOW) == "2026-11-25 17:30:00+05:30"
        assert parse_instant(format_local(NOW)) == NOW
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("write", [format_instant, format_local])
def test_an_instant_without_a_zone_is_a_defect(write):
    with pytest.raises(ValueError, match="time zone"):
        write(datetime(2026, 1, 1))
