"""`x0tta flags`, and what a flag that is off does to commands."""

from __future__ import annotations

import json

import pytest

VARIABLE = "X0TTA_FLAGS__GRAPHSAGE"


def code_of(ended):
    return json.loads(ended.stderr.splitlines()[-1])["code"]


def test_list_shows_value_origin_and_default(x0tta):
    listed = json.loads(x0tta("flags", "list", "-o", "json", env={VARIABLE: "No"}).stdout)
    flags = {flag["name"]: flag for flag in listed}
    assert set(flags) == {"ebpf", "alert", "pay", "graphsage"}
    assert [flag["value"] for flag in listed].count(False) == 1
    flag = flags["graphsage"]
    assert (flag["value"], flag["default"], flag["kind"]) == (False, True, "boolean")
    assert flag["source"] == f"environment {VARIABLE}"
    shown = x0tta("flags", "list", env={VARIABLE: "No"}).stdout
    assert "off" in shown
    assert f"environment {VARIABLE}" in shown


@pytest.mark.parametrize(("word", "shown"), [("1", "on"), ("YES", "on"), ("0", "off")])
def test_get_prints_one_value_and_ends_well_whatever_it_is(x0tta, word, shown):
    ended = x0tta("flags", "get", "graphsage", env={VARIABLE: word})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{shown}\n", "")


def test_an_unknown_flag(x0tta):
    ended = x0tta("flags", "get", "grapsage")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert "Did you mean graphsage?" in ended.stderr


@pytest.mark.parametrize("command", [["flags", "list"], ["flags", "get", "graphsage"], ["drill"]])
def test_a_value_that_cannot_be_read_is_never_off(x0tta, command):
    ended = x0tta(*command, "-o", "json", env={VARIABLE: "maybe"})
    assert (ended.returncode, ended.stdout, code_of(ended)) == (9, "", "config.bad_value")


@pytest.mark.parametrize("command", [["flags", "list"], ["drill"]])
def test_a_flag_that_nobody_knows_is_an_error_and_not_passed_over(x0tta, command):
    ended = x0tta(*command, "-o", "json", env={"X0TTA_FLAGS__GRAPSAGE": "off"})
    assert (ended.returncode, ended.stdout, code_of(ended)) == (9, "", "config.unknown_key")


@pytest.mark.slow
def test_what_is_switched_off_says_so_and_the_rest_works(x0tta):
    assert x0tta("config", "set", "flags.graphsage", "off").returncode == 0
    for line in (["drill"], ["drill", "run", "--all"]):
        ended = x0tta(*line)
        assert (ended.returncode, ended.stdout) == (8, "")
        assert "flags.switched_off" in ended.stderr
        assert "x0tta config set flags.graphsage on" in ended.stderr
    assert x0tta("drill", "list").returncode == 0
    assert x0tta("drill", "run", "--help").returncode == 0
