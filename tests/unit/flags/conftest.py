"""A configuration of each test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from x0tta_cli.core.config import layers


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("X0TTA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(layers, "SYSTEM_FILE", tmp_path / "etc" / "config.toml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The user's file, in a folder that exists."""
    path = tmp_path / "xdg" / "x0tta" / "config.toml"
    path.parent.mkdir(parents=True)
    return path
