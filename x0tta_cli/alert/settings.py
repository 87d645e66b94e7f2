"""The configuration section `[alert]`: channels, and which alert goes to which of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, model_validator

from x0tta_cli.alert.model import LONGEST
from x0tta_cli.alert.rules.settings import RuleSettings

_FROZEN = ConfigDict(extra="forbid", frozen=True)
Period: TypeAlias = Annotated[timedelta, Field(gt=timedelta(0), le=LONGEST)]
# A key of TOML that needs no quotation marks, and that no file system or URL trips over.
ChannelName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
TimeSpan: TypeAlias = Annotated[
    str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")
]
HttpUrl: TypeAlias = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
# An address alone, or a name and the address in angle brackets; never more than one line.
MailAddress: TypeAlias = Annotated[
    str, Field(pattern=r"^(?:[^<>@\s]+@[^<>@\s]+|[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>)$")
]


class AlertmanagerChannel(BaseModel):
    """One Alertmanager, or all peers of a cluster: each of them gets every alert."""

    model_config = _FROZEN

    kind: Literal["alertmanager"]
    urls: tuple[HttpUrl, ...] = Field(min_length=1, description="Each peer of the cluster.")
    username: str | None = Field(default=None, description="Name for basic authentication.")
    password: SecretStr | None = Field(
        default=None, description="Password for basic authentication."
    )
    token: SecretStr | None = Field(default=None, description="Bearer token.")
    ca_file: Path | None = Field(
        default=None, description="Authorities that the server is checked with."
    )
    certificate_file: Path | None = Field(
        default=None, description="Client certificate, for mutual TLS."
    )
    key_file: Path | None = Field(default=None, description="Key of the client certificate.")


class TelegramChannel(BaseModel):
    """A chat at Telegram, told by a bot."""

    model_config = _FROZEN

    kind: Literal["telegram"]
    base_url: HttpUrl = Field("https://api.telegram.org", description="The Bot API's server.")
    token: SecretStr = Field(description="The bot's token.")
    chat_id: int | str = Field(description="Number of the chat, or @name of a channel.")
    thread_id: int | None = Field(default=None, description="Topic within the chat.")


class PagerDutyChannel(BaseModel):
    """A service at PagerDuty, by its Events API v2."""

    model_config = _FROZEN

    kind: Literal["pagerduty"]
    base_url: HttpUrl = Field("https://events.pagerduty.com", description="The Events API.")
    routing_key: SecretStr = Field(description="Integration key of the service.")
    rest_base_url: HttpUrl = Field("https://api.pagerduty.com", description="The REST API.")
    rest_token: SecretStr | None = Field(
        default=None, description="REST token; with it, incidents are read back and listed."
    )


class WebhookChannel(BaseModel):
    """A server of your own that takes JSON."""

    model_config = _FROZEN

    kind: Literal["webhook"]
    url: HttpUrl = Field(description="Where each alert is posted.")
    secret: SecretStr | None = Field(
        default=None, description="Signs each body (HMAC with SHA-256)."
    )


LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


class EmailFields(BaseModel):
    """What an e-mail channel has beside `from`."""

    model_config = _FROZEN

    kind: Literal["email"]
    host: str = Field(description="The mail server.")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    to: MailAddress | Annotated[tuple[MailAddress, ...], Field(min_length=1)] = Field(
        description="Who is told: an address, or several."
    )
    security: Literal["starttls", "tls", "none"] | None = Field(
        default=None,
        description="How the connection is protected. Unset: starttls; none on loopback without "
        "a username, where nothing leaves the machine.",
    )
    username: str | None = Field(default=None, description="Name at the mail server.")
    password: SecretStr | None = Field(default=None, description="Password at the mail server.")
    ca_file: Path | None = Field(
        default=None, description="Authorities that the server is checked with."
    )

    @property
    def sender(self) -> str:
        """The address that messages come from."""
        return str(getattr(self, "from"))

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who is told."""
        return (self.to,) if isinstance(self.to, str) else self.to

    @property
    def protection(self) -> str:
        """How the connection is protected: `starttls`, `tls` or `none`."""
        is_within = self.host in LOOPBACK_HOSTS and self.username is None
        return self.security or ("none" if is_within else "starttls")

    @model_validator(mode="after")
    def _sends_no_password_in_plain(self) -> Self:
        if self.username is not None and self.protection == "none":
            raise ValueError("a username needs security 'starttls' or 'tls'")
        return self


# Python's own word 'from' can be no name in a class body.
if TYPE_CHECKING:
    EmailChannel = EmailFields
else:
    EmailChannel = create_model(
        "EmailChannel",
        __base__=EmailFields,
        __module__=__name__,
        __doc__="A mail server that takes messages by SMTP.",
        **{"from": (MailAddress, Field(description="The address that messages come from."))},
    )


class AppriseChannel(BaseModel):
    """Any service that apprise knows: Slack, Matrix and a hundred others."""

    model_config = _FROZEN

    kind: Literal["apprise"]
    url: SecretStr = Field(description="The service as apprise writes it; it has secrets in it.")


ChannelSettings: TypeAlias = Annotated[
    AlertmanagerChannel
    | TelegramChannel
    | PagerDutyChannel
    | WebhookChannel
    | EmailChannel
    | AppriseChannel,
    Field(discriminator="kind"),
]


class Route(BaseModel):
    """Which channels tell of an alert; every label in `match` has to have one of its values."""

    model_config = _FROZEN

    match: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="A value, or several, by label; 'severity' and 'alertname' are labels too. "
        "Empty: all.",
    )
    channels: tuple[ChannelName, ...] = Field(min_length=1, description="Names of channels.")
    repeat: Period | None = Field(
        default=None, description="Alertmanager reminds this often while it fires (4h)."
    )
    quiet: tuple[ChannelName, ...] = Field(
        (), description="Names of quiet hours in which Alertmanager holds it back."
    )
    escalate_after: Period | None = Field(
        default=None,
        description='After this time it comes once more, with the label escalated="yes".',
    )

    def values(self) -> dict[str, tuple[str, ...]]:
        """Give the values that each label may have."""
        return {
            name: (values,) if isinstance(values, str) else values
            for name, values in self.match.items()
        }


class QuietHours(BaseModel):
    """When Alertmanager holds alerts back; what still fires afterwards is told then."""

    model_config = _FROZEN

    times: tuple[TimeSpan, ...] = Field(min_length=1, description="As 22:00-24:00, 00:00-06:00.")
    weekdays: tuple[str, ...] = Field((), description="As monday:friday; none: every day.")
    time_zone: str = Field("UTC", description="As Europe/Berlin; never guessed.")


class Storm(BaseModel):
    """When many alerts at once become one notice on channels that would ring for each."""

    model_config = _FROZEN

    alerts: int = Field(default=30, ge=2, description="More new alerts than this …")
    within: Period = Field(
        default=timedelta(minutes=1), description="… within this time are a storm."
    )


class Flapping(BaseModel):
    """When an alert that comes and goes is told of once, and then summed up."""

    model_config = _FROZEN

    changes: int = Field(default=6, ge=3, description="More changes than this …")
    within: Period = Field(
        default=timedelta(minutes=10), description="… within this time are flapping."
    )


class Serve(BaseModel):
    """What `alert serve` listens to and watches over."""

    model_config = _FROZEN

    listen: str = Field(
        default="127.0.0.1:9099", description="Where Alertmanager's webhook is taken."
    )
    token: SecretStr | None = Field(
        default=None, description="Bearer token that Alertmanager has to send."
    )
    watchdog: str = Field(
        default="Watchdog", description="Name of the alert that always fires: it is not told of."
    )
    watchdog_within: Period | None = Field(
        default=None, description="When it stays away longer than this, everybody is told."
    )


class AlertSettings(BaseModel):
    """What can be set under `[alert]`."""

    model_config = _FROZEN

    channels: dict[ChannelName, ChannelSettings] = Field(
        default_factory=dict, description="Who is told: [alert.channels.NAME] with a kind."
    )
    routes: tuple[Route, ...] = Field(
        (), description="First match wins; without routes every channel is told."
    )
    lasting: Period = Field(
        timedelta(hours=4),
        description="An Alertmanager ends an alert after this time, unless it is renewed.",
    )
    collapse_within: Period = Field(
        timedelta(minutes=5), description="What comes again within this time is counted, not told."
    )
    expires_after: Period = Field(
        timedelta(days=3), description="What could not be delivered by then is a dead letter."
    )
    channel_down_after: Period = Field(
        timedelta(minutes=2), description="A channel that fails this long is told of by the others."
    )
    storm: Storm = Field(Storm(), description="Many alerts at once.")
    flapping: Flapping = Field(Flapping(), description="Alerts that come and go.")
    serve: Serve = Field(Serve(), description="The long-running `alert serve`.")
    quiet_hours: dict[ChannelName, QuietHours] = Field(
        default_factory=dict, description="Quiet hours by name, for routes."
    )
    textfile_dir: Path = Field(
        Path("/var/lib/prometheus/node-exporter"),
        description="Folder of node_exporter's textfile collector, for `alert heartbeat`.",
    )
    rules: RuleSettings = Field(RuleSettings(), description="The rules for Prometheus.")
