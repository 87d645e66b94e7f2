"""`x0tta config`: files that are written, shown and checked."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from fakes.secrets_used import TOKEN, heard, plant, planted

from x0tta_cli.core.config.layers import SYSTEM_FILE
from x0tta_cli.terminal.groups import settings_models

pytestmark = pytest.mark.slow

SECRET = TOKEN
WITH_SECRETS = [sys.executable, str(Path(__file__).with_name("configured.py"))]
SAFE = ("path", "check", "schema")


@pytest.fixture
def file(environment):
    """Where the user's file is; it does not exist."""
    path = Path(environment["HOME"]) / ".config" / "x0tta" / "config.toml"
    environment.pop("XDG_CONFIG_HOME", None)
    return path


@pytest.fixture
def write(file):
    def written(text):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return written


@pytest.fixture
def telling(environment):
    """Run x0tta with a section that has secrets."""

    def run(*arguments, env=None):
        ended = subprocess.run(
            [*WITH_SECRETS, *arguments],
            env=environment | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        heard(f"{arguments}", ended.stdout + ended.stderr)
        return ended

    return run


def code_of(ended):
    return json.loads(ended.stderr.splitlines()[-1])["code"]


def values_in(table):
    for value in table.values():
        if isinstance(value, dict):
            yield from values_in(value)
        else:
            yield value


def test_init_writes_a_file_that_is_valid_and_sets_nothing(x0tta, file):
    ended = x0tta("config", "init")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert str(file) in ended.stdout
    written = tomllib.loads(file.read_text())
    assert set(written) == set(settings_models())
    assert list(values_in(written)) == []
    assert "# seed = 0" in file.read_text()
    assert x0tta("config", "check").returncode == 0


def test_init_does_not_replace_a_file_unasked(x0tta, write):
    file = write("broken [")
    ended = x0tta("config", "init", "-o", "json")
    assert (ended.returncode, ended.stdout, code_of(ended)) == (5, "", "config.exists")
    assert file.read_text() == "broken ["
    assert x0tta("config", "init", "--force").returncode == 0
    assert x0tta("config", "check").returncode == 0


def test_a_plan_of_init_shows_the_file_and_writes_nothing(x0tta, file):
    ended = x0tta("config", "init", "--dry-run", "--exit-code")
    assert ended.returncode == 3
    assert "# seed = 0\n" in ended.stdout
    assert not file.exists()
    of_all = x0tta("config", "init", "--system", "--dry-run", "-o", "json")
    if not SYSTEM_FILE.exists():
        assert json.loads(of_all.stdout)["file"] == str(SYSTEM_FILE)


def test_set_keeps_the_file_and_get_reads_it_back(x0tta, write):
    file = write("# mine\n[drill] # here\nseed = 3 # why\n")
    ended = x0tta("config", "set", "drill.seed", "7")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"drill.seed is 7 in {file} (was 3).\n"
    assert file.read_text() == "# mine\n[drill] # here\nseed = 7 # why\n"
    assert x0tta("config", "get", "drill.seed").stdout == "7\n"
    assert json.loads(x0tta("config", "get", "drill.seed", "-o", "json").stdout) == {
        "key": "drill.seed",
        "value": 7,
        "source": str(file),
    }


def test_get_prints_values_as_a_shell_wants_them(x0tta, write):
    write('[drill]\ndata = "/srv/a folder"\n')
    assert x0tta("config", "get", "drill.data").stdout == "/srv/a folder\n"
    assert x0tta("config", "get", "flags.graphsage").stdout == "true\n"
    assert x0tta("config", "get", "drill.data", env={"X0TTA_DRILL__DATA": "/x"}).stdout == "/x\n"


def test_get_of_what_is_not_set_is_an_empty_line(x0tta, file):
    ended = x0tta("config", "get", "drill.data")
    assert (ended.returncode, ended.stdout) == (0, "\n")


def test_set_creates_a_file_and_a_profile(x0tta, file):
    assert x0tta("config", "set", "drill.seed", "7", "--profile", "night").returncode == 0
    assert file.read_text() == "[profiles.night.drill]\nseed = 7\n"
    assert x0tta("config", "get", "drill.seed").stdout == "0\n"
    assert x0tta("config", "get", "drill.seed", "--profile", "night").stdout == "7\n"


def test_set_writes_the_file_that_was_named(x0tta, file, tmp_path):
    named = tmp_path / "named.toml"
    x0tta("config", "set", "drill.seed", "7", "--config", str(named))
    x0tta("config", "set", "drill.seed", "8", env={"X0TTA_CONFIG": str(tmp_path / "other.toml")})
    assert named.read_text() == "[drill]\nseed = 7\n"
    assert (tmp_path / "other.toml").read_text() == "[drill]\nseed = 8\n"
    assert not file.exists()
    ended = x0tta("config", "set", "drill.seed", "7", "--system", "--config", str(named))
    assert ended.returncode == 2


def test_set_says_when_something_stronger_still_wins(x0tta, file):
    ended = x0tta("config", "set", "drill.seed", "7", env={"X0TTA_DRILL__SEED": "9"})
    assert ended.returncode == 0
    assert "warning: environment X0TTA_DRILL__SEED is stronger" in ended.stdout
    assert "warning" not in x0tta("config", "set", "drill.seed", "8").stdout


def test_a_plan_of_set_changes_nothing(x0tta, write):
    file = write("[drill]\nseed = 3\n")
    line = ("config", "set", "drill.seed", "7", "--dry-run", "--exit-code")
    ended = x0tta(*line, "-o", "json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["outcome"] == "planned"
    assert file.read_text() == "[drill]\nseed = 3\n"
    assert x0tta("config", "set", "drill.seed", "3", "--dry-run", "--exit-code").returncode == 0


@pytest.mark.parametrize(
    ("key", "value", "status", "code", "said"),
    [
        ("drill.sed", "7", 4, "config.no_such_key", "Did you mean drill.seed?"),
        ("flags.grapsage", "on", 4, "config.no_such_key", "Did you mean flags.graphsage?"),
        ("drill", "7", 4, "config.no_such_key", "is a table"),
        ("drill.seed", "x", 2, "usage.bad_value", "integer"),
        ("drill.seed", "-1", 2, "usage.bad_value", "greater than or equal to 0"),
        ("flags.graphsage", "maybe", 2, "usage.bad_value", "on (true, yes, 1)"),
    ],
)
def test_set_refuses_what_does_not_fit_and_writes_nothing(
    x0tta, write, key, value, status, code, said
):
    file = write("[drill]\nseed = 3\n")
    ended = x0tta("config", "set", "-o", "json", "--", key, value)
    assert (ended.returncode, ended.stdout, code_of(ended)) == (status, "", code)
    assert said in ended.stderr
    assert file.read_text() == "[drill]\nseed = 3\n"
    assert list(file.parent.iterdir()) == [file]


def test_nothing_is_written_read_only(x0tta, file):
    for line in (["init"], ["set", "drill.seed", "7"]):
        ended = x0tta("config", *line, env={"X0TTA_READ_ONLY": "1"})
        assert ended.returncode == 6
    assert not file.exists()


def test_path_lists_the_strongest_first_with_what_each_is(x0tta, write, tmp_path):
    file = write("[drill]\nsed = 3\n")
    named = tmp_path / "named.toml"
    named.write_text("[drill]\nseed = 3\n")
    listed = json.loads(x0tta("config", "path", "--config", str(named), "-o", "json").stdout)
    told = [(entry["file"], entry["given_by"], entry["state"]) for entry in listed[:2]]
    assert told == [(str(named), "--config", "valid"), (str(file), "user", "invalid")]
    assert (listed[2]["file"], listed[2]["given_by"]) == (str(SYSTEM_FILE), "system")


def test_check_lists_every_problem(x0tta, write):
    write('[drill]\nseed = "7"\nsed = 7\n[flgas]\nx = 1\n[profiles.night.drill]\nseed = -1\n')
    env = {"X0TTA_DRILL__SEDE": "7", "X0TTA_PROFILE": "nihgt"}
    ended = x0tta("config", "check", env=env)
    assert (ended.returncode, ended.stderr) == (9, "")
    for said in ("line 2: drill.seed is the text '7'", "Did you mean 'seed'?", "'flgas'",
                 "[profiles.night], line 7", "X0TTA_DRILL__SEDE", "no profile 'nihgt'",
                 "6 problems found."):  # fmt: skip
        assert said in ended.stdout
    problems = json.loads(x0tta("config", "check", "-o", "json", env=env).stdout)["problems"]
    assert {problem["status"] for problem in problems} == {9}
    codes = x0tta("config", "check", "--fields", "code", "-o", "csv", env=env).stdout.split()
    assert codes == ["code", *(problem["code"] for problem in problems)]


@pytest.mark.parametrize("content", ["x = [", "[drill]\nseed = 'x'\n", "profiles = 3\n"])
def test_safe_commands_work_beside_a_broken_file(x0tta, write, content):
    write(content)
    for command in SAFE:
        ended = x0tta("config", command)
        assert ended.stdout
        assert (ended.returncode, ended.stderr) == (9 if command == "check" else 0, "")
    assert x0tta("config", "--help").returncode == 0
    assert x0tta("explain", "config.not_toml").returncode == 0
    assert x0tta("config", "init", "--config", "new.toml", "--dry-run").returncode == 0


def test_a_profile_that_does_not_exist(x0tta, write):
    write("[profiles.night.drill]\nseed = 7\n")
    for command in ("show", "check"):
        assert x0tta("config", command, "--profile", "nihgt").returncode == 9
    assert x0tta("config", "path", "--profile", "nihgt").returncode == 0


def test_a_file_that_was_named_and_is_not_there(x0tta, file):
    line = ("--config", "nowhere.toml")
    assert x0tta("config", "show", *line).returncode == 4
    assert x0tta("config", "check", *line).returncode == 4
    assert x0tta("config", "path", *line).returncode == 0


def test_schema_is_json_in_every_form(x0tta, file):
    piped = x0tta("config", "schema").stdout
    assert json.loads(piped) == json.loads(x0tta("config", "schema", "-o", "json").stdout)
    assert set(json.loads(piped)["properties"]) == {*settings_models(), "profiles"}


def test_show_has_every_value_and_its_origin(x0tta, write):
    file = write("[drill]\nseed = 7\n[profiles.night.drill]\ntop_3_floor = 0.5\n")
    line = ("config", "show", "--profile", "night", "--origin")
    env = {"X0TTA_FLAGS__GRAPHSAGE": "off"}
    ended = x0tta(*line, "-o", "json", env=env)
    shown = {
        entry.pop("key"): tuple(entry.values())
        for entry in json.loads(ended.stdout)
        if entry["key"].startswith(("drill.", "flags."))
    }
    assert shown == {
        "drill.data": (None, "default", None),
        "drill.seed": (7, str(file), 2),
        "drill.false_alarm_rate": (0.01, "default", None),
        "drill.top_3_floor": (0.5, f"{file} [profiles.night]", 4),
        "flags.ebpf": (True, "default", None),
        "flags.alert": (True, "default", None),
        "flags.pay": (True, "default", None),
        "flags.graphsage": (False, "environment X0TTA_FLAGS__GRAPHSAGE", None),
    }
    assert f"{file}, line 2" in x0tta(*line).stdout
    plain = x0tta("config", "show", "drill")
    assert "SOURCE" not in plain.stdout
    assert "flags" not in plain.stdout
    assert x0tta("config", "show", "dirll").returncode == 4


def test_without_a_home(x0tta, environment, file):
    del environment["HOME"]
    environment["XDG_CONFIG_HOME"] = "relative"
    for command in SAFE:
        assert x0tta("config", command).returncode == 0


def test_a_home_that_is_no_folder(x0tta, file):
    for line in (["init"], ["set", "drill.seed", "7"]):
        ended = x0tta("config", *line, "-o", "json", env={"HOME": "/dev/null"})
        assert (ended.returncode, code_of(ended)) == (4, "files.no_such_folder")
    assert x0tta("config", "check", env={"HOME": "/dev/null"}).returncode == 0


def test_secrets_show_nowhere(telling, write, tmp_path):
    secret = plant(tmp_path / "token", SECRET)
    write(
        f'[tell]\ntoken = {{ file = "{secret}" }}\n[[tell.channels]]\nname = "n"\n'
        'token = { env = "MINE" }\n'
    )
    env = {"MINE": SECRET}
    for line in (["show"], ["show", "--origin"], ["get", "tell.token"], ["check"], ["path"],
                 ["show", "-o", "json", "--debug"]):  # fmt: skip
        ended = telling("config", *line, env=env)
        assert ended.returncode == 0, line
        assert SECRET not in ended.stdout + ended.stderr
    assert f'{{ file = "{secret}" }}' in telling("config", "show", env=env).stdout
    by_variable = telling("config", "get", "tell.token", env=env | {"X0TTA_TELL__TOKEN": SECRET})
    assert by_variable.stdout == "[redacted]\n"


def test_a_secret_file_that_others_can_read(telling, write, tmp_path):
    secret = plant(tmp_path / "token", SECRET, 0o644)
    write(f'[tell]\ntoken = {{ file = "{secret}" }}\n')
    ended = telling("config", "check")
    assert ended.returncode == 6
    assert f"chmod 600 {secret}" in ended.stdout
    assert "secrets.exposed" in ended.stdout
    assert SECRET not in ended.stdout + ended.stderr


def test_a_secret_itself_is_not_written(telling, file):
    ended = telling("config", "set", "tell.token", SECRET, "-o", "json")
    assert (ended.returncode, code_of(ended)) == (9, "config.plain_secret")
    assert SECRET not in ended.stdout + ended.stderr
    assert not file.exists()
    assert telling("config", "set", "tell.token", '{ credential = "tell" }').returncode == 0
    assert file.read_text() == '[tell]\ntoken = { credential = "tell" }\n'


def test_a_file_with_a_plain_secret_is_not_quoted(telling, write):
    file = write(f'[tell]\ntoken = "{SECRET}"\n[[tell.channels]]\ntoken = "{SECRET}"\n')
    for line in (["check"], ["show"], ["path"], ["set", "tell.token", '{ env = "MINE" }']):
        ended = telling("config", *line)
        assert SECRET not in ended.stdout + ended.stderr
    assert telling("config", "check").returncode == 9
    # The second secret is the user's own doing, and stays.
    planted(file)
