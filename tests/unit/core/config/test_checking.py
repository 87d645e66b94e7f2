"""The configuration as a whole: every problem is found, and only real ones."""

from __future__ import annotations

import pytest
from fakes.secrets_used import TOKEN, plant

from x0tta_cli.core.config import load
from x0tta_cli.core.config.checking import problems_of_place
from x0tta_cli.core.config.layers import Place


def found(models, environ=None, profile=None, path=None):
    problems = load(path, profile, environ or {}).check(models)
    return [(problem.code, str(problem)) for problem in problems]


def codes(*arguments, **options):
    return [code for code, _ in found(*arguments, **options)]


def test_every_problem_of_a_section_is_found(models, user_file):
    plant(
        user_file,
        '[alert]\ncount = "7"\nratio = "x"\nnmae = 1\ntoken = "hunter2-hunter2"\n'
        "[alert.channel]\nnmae = 2\n",
    )
    problems = found(models)
    assert [code for code, _ in problems] == [
        "config.bad_value", "config.bad_value", "config.unknown_key",
        "config.plain_secret", "config.unknown_key", "config.missing_key",
    ]  # fmt: skip
    lines = [text.partition(", line ")[2].partition(":")[0] for _, text in problems]
    assert lines == ["2", "3", "4", "5", "7", ""]
    assert "alert.channel.name is not set" in problems[-1][1]
    assert "hunter2" not in str(problems)


def test_one_wrong_value_is_no_wrong_section(models, user_file):
    user_file.write_text('[alert.limits]\nlower = 300\nupper = "x"\n')
    assert codes(models) == ["config.bad_value"]


def test_keys_that_do_not_go_together_are_found(models, user_file):
    user_file.write_text("[alert.limits]\nlower = 300\n")
    [(code, text)] = found(models)
    assert code == "config.bad_value"
    assert "section alert" in text


def test_a_value_that_a_stronger_layer_hides_is_judged_too(models, user_file, system_file):
    system_file.write_text('[alert]\ncount = "x"\n')
    user_file.write_text("[alert]\ncount = 7\n")
    [(code, text)] = found(models)
    assert code == "config.bad_value"
    assert str(system_file) in text


def test_profiles_are_judged_also_where_they_are_not_chosen(models, user_file):
    user_file.write_text("[profiles.night.alert]\ncount = -1\n[profiles.day.aelrt]\nx = 1\n")
    problems = found(models)
    assert [code for code, _ in problems] == ["config.bad_value", "config.unknown_section"]
    assert "[profiles.night], line 2" in problems[0][1]
    assert "[profiles.day], line 3" in problems[1][1]


@pytest.mark.parametrize("text", ["profiles = 3", "profiles.night = 3"])
def test_profiles_have_to_be_tables(models, user_file, text):
    user_file.write_text(text)
    assert codes(models) == ["config.bad_value"]


def test_a_profile_that_does_not_exist_does_not_hide_the_rest(models, user_file):
    user_file.write_text("[alert]\ncount = -1\n")
    assert codes(models, profile="night") == ["config.bad_value", "config.unknown_profile"]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(models, user_file, system_file):
    system_file.write_text("[")
    user_file.write_text("[alert]\ncount = -1\n")
    missing = user_file.with_name("missing.toml")
    assert codes(models, path=missing) == [
        "config.not_toml", "files.not_found", "config.bad_value",
    ]  # fmt: skip


def test_variables_that_nobody_reads_are_found(models):
    environ = {
        "X0TTA_ALERT__COUNT": "7",
        "X0TTA_ALERT__COUTN": "7",
        "X0TTA_ALERT_COUNT": "7",
        "X0TTA_ALRET__COUNT": "7",
        "X0TTA_PROFLE": "night",
        "X0TTA_STATE_DIR": "/x",
        "OTHER": "1",
    }
    problems = load(environ=environ).check(models)
    assert {str(problem).partition(":")[0] for problem in problems} == {
        f"environment {name}"
        for name in (
            "X0TTA_ALERT__COUTN", "X0TTA_ALERT_COUNT", "X0TTA_ALRET__COUNT", "X0TTA_PROFLE",
        )
    }  # fmt: skip
    assert {problem.fix for problem in problems} == {
        "Did you mean X0TTA_ALERT__COUNT?", "Did you mean X0TTA_PROFILE?",
    }  # fmt: skip
    assert {int(problem.exit_status) for problem in problems} == {9}


def test_a_variable_that_is_a_value_and_a_table(models):
    environ = {"X0TTA_ALERT__CHANNEL": "x", "X0TTA_ALERT__CHANNEL__NAME": "y"}
    assert codes(models, environ) == ["config.bad_value"]


def test_a_section_that_nobody_writes_may_lack_what_has_no_default(models, user_file):
    user_file.write_text("[alert]\n")
    assert codes(models) == []
    user_file.write_text("[alert]\n[pay]\n")
    assert codes(models) == ["config.missing_key"]


def test_what_one_file_lacks_another_may_have(models, user_file, system_file):
    system_file.write_text("[pay]\n")
    user_file.write_text("[pay]\nwallet = 'x'\n")
    assert codes(models) == []


def test_secrets_in_use_are_fetched_and_others_are_not(models, user_file, tmp_path):
    secret = tmp_path / "token"
    plant(secret, TOKEN, 0o644)
    user_file.write_text(
        f'[alert]\ntoken = {{ file = "{secret}" }}\n'
        '[profiles.night.alert]\ntoken = { env = "NIGHT" }\n'
    )
    assert codes(models) == ["secrets.exposed"]
    assert codes(models, {"NIGHT": "hunter2"}, profile="night") == []
    assert codes(models, profile="night") == ["secrets.missing"]


def test_a_file_by_itself(models, user_file, system_file):
    assert problems_of_place(Place(user_file, "user"), models) is None
    assert problems_of_place(Place(user_file, "--config"), models) is None
    user_file.write_text("[pay]\n")
    assert problems_of_place(Place(user_file, "user"), models) == []
    user_file.write_text("[")
    [problem] = problems_of_place(Place(user_file, "user"), models) or []
    assert problem.code == "config.not_toml"


def test_all_values_are_told_also_while_secrets_are_away(models, user_file):
    user_file.write_text(
        '[alert]\ntoken = { env = "AWAY" }\n[[alert.channels]]\nname = "n"\n'
        'token = { env = "AWAY" }\n'
    )
    origins = load(environ={"X0TTA_ALERT__COUNT": "7"}).origins("alert", models["alert"])
    assert origins["alert.token"].plain == {"env": "AWAY"}
    assert origins["alert.token"].line == 2
    assert origins["alert.channels.0.token"].value == '{ env = "AWAY" }'
    assert origins["alert.channels.0.name"].plain == "n"
    assert (origins["alert.count"].plain, origins["alert.count"].line) == (7, None)
    assert origins["alert.wait"].plain == "1m30s"
    assert origins["alert.mode"].plain == "safe"
    assert origins["alert.folder"].plain is None
