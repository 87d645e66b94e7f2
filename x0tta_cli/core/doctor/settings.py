"""The `[doctor]` section of the configuration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DoctorSettings(BaseModel):
    """What the doctor takes from the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    internet_url: str = Field(
        "http://www.kernel.org",
        pattern="^https?://",
        description="A server that answers wherever there is internet; its clock is compared.",
    )
