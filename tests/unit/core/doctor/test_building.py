from __future__ import annotations

from pathlib import Path

import pytest

from x0tta_cli.core.doctor import building

TARGETS = "  Registered Targets:\n    bpf     - BPF (host endian)\n    x86-64  - 64-bit X86\n"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A PATH of the test's own, and how to put a program into it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def write(name, output=""):
        path = folder / name
        path.write_text(f"#!/bin/sh\nwhile read line; do echo \"$line\"; done <<'E'\n{output}\nE\n")
        path.chmod(0o755)
        return str(path)

    return write


def test_without_a_compiler_it_says_how_to_install_one(surroundings, programs, codes):
    programs("apt-get")
    observed = building.look_at_compiler(surroundings)
    assert codes(observed) == [("doctor.no_compiler", "clang")]
    assert observed.findings[0].fix == "sudo apt-get install clang"


def test_the_newest_numbered_compiler_is_found(surroundings, programs):
    programs("clang-9", f"clang version 9.0.1\n{TARGETS}")
    programs("clang-14", f"Debian clang version 14.0.6\n{TARGETS}")
    programs("clang-format-15", "")
    assert building.look_at_compiler(surroundings).summary == "clang 14.0.6"


def test_a_compiler_without_bpf_is_none(surroundings, programs, codes):
    path = programs("clang", "clang version 14.0.6\n    x86-64 - 64-bit X86")
    assert codes(building.look_at_compiler(surroundings)) == [("doctor.no_compiler", path)]


def test_a_compiler_that_cannot_be_run_is_none(surroundings, programs, codes):
    path = programs("clang")
    Path(path).write_text("#!/nowhere/at/all\n")
    assert codes(building.look_at_compiler(surroundings)) == [("doctor.no_compiler", path)]


def test_headers_are_looked_for_also_by_architecture(surroundings, programs, codes):
    programs("dnf")
    include = surroundings.root / "usr/include"
    observed = building.look_at_headers(surroundings)
    assert [subject for _, subject in codes(observed)] == [header for _, header in building.HEADERS]
    assert observed.findings[-1].fix == "sudo dnf install libbpf-devel"
    for header in ("linux/bpf.h", "x86_64-linux-gnu/asm/types.h", "bpf/bpf_helpers.h"):
        (include / header).parent.mkdir(parents=True)
        (include / header).touch()
    assert building.look_at_headers(surroundings).findings == ()
