"""The configuration section `[pay]`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from x0tta_cli.pay.chains.settings import SourceSettings

_WHOLE_UNITS = r"^(0|[1-9][0-9]{0,12})(\.[0-9]{1,9})?$"


class BotSettings(BaseModel):
    """The Telegram bot: by long polling, or by webhook where `webhook_url` is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr | None = Field(default=None, description="The bot's token, from @BotFather.")
    api_url: Annotated[str, Field(pattern=r"^https?://[^\s]+[^/\s]$")] = Field(
        default="https://api.telegram.org", description="Where the Bot API is."
    )
    webhook_url: Annotated[str, Field(pattern=r"^https?://[^\s]+/telegram$")] | None = Field(
        default=None,
        description="Where Telegram reaches the bot: your proxy's URL, ending in /telegram.",
        examples=["https://bot.example.org/telegram"],
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="What Telegram has to send with each update."
    )
    listen: str = Field(default="127.0.0.1:8443", description="Where the proxy reaches the bot.")


class PaySettings(BaseModel):
    """What can be set under `[pay]`; amounts are decimal text in whole units of an asset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: dict[str, SourceSettings] = Field(
        {}, description="The public APIs that are read, by a name of your own."
    )
    quorum: Annotated[str, Field(pattern=_WHOLE_UNITS)] = Field(
        "1000", description="Above this amount two independent sources must agree before 'paid'."
    )
    tolerance: Annotated[str, Field(pattern=_WHOLE_UNITS)] = Field(
        "0", description="By how much a payment may differ from its order and still be right."
    )
    amount_hold: Annotated[timedelta, Field(gt=timedelta(0))] = Field(
        timedelta(days=30),
        description="How long an order without an end keeps the unique amount it was given.",
    )
    overlap: timedelta = Field(
        timedelta(hours=2), description="How much of the time read before is read once more."
    )
    stale_after: timedelta = Field(
        timedelta(minutes=30), description="A wallet unread for longer is worth a notice."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL for several machines; else SQLite in the state folder."
    )
    heartbeat_url: SecretStr | None = Field(
        None, description="Told after each reconcile, with the head of the log."
    )
    textfile: Path | None = Field(
        None, description="Folder of node_exporter's textfile collector, for the last run."
    )
    bot: BotSettings = Field(BotSettings(), description="The Telegram bot.")
