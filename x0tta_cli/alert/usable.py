"""As much of a broken section `[alert]` as is right: enough to end an alert, or to tell of one.

A mistake in one channel must not keep another from being told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, create_model

from x0tta_cli.alert.routing import ADD_A_CHANNEL
from x0tta_cli.alert.settings import AlertSettings, ChannelSettings, Route
from x0tta_cli.core.errors import OperatorError

if TYPE_CHECKING:
    from x0tta_cli.core.config import Configuration

log = logging.getLogger(__name__)

SECTION = "alert"
# What a model does not name is let pass as it stands.
_LENIENT = ConfigDict(extra="allow")


def usable_settings(configuration: Configuration) -> AlertSettings:
    """Read the section; what of it is wrong is left out, with a warning for each.

    Raises as `Configuration.section` where no part of it can be read: a file that is no TOML.
    """
    try:
        settings = configuration.section(SECTION, AlertSettings)
        routes = _usable_routes(settings.routes, settings.channels)
        return settings.model_copy(update={"routes": routes})
    except OperatorError as error:
        log.warning("the section [alert] is not valid: %s", error, extra={"fix": error.fix})
    channels = _channels(configuration)
    parts = _parts(configuration)
    parts["routes"] = _usable_routes(parts.get("routes", ()), channels)
    return AlertSettings(channels=channels, **parts)


def settings_or_nobody(read_settings: Callable[[], AlertSettings]) -> AlertSettings:
    """Read who is told; nobody where that can't be read, and an alert is kept until it can."""
    try:
        return read_settings()
    except OperatorError as error:
        log.error(
            "nobody can be told now: %s",
            error,
            extra={"code": error.code, "reason": error.reason, "fix": error.fix},
        )
        return AlertSettings.model_validate({})


def say_that_it_is_kept() -> None:
    """Log that an alert is on the disk for want of somebody to tell."""
    log.error(
        "nobody is told yet: it is kept until the configuration names a channel",
        extra={"fix": ADD_A_CHANNEL},
    )


def _channels(configuration: Configuration) -> dict[str, Any]:
    written = _read(configuration, {"channels": (dict[str, Any], {})}).channels
    channels = {}
    for name in written:
        if name.startswith("_") or hasattr(BaseModel, name):
            log.warning(
                "a channel is left out: its name is one of Python's", extra={"channel": name}
            )
            continue
        try:
            alone = _model({name: (ChannelSettings, ...)})
            found = _read(configuration, {"channels": (alone, ...)}).channels
        except OperatorError as error:
            log.warning("a channel is left out: %s", _words(error), extra={"channel": name})
            continue
        channels[name] = getattr(found, name)
    return channels


def _parts(configuration: Configuration) -> dict[str, Any]:
    parts = {}
    for name, field in AlertSettings.model_fields.items():
        if name == "channels":
            continue
        try:
            found = _read(configuration, {name: (field.annotation, field)})
        except OperatorError as error:
            log.warning("the default is taken: %s", _words(error), extra={"setting": name})
            continue
        parts[name] = getattr(found, name)
    return parts


def _usable_routes(routes: tuple[Route, ...], channels: Mapping[str, Any]) -> tuple[Route, ...]:
    """Leave out of the routes what is no channel, or was left out of them."""
    for name in sorted({name for route in routes for name in route.channels} - set(channels)):
        log.warning("a route names a channel that there is not", extra={"channel": name})
    kept = [
        route.model_copy(
            update={"channels": tuple(name for name in route.channels if name in channels)}
        )
        for route in routes
    ]
    return tuple(route for route in kept if route.channels)


def _words(error: OperatorError) -> str:
    return " ".join(filter(None, (str(error), error.reason)))


def _read(configuration: Configuration, fields: Mapping[str, Any]) -> Any:
    return configuration.section(SECTION, _model(fields))


def _model(fields: Mapping[str, Any]) -> Any:
    # Which fields it has is known at run time alone.
    make: Any = create_model
    return make("Part", __config__=_LENIENT, **fields)
