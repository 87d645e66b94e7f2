"""Programs that are built here, and pairs of interfaces that they are attached to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import veth

from x0tta_cli.core.doctor.building import find_clang

HEADER = """
#define SEC(name) __attribute__((section(name), used))
struct xdp_md { unsigned data, data_end, data_meta, ingress, queue, egress; };
"""
LICENSE = '\nchar license_of_program[] SEC("license") = "GPL";\n'


@pytest.fixture
def source(tmp_path) -> Callable[..., Path]:
    """Write a BPF source, with what every one begins and ends with."""

    def write(text: str, name: str = "own") -> Path:
        path = tmp_path / f"{name}.bpf.c"
        path.write_text(HEADER + text + LICENSE)
        return path

    return write


@pytest.fixture
def build(source) -> Callable[..., Path]:
    """Compile a BPF source into an object."""

    def compile_it(text: str, name: str = "own", *, debug: bool = True) -> Path:
        path = source(text, name)
        target = path.with_suffix(".o")
        clang = find_clang()
        assert clang, "these tests need clang"
        options = ["-target", "bpf", "-O2", *(["-g"] if debug else [])]
        subprocess.run([clang, *options, "-c", path, "-o", target], check=True)
        return target

    return compile_it


@pytest.fixture
def bpffs(tmp_path) -> Iterator[Path]:
    """A BPF file system of the test's own."""
    with veth.bpf_filesystem(tmp_path / "bpf") as path:
        yield path


@pytest.fixture
def veths() -> Iterator[veth.Pair]:
    """Two namespaces with a pair of interfaces between them."""
    with veth.veth_pair() as made:
        yield made
