"""Metrics as files, read back by Prometheus' own parser."""

from __future__ import annotations

import os
import stat

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from x0tta_cli.core.errors import NotFoundError, UsageError
from x0tta_cli.core.textfile import heartbeat, heartbeat_file, write_textfile


def samples(path):
    return {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


@pytest.fixture
def registry():
    registry = CollectorRegistry()
    Counter("x0tta_test", "A count.", registry=registry).inc(3)
    return registry


def test_a_registry_is_written_in_the_text_format_for_everybody_to_read(tmp_path, registry):
    umask = os.umask(0o077)
    try:
        write_textfile(tmp_path / "x0tta.prom", registry)
    finally:
        os.umask(umask)
    assert samples(tmp_path / "x0tta.prom")["x0tta_test_total"] == ({}, 3)
    assert stat.S_IMODE((tmp_path / "x0tta.prom").stat().st_mode) == 0o644


def test_a_file_is_replaced_not_written_into(tmp_path, registry):
    path = tmp_path / "x0tta.prom"
    path.write_text("whole\n")
    with path.open() as reader:
        write_textfile(path, registry)
        assert reader.read() == "whole\n"
    assert [found.name for found in tmp_path.iterdir()] == ["x0tta.prom"]


def test_a_file_that_would_never_be_collected_is_refused(tmp_path, registry):
    with pytest.raises(UsageError) as refused:
        write_textfile(tmp_path / "x0tta.txt", registry)
    assert refused.value.code == "textfile.bad_suffix"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path, registry):
    with pytest.raises(NotFoundError) as refused:
        write_textfile(tmp_path / "none" / "x0tta.prom", registry)
    assert refused.value.code == "files.no_such_folder"


def test_a_heartbeat_has_a_gauge_for_each_value_and_its_name_as_a_label(tmp_path):
    path = heartbeat(tmp_path, "backup", {"duration_seconds": 1.5, "status": 0}, {"about": "db"})
    assert path == tmp_path / "x0tta_heartbeat_backup.prom"
    labels = {"name": "backup", "about": "db"}
    assert samples(path) == {
        "x0tta_heartbeat_duration_seconds": (labels, 1.5),
        "x0tta_heartbeat_status": (labels, 0),
    }


def test_a_heartbeat_can_be_given_a_file_of_its_own(tmp_path):
    path = heartbeat(tmp_path / "mine.prom", "backup", {"status": 0})
    assert path == tmp_path / "mine.prom"
    assert "x0tta_heartbeat_status" in samples(path)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "two words", "a" * 101, "a\n"])
def test_a_name_that_can_be_no_file_is_refused(tmp_path, name):
    with pytest.raises(UsageError) as refused:
        heartbeat_file(tmp_path, name)
    assert refused.value.code == "textfile.bad_name"
