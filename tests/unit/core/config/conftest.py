"""A configuration with everything that a section may have, for tests of whole files."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from x0tta_cli.core.config import layers


class Mode(StrEnum):
    FAST = "fast"
    SAFE = "safe"


class Channel(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Who is told.")
    token: SecretStr | None = None


class Limits(BaseModel):
    lower: int = 0
    upper: int = 100

    @model_validator(mode="after")
    def _ordered(self) -> Limits:
        if self.lower > self.upper:
            raise ValueError("the lower limit lies above the upper")
        return self


class Alert(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(1, ge=0, description="How many, at most. " * 8)
    ratio: float = 0.5
    is_on: bool = False
    name: str = "a \"name\" with 'quotes'"
    wait: timedelta = timedelta(seconds=90)
    folder: Path | None = None
    home: Path = Path("/srv/x0tta")
    mode: Mode = Mode.SAFE
    level: Literal[1, 2, "max"] = 1
    numbers: tuple[int, ...] = (1, 2)
    folders: list[Path] = []
    labels: dict[str, str] = {}
    day: date | None = None
    token: SecretStr | None = None
    limits: Limits = Field(default_factory=Limits, description="Where it ends.")
    channel: Channel | None = None
    channels: list[Channel] = []


class Pay(BaseModel):
    wallet: str = Field(description="Where the money goes; has no default.")


@pytest.fixture
def models() -> dict[str, Any]:
    return {"alert": Alert, "pay": Pay}


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    """The user's file, in a folder that exists."""
    path = tmp_path / "xdg" / "x0tta" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def system_file() -> Path:
    layers.SYSTEM_FILE.parent.mkdir(parents=True)
    return layers.SYSTEM_FILE
