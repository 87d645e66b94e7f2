"""Which channels tell of an alert: one table of the configuration, the first match wins."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from x0tta_cli.alert.settings import AlertSettings, Route
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Notice

log = logging.getLogger(__name__)

ADD_A_CHANNEL = "Add [alert.channels.NAME] with its kind to the file that x0tta config path names."


def channels_for(notice: Notice, settings: AlertSettings) -> tuple[str, ...]:
    """Name the channels that tell of a notice, each once.

    Without routes, and where none matches, these are all: nothing is lost for a table's gap.
    Raises ConfigurationError `alert.no_channel` and `alert.unknown_channel`.
    """
    if not settings.channels:
        raise _no_channel()
    labels = {**notice.labels, "severity": notice.severity.value, "alertname": notice.name}
    for route in settings.routes:
        if _matches(route, labels):
            return _known(route, settings)
    if settings.routes:
        log.warning("no route matches, every channel is told", extra={"alert": notice.name})
    return tuple(settings.channels)


def check(settings: AlertSettings) -> None:
    """See that somebody is told, and that every route goes somewhere; raises as `channels_for`."""
    for route in settings.routes:
        _known(route, settings)
    if not settings.channels:
        raise _no_channel()


def _matches(route: Route, labels: Mapping[str, str]) -> bool:
    # As at Alertmanager, a label that is missing has an empty value.
    return all(labels.get(name, "") in values for name, values in route.values().items())


def _known(route: Route, settings: AlertSettings) -> tuple[str, ...]:
    for name in route.channels:
        if name not in settings.channels:
            raise ConfigurationError(
                "alert.unknown_channel",
                f"A route names the channel '{name}', which is not configured.",
                reason=f"There are {', '.join(sorted(settings.channels))}.",
                fix=f"Correct the route, or add [alert.channels.{name}].",
                context={"channel": name},
            )
    return tuple(dict.fromkeys(route.channels))


def _no_channel() -> ConfigurationError:
    return ConfigurationError(
        "alert.no_channel",
        "There is nobody to tell.",
        reason="The configuration names no channel.",
        fix=ADD_A_CHANNEL,
    )
