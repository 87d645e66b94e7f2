"""Values of flags: what means on and off, where it comes from, and what is an error."""

from __future__ import annotations

import subprocess
import sys

import pytest

from x0tta_cli.core.config import load
from x0tta_cli.core.errors import OperatorError
from x0tta_cli.flags import evaluation
from x0tta_cli.flags.evaluation import client, evaluate, evaluate_all, flags, require_on
from x0tta_cli.flags.model import Flag, Kind
from x0tta_cli.flags.settings import FlagSettings

VARIABLE = "X0TTA_FLAGS__GRAPHSAGE"
ON = ("1", "true", "yes", "on", "TRUE", "Yes", " ON ")
OFF = ("0", "false", "no", "off", "False", "NO", "Off")


def graphsage(environ=None) -> Flag:
    return evaluate("graphsage", load(environ=environ or {}))


def code_of(function, *arguments):
    with pytest.raises(OperatorError) as caught:
        function(*arguments)
    return caught.value.code, int(caught.value.exit_status)


def test_a_flag_that_nobody_set_has_its_default():
    flag = graphsage()
    assert (flag.value, flag.default, flag.source) == (True, True, "default")
    assert (flag.kind, flag.is_off) == (Kind.BOOLEAN, False)
    assert flag.help


@pytest.mark.parametrize(
    ("word", "value"), [*((word, True) for word in ON), *((word, False) for word in OFF)]
)
def test_every_word_for_on_and_off_in_environment_and_file(file, word, value):
    assert graphsage({VARIABLE: word}).value is value
    file.write_text(f'[flags]\ngraphsage = "{word}"\n')
    assert graphsage().value is value
    assert graphsage().source == str(file)


@pytest.mark.parametrize(
    ("written", "value"), [("true", True), ("false", False), ("1", True), ("0", False)]
)
def test_values_of_toml(file, written, value):
    file.write_text(f"[flags]\ngraphsage = {written}\n")
    assert graphsage().value is value


@pytest.mark.parametrize("written", ['"maybe"', '""', "2", "1.0", "[true]", "{ on = true }"])
def test_what_cannot_be_read_is_an_error_and_never_off(file, written):
    file.write_text(f"[flags]\ngraphsage = {written}\n")
    for ask in (flags, evaluate_all, client):
        assert code_of(ask, load(environ={})) == ("config.bad_value", 9)
    assert code_of(require_on, "graphsage", load(environ={})) == ("config.bad_value", 9)


@pytest.mark.parametrize("word", ["maybe", "", "2", "disabled"])
def test_a_variable_that_cannot_be_read_is_an_error_and_never_off(word):
    assert code_of(graphsage, {VARIABLE: word}) == ("config.bad_value", 9)


def test_an_unknown_flag_is_an_error_wherever_it_stands(file):
    with pytest.raises(OperatorError) as caught:
        evaluate("grapsage", load(environ={}))
    assert (caught.value.code, caught.value.exit_status) == ("flags.unknown", 4)
    assert caught.value.fix == "Did you mean graphsage?"
    assert code_of(graphsage, {"X0TTA_FLAGS__GRAPSAGE": "off"}) == ("config.unknown_key", 9)
    file.write_text("[flags]\ngrapsage = false\n")
    assert code_of(graphsage) == ("config.unknown_key", 9)


def test_the_strongest_layer_wins_and_is_named(file):
    file.write_text("[flags]\ngraphsage = false\n[profiles.night.flags]\ngraphsage = true\n")
    assert (graphsage().value, graphsage().source) == (False, str(file))
    night = evaluate("graphsage", load(profile="night", environ={}))
    assert (night.value, night.source) == (True, f"{file} [profiles.night]")
    by_variable = evaluate("graphsage", load(profile="night", environ={VARIABLE: "off"}))
    assert (by_variable.value, by_variable.source) == (False, f"environment {VARIABLE}")


def test_all_flags_are_told_in_the_order_of_the_table():
    assert [flag.name for flag in evaluate_all(load(environ={}))] == list(FlagSettings.model_fields)


def test_every_flag_has_a_default_and_a_meaning():
    for name, field in FlagSettings.model_fields.items():
        assert field.description, name
        assert type(field.default) in {bool, int, float, str}, name
        # What is_given() alone decides: where nobody says anything, nothing is off.
        assert field.default is not False, name


def test_what_is_on_may_be_used():
    configuration = load(environ={VARIABLE: "on"})
    require_on("graphsage", configuration)
    assert evaluation.switched_off(configuration) == []
    [off] = evaluation.switched_off(load(environ={VARIABLE: "off"}))
    assert off.name == "graphsage"


@pytest.mark.parametrize(
    ("profile", "environ", "fix"),
    [
        (None, {VARIABLE: "off"}, f"unset {VARIABLE}"),
        (None, {}, "x0tta config set flags.graphsage on"),
        ("night", {}, "x0tta config set flags.graphsage on --profile night"),
    ],
)
def test_what_is_off_says_who_switched_it_off_and_how_to_switch_it_on(file, profile, environ, fix):
    file.write_text("[flags]\ngraphsage = 'off'\n[profiles.night.drill]\nseed = 1\n")
    with pytest.raises(OperatorError) as caught:
        require_on("graphsage", load(profile=profile, environ=environ))
    assert (caught.value.code, caught.value.exit_status) == ("flags.switched_off", 8)
    assert caught.value.fix == fix
    assert (f"environment {VARIABLE}" if environ else str(file)) in caught.value.reason


def test_the_way_on_leads_to_the_file_that_was_named(tmp_path):
    named = tmp_path / "named.toml"
    named.write_text("[flags]\ngraphsage = false\n")
    with pytest.raises(OperatorError) as caught:
        require_on("graphsage", load(named, environ={}))
    assert caught.value.fix == f"x0tta config set flags.graphsage on --config {named}"


def test_the_sdk_is_loaded_by_who_evaluates_alone():
    code = (
        "import sys\n"
        "from x0tta_cli.core.config import load\n"
        "from x0tta_cli.flags import evaluation\n"
        "import x0tta_cli.flags.cli\n"
        "evaluation.require_on('graphsage', load(environ={}))\n"
        "print('openfeature' in sys.modules)\n"
        "evaluation.evaluate('graphsage', load(environ={}))\n"
        "print('openfeature' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "True"]
