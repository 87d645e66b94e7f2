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
    prometheus_url: str | None = Field(
        None,
        pattern="^https?://",
        description="The Prometheus that should be ready.",
        examples=["http://127.0.0.1:9090"],
    )
    kubernetes_url: str | None = Field(
        None,
        pattern="^https?://",
        description="The Kubernetes API that should be ready.",
        examples=["https://127.0.0.1:6443"],
    )
