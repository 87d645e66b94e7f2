"""The objects come from their sources, byte for byte, wherever they are built."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OBJECTS = Path("x0tta_cli/ebpf/objects")


@pytest.fixture
def elsewhere(tmp_path):
    """A copy of the sources in a folder of another name and depth."""
    copy = tmp_path / "some where" / "else"
    (copy / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/build-bpf", copy / "scripts")
    shutil.copytree(ROOT / OBJECTS, copy / OBJECTS)
    return copy


def build(folder, *options):
    return subprocess.run(
        [folder / "scripts/build-bpf", *options], capture_output=True, text=True, check=False
    )


def test_the_objects_come_from_their_sources():
    ended = build(ROOT, "--check")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_build_elsewhere_gives_the_same_bytes(elsewhere):
    for path in (elsewhere / OBJECTS).glob("*.o"):
        path.unlink()
    assert build(elsewhere).returncode == 0
    built = {path.name: path.read_bytes() for path in (elsewhere / OBJECTS).glob("*.o")}
    here = {path.name: path.read_bytes() for path in (ROOT / OBJECTS).glob("*.o")}
    assert built == here
    assert len(here) == 12


def test_a_source_that_was_changed_fails_the_check(elsewhere):
    source = elsewhere / OBJECTS / "count.bpf.c"
    source.write_text(source.read_text().replace("return pass(&packet)", "return XDP_DROP"))
    ended = build(elsewhere, "--check")
    assert ended.returncode == 1
    assert "count.bpf.o does not come from its source" in ended.stderr


def test_an_object_without_a_source_fails_the_check(elsewhere):
    (elsewhere / OBJECTS / "stray.bpf.o").write_bytes(b"left over")
    ended = build(elsewhere, "--check")
    assert ended.returncode == 1
    assert "stray.bpf.o" in ended.stderr
