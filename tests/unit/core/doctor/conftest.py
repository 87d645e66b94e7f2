"""Surroundings of a machine that is made of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from x0tta_cli.core import config
from x0tta_cli.core.doctor import Surroundings


@pytest.fixture
def surroundings(tmp_path: Path, state) -> Surroundings:
    """A machine whose root is a folder of the test, without a configuration."""
    root = tmp_path / "root"
    for folder in ("proc/self", "proc/sys/kernel", "sys/kernel/btf", "usr/include"):
        (root / folder).mkdir(parents=True)
    (root / "proc/sys/kernel/osrelease").write_text("6.1.0-18-amd64\n")
    (root / "proc/self/status").write_text("Name:\tx\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n")
    (root / "proc/mounts").write_text("bpf /sys/fs/bpf bpf rw,nosuid 0 0\n")
    (root / "sys/kernel/btf/vmlinux").touch()
    return Surroundings(config.load(environ={}), {}, "http://127.0.0.1:9", root)


@pytest.fixture
def codes():
    """Codes and objects of what a check found."""
    return lambda observed: [(finding.code, finding.object) for finding in observed.findings]
