"""As much of a broken section as is right."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.alert.usable import usable_settings
from x0tta_cli.core.config import load
from x0tta_cli.core.errors import OperatorError

HOOK = '[alert.channels.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:9/in"\n'
PAGE = '[alert.channels.page]\nkind = "pagerduty"\nrouting_key = { env = "PAGE" }\n'


@pytest.fixture
def read(tmp_path):
    def read(text, **environment):
        file = tmp_path / "x0tta.toml"
        file.write_text(text)
        return usable_settings(load(file, None, environment))

    return read


def test_a_right_section_is_what_it_is(read, tmp_path, caplog):
    settings = read(HOOK + PAGE, PAGE="a-routing-key")
    file = tmp_path / "x0tta.toml"
    assert settings == load(file, None, {"PAGE": "a-routing-key"}).section("alert", AlertSettings)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (PAGE, "the secret is not where the configuration says"),
        ('[alert.channels.x]\nkind = "nothing"\n', "kind is the text 'nothing'"),
        ('[alert.channels.x]\nkind = "webhook"\n', "url is not set"),
        ('[alert.channels.x]\nkind = "webhook"\nurl = "http://h"\nurll = 1\n', "no key 'urll'"),
        ('[alert.channels]\nx = 7\n', "x"),
        ('[alert.channels._x]\nkind = "webhook"\nurl = "http://h"\n', "its name"),
        ('[alert.channels.copy]\nkind = "webhook"\nurl = "http://h"\n', "its name"),
        (
            '[alert.channels.m]\nkind = "email"\nhost = "h"\nfrom = "a@b"\nto = ["a@b"]\n'
            'username = "u"\nsecurity = "none"\n',
            "a username needs security",
        ),
    ],
)  # fmt: skip
def test_one_wrong_channel_costs_no_other(read, caplog, wrong, words):
    # A mistake elsewhere, so that the section as a whole is wrong in any case.
    text = wrong + HOOK + "[alert.storm]\nalerts = 'x'\n"
    with caplog.at_level(logging.WARNING):
        settings = read(text)
    assert list(settings.channels) == ["hook"]
    assert words in caplog.text


def test_other_keys_fall_back_to_their_defaults_alone(read):
    settings = read(f"[alert]\nlasting = 7\ncollapse_within = '1m'\nnothing = 1\n{HOOK}")
    assert settings.lasting == timedelta(hours=4)
    assert settings.collapse_within == timedelta(minutes=1)
    assert list(settings.channels) == ["hook"]


def test_routes_lose_what_was_left_out_and_go_where_nothing_is_left(read):
    routes = (
        '[[alert.routes]]\nmatch = {severity = ["critical"]}\nchannels = ["page", "hook"]\n'
        '[[alert.routes]]\nchannels = ["page"]\n'
    )
    settings = read(routes + HOOK + PAGE)
    assert [route.channels for route in settings.routes] == [("hook",)]


def test_secrets_of_channels_that_are_right_are_fetched(read):
    settings = read(f"[alert]\nlasting = 7\n{PAGE}", PAGE="a-routing-key")
    assert settings.channels["page"].routing_key.get_secret_value() == "a-routing-key"


@pytest.mark.parametrize("text", ["[alert", "alert = 7", "[alert]\nchannels = 7\n"])
def test_what_has_no_readable_part_is_an_error_as_elsewhere(read, text):
    with pytest.raises(OperatorError) as caught:
        read(text)
    assert caught.value.code.startswith("config.")
