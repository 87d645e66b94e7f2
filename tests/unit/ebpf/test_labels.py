"""Labels in pins and on command lines: what is written is read back, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from x0tta_cli.ebpf.holders import keeper_label
from x0tta_cli.ebpf.labels import Label, parse_label, quoted

WHEN = datetime(2026, 11, 25, 5, 0, 7, tzinfo=UTC)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
labels = st.builds(
    Label,
    program=st.text(min_size=1, max_size=30),
    operation=st.text("0123456789abcdef", min_size=12, max_size=12),
    attached_at=instants,
    parameters_digest=st.text("0123456789abcdef", min_size=16, max_size=16),
    expires_at=st.none() | instants,
)


@given(labels)
def test_a_label_is_read_back_as_it_was_written(label):
    assert parse_label(str(label)) == label


@given(labels)
def test_a_label_can_stand_in_the_bpf_file_system(label):
    # It keeps names with a dot to itself; a slash would be a folder.
    assert not set("./\0") & set(str(label))


@given(st.text())
def test_what_is_no_label_is_none(text):
    parsed = parse_label(text)
    assert parsed is None or parse_label(str(parsed)) == parsed


def test_an_instant_in_another_zone_is_written_in_utc():
    shifted = WHEN.astimezone(tz=datetime.now().astimezone().tzinfo)
    label = Label("count", "0" * 12, shifted, "a" * 16, shifted + timedelta(minutes=1))
    assert "20261125T050007Z-20261125T050107Z" in str(label)


def test_only_a_keeper_has_a_keepers_command_line():
    label = Label("count", "0" * 12, WHEN, "a" * 16)
    line = ["python", "-m", "x0tta_cli.ebpf.keeper", str(label), "eth0", ""]
    assert keeper_label("\0".join(line).encode()) == label
    for other in (["python", "-m", "x0tta_cli.other", str(label)], line[:3], ["vi", *line[2:]]):
        assert keeper_label("\0".join(other).encode()) is None


def test_signs_that_a_name_may_not_have_are_written_as_bytes():
    assert quoted("eth0.100") == "eth0%2E100"
    assert quoted("ä-b") == "%C3%A4%2Db"
