"""What of ours is pinned, read from names alone."""

from __future__ import annotations

from datetime import UTC, datetime

from x0tta_cli.ebpf import pins
from x0tta_cli.ebpf.labels import Label

LABEL = Label("count", "2n7dmmeg3mxm", datetime(2026, 11, 25, tzinfo=UTC), "a" * 16)


def test_pins_of_ours_are_listed_and_anything_else_is_passed_over(tmp_path):
    folder = pins.folder(tmp_path)
    folder.mkdir()
    name = f"link-eth0%2E100-7-4026531833-{LABEL}"
    for other in (name, "link-eth0-7", "xdp-dispatcher", "link-a-b-c-d", f"map-eth0-7-1-{LABEL}"):
        (folder / other).touch()
    [found] = pins.list_pins(tmp_path)
    assert found.place == pins.Place("eth0.100", 7, 4026531833)
    assert (found.kind, found.label, found.path) == ("link", LABEL, folder / name)


def test_without_a_folder_there_are_no_pins(tmp_path):
    assert pins.list_pins(tmp_path) == []


def test_the_folder_goes_with_its_last_pin(tmp_path):
    folder = pins.folder(tmp_path)
    folder.mkdir()
    (folder / "one").touch()
    (folder / "two").touch()
    pins.remove(folder / "one")
    assert folder.exists()
    pins.remove(folder / "two")
    assert not folder.exists()
    pins.remove(folder / "two")


def test_a_folder_that_is_no_bpf_file_system_is_seen(tmp_path):
    assert not pins.is_mounted(tmp_path)
    assert not pins.is_mounted(pins.folder(tmp_path))


def test_parts_are_removed_with_their_folder(tmp_path):
    parts = pins.parts_folder(tmp_path, "2n7dmmeg3mxm")
    parts.mkdir(parents=True)
    (parts / "map_jumps").touch()
    assert [operation for operation, _ in pins.operations_with_parts(tmp_path)] == ["2n7dmmeg3mxm"]
    assert pins.remove_parts(tmp_path, "2n7dmmeg3mxm")
    assert not pins.remove_parts(tmp_path, "2n7dmmeg3mxm")
    assert not pins.folder(tmp_path).exists()
