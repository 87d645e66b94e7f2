"""Shared options found on lines that are right, wrong or half."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.core.errors import UsageError
from x0tta_cli.terminal.options import (
    SHARED_OPTIONS,
    count_leading,
    first_session,
    merged,
    scan,
    to_fields,
    to_form,
    to_seconds,
)
from x0tta_cli.terminal.session import Session

FLAGS = [flag for option in SHARED_OPTIONS for flag in option.flags]


@pytest.mark.parametrize(
    ("line", "output"),
    [
        (["drill", "-o", "json"], "json"),
        (["drill", "-ojson"], "json"),
        (["drill", "--output=json", "--nonsense"], "json"),
        (["-qvo", "json"], "json"),
        (["-o", "csv", "x", "-o", "json"], "json"),
        (["-o", "nonsense"], "table"),
        (["drill", "-o"], "table"),
        (["drill", "--", "-o", "json"], "table"),
        (["drill", "-xo", "json"], "table"),
    ],
)
def test_scan_finds_the_form(line, output):
    assert scan(line).output == output


@given(st.lists(st.sampled_from([*FLAGS, "json", "run", "--", "-x", "--y=1", "", "-", "-qx"])))
def test_scan_never_fails(line):
    assert isinstance(scan(line), Session)


@pytest.mark.parametrize(
    ("line", "count"),
    [
        (["run"], 0),
        (["-q", "run"], 1),
        (["-o", "json", "--utc", "run"], 3),
        (["--fields=a", "-x"], 1),
        (["-o"], 1),
        ([], 0),
    ],
)
def test_count_leading(line, count):
    assert count_leading(line) == count


def test_merged_keeps_what_was_not_given_again():
    outer = Session(output="json", quiet=True)
    assert merged(outer, {"output": None, "quiet": False, "utc": True}) == Session(
        output="json", quiet=True, utc=True
    )


@pytest.mark.parametrize(
    ("value", "read_only"),
    [("1", True), ("yes", True), ("nonsense", True), ("0", False), ("Off", False), ("", False)],
)
def test_read_only_is_on_unless_it_says_off(monkeypatch, value, read_only):
    monkeypatch.setenv("X0TTA_READ_ONLY", value)
    assert first_session().read_only is read_only


def test_conversions():
    assert to_form("wide") == "wide"
    assert to_fields(" a, b,,a") == ("a", "b")
    assert to_seconds("1m30s") == 90.0


@pytest.mark.parametrize(
    ("convert", "value"), [(to_form, "yaml"), (to_fields, " ,"), (to_seconds, "0s")]
)
def test_bad_values_are_usage_errors(convert, value):
    with pytest.raises(UsageError) as caught:
        convert(value)
    assert caught.value.code == "usage.bad_value"
