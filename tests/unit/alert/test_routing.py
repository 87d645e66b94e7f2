"""Which channels tell of an alert."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from x0tta_cli.alert.routing import channels_for
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core.errors import ConfigurationError
from x0tta_cli.core.notices import Notice, Severity

CHANNELS = {
    name: {"kind": "alertmanager", "urls": (f"http://{name}",)} for name in ("am", "page", "chat")
}


def settings(*routes):
    return AlertSettings.model_validate({"channels": CHANNELS, "routes": routes})


def notice(severity="warning", **labels):
    return Notice("HighLatency", Severity(severity), labels, datetime.now(UTC))


def test_without_routes_every_channel_is_told():
    assert channels_for(notice(), settings()) == ("am", "page", "chat")


def test_the_first_route_that_matches_wins():
    routes = (
        {"match": {"severity": ("critical",), "team": ("mesh", "core")}, "channels": ("page",)},
        {"match": {"alertname": ("HighLatency",)}, "channels": ("chat", "am", "chat")},
    )
    assert channels_for(notice("critical", team="core"), settings(*routes)) == ("page",)
    assert channels_for(notice("critical", team="other"), settings(*routes)) == ("chat", "am")
    assert channels_for(notice("warning", team="mesh"), settings(*routes)) == ("chat", "am")


def test_a_lone_value_is_compared_as_a_whole():
    routes = ({"match": {"team": "mesh"}, "channels": ("page",)},)
    assert channels_for(notice(team="mesh"), settings(*routes)) == ("page",)
    assert channels_for(notice(team="me"), settings(*routes)) == ("am", "page", "chat")


def test_what_no_route_matches_is_told_on_every_channel(caplog):
    routes = ({"match": {"team": ("mesh",)}, "channels": ("page",)},)
    assert channels_for(notice(), settings(*routes)) == ("am", "page", "chat")
    assert "no route matches" in caplog.text


def test_an_empty_value_matches_a_label_that_is_missing():
    routes = ({"match": {"team": ("",)}, "channels": ("page",)},)
    assert channels_for(notice(), settings(*routes)) == ("page",)


def test_a_route_to_nobody_and_a_configuration_without_channels_are_errors():
    with pytest.raises(ConfigurationError) as caught:
        channels_for(notice(), settings({"channels": ("pgae",)}))
    assert caught.value.code == "alert.unknown_channel"
    with pytest.raises(ConfigurationError) as caught:
        channels_for(notice(), AlertSettings())
    assert caught.value.code == "alert.no_channel"
