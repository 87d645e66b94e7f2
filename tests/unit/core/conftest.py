"""Configuration, state and secrets of each test's own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from x0tta_cli.core import secrets
from x0tta_cli.core.config import layers

NOBODY = 65534


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("X0TTA_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(layers, "SYSTEM_FILE", tmp_path / "etc" / "config.toml")
    monkeypatch.setattr(secrets, "_values", set())


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user who is not root, for a test that runs as that user."""
    folder = Path(tempfile.mkdtemp(prefix="x0tta-test-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, NOBODY, NOBODY)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
            os.setegid(0)
        folder.chmod(0o700)
        shutil.rmtree(folder)
