"""Wrong command lines: each a clear error with status 2, in the form that the line asks for."""

from __future__ import annotations

import json

import pytest

CASES = [
    (["practic"], "usage.unknown_command", "Did you mean practice?"),
    (["practice", "lsit"], "usage.unknown_command", "Did you mean list?"),
    (["-q"], "usage.missing_command", "--help"),
    (["practice", "--seeed", "3"], "usage.unknown_option", "Did you mean --seed?"),
    (["practice", "run", "-z"], "usage.unknown_option", "--help"),
    (["practice", "change", "-3"], "usage.unknown_option", "comes after '--'"),
    (["practice", "run", "--bogus"], "usage.unknown_option", "See x0tta practice run --help."),
    (["practice", "run", "--verbos"], "usage.unknown_option", "Did you mean --verbose?"),
    (["practice", "run", "a", "b"], "usage.unexpected_argument", "--help"),
    (["practice", "change"], "usage.missing_argument", "--help"),
    (["practice", "run", "--seed"], "usage.missing_argument", "--help"),
    (["practice", "run", "--seed", "x"], "usage.bad_value", "--help"),
    (["practice", "run", "--seed", "-3"], "usage.bad_value", "--help"),
    (["practice", "run", "--shade", "red"], "usage.bad_value", "--help"),
    (["practice", "run", "--all=3"], "usage.bad_value", "--help"),
    (["practice", "list", "--fields", "nod"], "usage.unknown_field", "Did you mean node?"),
    (["practice", "--fields", ","], "usage.bad_value", "commas"),
    (["practice", "stream", "--fields", "nod"], "usage.unknown_field", "Did you mean node?"),
    (["practice", "list", "--timeout", "3x"], "times.bad_duration", "90s"),
    (["practice", "list", "--timeout", "0s"], "usage.bad_value", "above zero"),
    (["practice", "change", "x", "--exit-code"], "usage.option_needs", "--dry-run"),
    (["practice", "change", "x"], "usage.no_terminal", "--yes"),
]


@pytest.mark.parametrize(("line", "code", "mend"), CASES)
def test_a_wrong_line_is_a_usage_error(practice, line, code, mend):
    ended = practice(*line)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    assert f"  code  {code} (x0tta explain {code})\n" in ended.stderr
    assert mend in ended.stderr


@pytest.mark.parametrize(("line", "code", "mend"), CASES)
def test_a_wrong_line_is_one_json_object_even_where_the_form_stands_last(
    practice, line, code, mend
):
    # Behind an option that lacks its value, -o would be the value.
    ended = practice("-o", "json", *line) if line[-1] == "--seed" else practice(*line, "-o", "json")
    assert (ended.returncode, ended.stdout) == (2, "")
    problem = json.loads(ended.stderr)
    assert problem["type"] == f"urn:x0tta:error:{code}"
    assert problem["exit_status"] == 2
    assert mend in problem["fix"]
    assert ended.stderr.count("\n") == 1


def test_a_bad_form_of_output_is_told_in_words(x0tta):
    ended = x0tta("explain", "-o", "jsno")
    assert ended.returncode == 2
    assert "Did you mean json or jsonl?" in ended.stderr


def test_fields_are_checked_before_a_command_does_anything(practice, tmp_path):
    cleaned = tmp_path / "cleaned"
    ended = practice("practice", "wait", "--how", "nothing", "--cleaned", str(cleaned))
    assert (ended.returncode, cleaned.exists()) == (1, True)
    cleaned.unlink()
    ended = practice("practice", "wait", "--cleaned", str(cleaned), "--fields", "nope")
    assert (ended.returncode, cleaned.exists()) == (2, False)


def test_what_an_attacker_typed_is_escaped(practice):
    ended = practice("practice", "run", "a", "\x1b[31mred\x1b[0m")
    assert "\x1b" not in ended.stderr
    assert r"\x1b[31mred" in ended.stderr


@pytest.mark.parametrize("switch", [["--read-only"], []])
def test_read_only_refuses_what_changes_the_world(practice, switch):
    env = {} if switch else {"X0TTA_READ_ONLY": "1"}
    ended = practice("practice", "change", "x", "--yes", *switch, env=env)
    assert ended.returncode == 6
    assert "run.read_only" in ended.stderr


def test_read_only_allows_plans_and_may_be_off(practice):
    assert practice("practice", "change", "x", "--dry-run", "--read-only").returncode == 0
    ended = practice("practice", "change", "x", "--yes", env={"X0TTA_READ_ONLY": "0"})
    assert ended.returncode == 0


@pytest.mark.parametrize(("name", "status"), [("x", 3), ("nothing", 0)])
def test_exit_code_tells_whether_a_plan_would_change_something(practice, name, status):
    assert practice("practice", "change", name, "--dry-run", "--exit-code").returncode == status
    assert practice("practice", "change", name, "--dry-run").returncode == 0
