"""The configuration behind OpenFeature's own client, as a program that embeds x0tta asks it."""

from __future__ import annotations

import pytest
from openfeature import api
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from x0tta_cli.core.config import load
from x0tta_cli.flags.evaluation import client
from x0tta_cli.flags.model import Flag, Kind
from x0tta_cli.flags.provider import ConfigurationProvider

FLAGS = {
    flag.name: flag
    for flag in (
        Flag("switch", Kind.BOOLEAN, False, True, "environment X", "A switch."),
        Flag("number", Kind.INTEGER, 7, 7, "default", "A whole number."),
        Flag("share", Kind.NUMBER, 0.5, 0.1, "/etc/x", "A number."),
        Flag("word", Kind.TEXT, "a", "b", "/etc/x", "A text."),
    )
}


@pytest.fixture
def asked():
    api.set_provider_and_wait(ConfigurationProvider(FLAGS), "test")
    return api.get_client("test")


def test_each_type_has_its_value(asked):
    assert asked.get_boolean_value("switch", True) is False
    assert asked.get_integer_value("number", 0) == 7
    assert asked.get_float_value("share", 0.0) == 0.5
    assert asked.get_string_value("word", "") == "a"


def test_source_and_reason_are_told(asked):
    given = asked.get_boolean_details("switch", True)
    assert (given.reason, given.flag_metadata) == (Reason.STATIC, {"source": "environment X"})
    default = asked.get_integer_details("number", 0)
    assert (default.reason, default.flag_metadata) == (Reason.DEFAULT, {"source": "default"})


def test_errors_are_those_of_the_specification(asked):
    assert asked.get_boolean_details("swich", True).error_code == ErrorCode.FLAG_NOT_FOUND
    for details in (
        asked.get_boolean_details("number", True),
        asked.get_integer_details("share", 1),
        asked.get_string_details("switch", ""),
        asked.get_object_details("word", {}),
    ):
        assert details.error_code == ErrorCode.TYPE_MISMATCH


def test_the_provider_has_a_name(asked):
    assert asked.provider.get_metadata().name == "x0tta configuration"


def test_the_provider_of_a_program_around_us_is_not_touched():
    before = api.get_provider_metadata()
    assert client(load(environ={})).get_boolean_value("graphsage", False) is True
    assert api.get_provider_metadata() == before
