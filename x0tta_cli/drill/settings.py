"""The `[drill]` section of the configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class DrillSettings(BaseModel):
    """What a drill takes from the configuration; options of the command win over it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path | None = Field(None, description="Folder of recorded incidents; default: PetShop.")
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of training; same seed, same numbers.")
    false_alarm_rate: float = Field(
        0.01, gt=0, lt=0.5, description="Stated false alarms per component and healthy sample."
    )
    top_3_floor: float = Field(
        0.8, ge=0, le=1, description="Top-3 accuracy that `drill run --all` needs for status 0."
    )
