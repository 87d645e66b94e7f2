"""The tables `[pay.sources.NAME]` of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Kind = Literal["trongrid", "tronscan", "tonapi", "toncenter"]


class SourceSettings(BaseModel):
    """One public API of a chain, and what it may be asked.

    Without figures of its own a source keeps to what the provider grants: with a key 15 requests
    a second and 100,000 a day on TRON, 10 a second at toncenter, and 1 a second without a key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field(description="Whose API it speaks.")
    base_url: str = Field(
        "", description="Where, without /v1, /v2 or /api; empty: the provider's own address."
    )
    key: SecretStr | None = Field(None, description="The API key, as {env = …} or {file = …}.")
    network: Literal["mainnet", "testnet"] = Field(
        "mainnet", description="The network that the address serves."
    )
    requests_per_second: Annotated[float, Field(gt=0)] | None = Field(
        None, description="At most so many requests in any second."
    )
    requests_per_day: Annotated[int, Field(gt=0)] | None = Field(
        None, description="At most so many requests a day (UTC), over all runs."
    )
    page_size: Annotated[int, Field(gt=0, le=200)] | None = Field(
        None, description="Rows asked for at once; the provider's most, at most 200, by default."
    )
    stale_after_s: Annotated[float, Field(gt=0)] = Field(
        600.0, description="An index that is further behind than this counts as stale."
    )
