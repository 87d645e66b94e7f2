"""Values that are set in a file: what changes, what stays, and what is refused."""

from __future__ import annotations

import multiprocessing
import tomllib

import pytest
from fakes.secrets_used import TOKEN, plant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x0tta_cli.core import secrets
from x0tta_cli.core.config import editing, layers, load
from x0tta_cli.core.config.keys import find_key
from x0tta_cli.core.config.layers import Place
from x0tta_cli.core.config.template import template
from x0tta_cli.core.errors import OperatorError

WRITTEN = """\
# Before everything.
[alert] # of the section
count = 3 # of the value
# Between two.
ratio = 0.25
labels = { zone = "a" } # inline
limits.lower = 2

# Before the profile.
[profiles.night.alert]
count = 4
"""


def put(file, models, name, text, **options):
    return editing.edit(Place(file, "user"), find_key(name, models), text, models, **options)


def refusal(file, models, name, text, **options) -> OperatorError:
    before = file.read_text() if file.exists() else None
    with pytest.raises(OperatorError) as caught:
        put(file, models, name, text, **options)
    assert (file.read_text() if file.exists() else None) == before
    return caught.value


def test_a_value_is_replaced_and_all_else_stays(models, user_file):
    user_file.write_text(WRITTEN)
    edit = put(user_file, models, "alert.count", "7")
    assert user_file.read_text() == WRITTEN.replace("count = 3", "count = 7")
    assert (edit.before, edit.value, edit.is_change) == (3, 7, True)


@pytest.mark.parametrize(
    ("name", "text", "old", "new"),
    [
        ("alert.labels.zone", "b", 'zone = "a"', 'zone = "b"'),
        ("alert.limits.lower", "5", "limits.lower = 2", "limits.lower = 5"),
        ("alert.ratio", "1e-3", "ratio = 0.25", "ratio = 0.001"),
    ],
)
def test_tables_of_any_form_are_edited_in_place(models, user_file, name, text, old, new):
    user_file.write_text(WRITTEN)
    put(user_file, models, name, text)
    assert user_file.read_text() == WRITTEN.replace(old, new)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# mine", '# mine\n\n[alert]\nmode = "safe"\n'),
        (
            "[profiles.a.alert]\ncount = 1",
            '[profiles.a.alert]\ncount = 1\n\n[alert]\nmode = "safe"\n',
        ),
        (
            "[alert.limits]\nlower = 1\n[profiles.a.alert]\ncount = 1\n",
            '[alert]\nmode = "safe"\n\n[alert.limits]\nlower = 1\n[profiles.a.alert]\ncount = 1\n',
        ),
        ('[other]\na = "a\u2028b"\r\n', '[other]\na = "a\u2028b"\r\n\n[alert]\nmode = "safe"\n'),
    ],
)
def test_a_new_table_stands_apart_and_the_last_line_ends(models, user_file, before, after):
    user_file.write_bytes(before.encode())
    put(user_file, models, "alert.mode", "safe")
    assert user_file.read_bytes().decode() == after


@pytest.mark.parametrize(
    ("name", "added"),
    [("alert.limits.lower", "\n[alert.limits]\nlower = 1"), ("alert.ratio", "ratio = 1.0")],
)
def test_a_comment_stays_with_the_table_below_it(models, user_file, name, added):
    above, below = (
        "[alert]\ncount = 1",
        "\n# of the night\n# and more\n[profiles.a.alert]\ncount = 2\n",
    )
    user_file.write_text(f"{above}\n{below}")
    put(user_file, models, name, "1")
    assert user_file.read_text() == f"{above}\n{added}\n{below}"


def test_a_profile_has_a_table_of_its_own(models, user_file):
    user_file.write_text(WRITTEN)
    put(user_file, models, "alert.count", "7", profile="night")
    assert user_file.read_text() == WRITTEN.replace("count = 4", "count = 7")
    put(user_file, models, "alert.count", "8", profile="day")
    assert user_file.read_text().startswith(WRITTEN.replace("count = 4", "count = 7"))
    assert "[profiles.day.alert]\ncount = 8\n" in user_file.read_text()


def test_a_file_and_its_folder_are_made(models, tmp_path):
    file = tmp_path / "new" / "x0tta" / "config.toml"
    put(file, models, "alert.limits.upper", "7")
    assert file.read_text() == "[alert.limits]\nupper = 7\n"


def test_a_folder_that_was_named_is_not_made(models, tmp_path):
    place = Place(tmp_path / "new" / "config.toml", "--config")
    with pytest.raises(OperatorError) as caught:
        editing.edit(place, find_key("alert.count", models), "7", models)
    assert caught.value.code == "files.no_such_folder"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("alert.count", "7", 7),
        *(("alert.is_on", word, True) for word in ("1", "true", "YES", "on")),
        *(("alert.is_on", word, False) for word in ("0", "false", "No", "off")),
        ("alert.name", "7", "7"),
        ("alert.name", "[a]", "[a]"),
        ("alert.name", "", ""),
        ("alert.wait", "1h30m", "1h30m"),
        ("alert.folder", "/data", "/data"),
        ("alert.mode", "fast", "fast"),
        ("alert.level", "2", 2),
        ("alert.level", "max", "max"),
        ("alert.numbers", "4,5", [4, 5]),
        ("alert.numbers", "[4, 5]", [4, 5]),
        ("alert.numbers", "", []),
        ("alert.labels", '{ zone = "x" }', {"zone": "x"}),
        ("alert.labels.zone", "x", "x"),
        ("alert.token", '{ env = "TOKEN" }', {"env": "TOKEN"}),
        ("alert.channel.name", "n", "n"),
    ],
)
def test_a_text_is_read_as_its_keys_type(models, user_file, name, text, expected):
    put(user_file, models, name, text)
    written = tomllib.loads(user_file.read_text())
    for part in name.split("."):
        written = written[part]
    assert (written, type(written)) == (expected, type(expected))


def test_a_day_is_written_as_one(models, user_file):
    put(user_file, models, "alert.day", "2026-11-25")
    assert user_file.read_text() == "[alert]\nday = 2026-11-25\n"


def test_a_relative_path_means_here(models, user_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    put(user_file, models, "alert.folder", "data")
    put(user_file, models, "alert.folders", "data,~/more")
    settings = load(environ={}).section("alert", models["alert"])
    assert settings.folder == tmp_path / "data"
    assert list(map(str, settings.folders)) == [str(tmp_path / "data"), "/home/me/more"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("alert.count", "x", "integer"),
        ("alert.count", "-1", "greater than or equal to 0"),
        ("alert.count", "7.5", "integer"),
        ("alert.is_on", "maybe", "boolean"),
        ("alert.wait", "90", "duration"),
        ("alert.mode", "fats", "'fast' or 'safe'"),
        ("alert.numbers", "a,b", "integer"),
        ("alert.numbers", "[1", "list"),
        ("alert.labels", "x", "table"),
        ("alert.channels", "[{ nmae = 'x' }]", "It has name, token"),
        ("alert.limits.lower", "300", "lies above the upper"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(models, user_file, name, text, reason):
    for content in (None, WRITTEN):
        if content is not None:
            user_file.write_text(content)
        error = refusal(user_file, models, name, text)
        assert (error.code, error.exit_status) == ("usage.bad_value", 2)
        assert str(error).startswith(f"{name} can't be ")
        assert reason in error.reason


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hunter2-hunter2", "config.plain_secret"),
        ('"hunter2"', "config.plain_secret"),
        ("7", "config.plain_secret"),
        ('{ evn = "hunter2" }', "config.bad_value"),
        ('{ env = "A", file = "hunter2" }', "config.bad_value"),
    ],
)
def test_a_secret_itself_is_refused_and_not_shown(models, user_file, text, code):
    error = refusal(user_file, models, "alert.token", text)
    assert (error.code, error.exit_status) == (code, 9)
    assert '{ env = "NAME" }' in error.reason + error.fix
    assert "hunter2" not in str(error.problem())


def test_an_old_secret_is_not_shown(models, user_file):
    plant(user_file, f'[alert]\ntoken = "{TOKEN}"\n')
    edit = put(user_file, models, "alert.token", '{ env = "TOKEN" }', dry_run=True)
    assert edit.before == secrets.HIDDEN
    assert edit.value == {"env": "TOKEN"}


def test_mistakes_that_were_there_are_not_in_the_way(models, user_file):
    user_file.write_text('[alert]\ncount = "x"\nnmae = 1\nratio = "y"\n[other]\nx = 1\n')
    put(user_file, models, "alert.count", "7")
    assert "count = 7\n" in user_file.read_text()
    assert refusal(user_file, models, "alert.wait", "90").code == "usage.bad_value"


@pytest.mark.parametrize("content", ["alert = 3\n", "[profiles]\nnight = 3\n"])
def test_a_value_where_a_table_should_be_is_named(models, user_file, content):
    user_file.write_text(content)
    profile = "night" if "night" in content else None
    error = refusal(user_file, models, "alert.count", "7", profile=profile)
    assert error.code == "config.bad_value"
    assert "is the number 3" in str(error)


def test_a_file_that_is_not_toml_stays(models, user_file):
    user_file.write_text("[alert\n")
    assert refusal(user_file, models, "alert.count", "7").code == "config.not_toml"


def test_a_plan_changes_nothing(models, tmp_path):
    file = tmp_path / "new" / "config.toml"
    edit = put(file, models, "alert.count", "7", dry_run=True)
    assert edit.is_change
    assert not file.parent.exists()


def test_the_same_value_again_is_no_change(models, user_file):
    user_file.write_text(WRITTEN)
    at = user_file.stat().st_mtime_ns
    assert not put(user_file, models, "alert.count", "3").is_change
    assert (user_file.read_text(), user_file.stat().st_mtime_ns) == (WRITTEN, at)
    user_file.write_text("[alert]\ncount = true\n")
    assert put(user_file, models, "alert.count", "1").is_change


def test_a_commented_line_comes_to_life_where_it_stands(models, user_file):
    user_file.write_text(template(models))
    put(user_file, models, "alert.count", "7")
    put(user_file, models, "alert.limits.upper", "9")
    put(user_file, models, "alert.token", '{ env = "TOKEN" }')
    put(user_file, models, "alert.channel.token", '{ env = "CHANNEL" }')
    expected = template(models).replace("# count = 1", "count = 7")
    expected = expected.replace("# upper = 100", "upper = 9")
    expected = expected.replace('# token = { env = "NAME" }', 'token = { env = "TOKEN" }', 1)
    written = user_file.read_text()
    assert written.startswith(expected.rstrip("\n"))
    assert written.endswith('[alert.channel]\ntoken = { env = "CHANNEL" }\n')


def test_the_file_that_is_written(tmp_path, monkeypatch):
    system, user = Place(layers.SYSTEM_FILE, "system"), Place(tmp_path / "u.toml", "user")
    named = Place(tmp_path / "n.toml", "X0TTA_CONFIG")
    assert editing.target([system, user]) == user
    assert editing.target([system, user, named]) == named
    assert editing.target([system, user, named], system=True) == system
    with pytest.raises(OperatorError) as caught:
        editing.target([system])
    assert (caught.value.code, caught.value.exit_status) == ("config.no_user_file", 9)


def test_a_new_file_does_not_replace_one_unasked(user_file):
    place = Place(user_file, "user")
    editing.create(place, "# first\n")
    with pytest.raises(OperatorError) as caught:
        editing.create(place, "# second\n")
    assert (caught.value.code, caught.value.exit_status) == ("config.exists", 5)
    assert user_file.read_text() == "# first\n"
    editing.create(place, "# second\n", force=True)
    assert user_file.read_text() == "# second\n"


def test_what_is_stronger_than_an_edit_is_named(models, user_file):
    key = find_key("alert.count", models)
    for environ, stronger in (
        ({}, None),
        ({"X0TTA_ALERT__COUNT": "9"}, "environment X0TTA_ALERT__COUNT"),
        ({"X0TTA_ALERT__RATIO": "broken"}, None),
    ):
        edit = put(user_file, models, "alert.count", "7")
        assert editing.stronger_than(edit, key, load(environ=environ), models) == stronger


def set_one(arguments):
    file, models, number = arguments
    put(file, models, f"alert.labels.k{number}", str(number))


def test_processes_at_the_same_time_lose_nothing(models, user_file):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pool.map(set_one, [(user_file, models, number) for number in range(12)], chunksize=1)
    labels = tomllib.loads(user_file.read_text())["alert"]["labels"]
    assert labels == {f"k{number}": str(number) for number in range(12)}


COMMENTS = st.sampled_from(["", "# a comment\n", "\n", "# [alert]\n", "# count = [\n", "# x = 1\n"])
VALUES = st.sampled_from(
    ["count = 3\n", "is_on = true # why\n", "numbers = [\n  1, # one\n  2,\n]\n",
     "limits.upper = 90\n", 'labels = { a = "b" }\n', "'ratio' = 0.5\n"]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    values=st.lists(st.tuples(COMMENTS, VALUES), unique_by=lambda pair: pair[1]),
    after=st.sampled_from(["", "[pay]\nwallet = 'x'\n", "[profiles.p.alert]\ncount = 1\n"]),
    number=st.integers(0, 2**53),
)
def test_only_the_one_value_changes(models, user_file, values, after, number):
    content = "[alert]\n" + "".join(map("".join, values)) + after
    user_file.write_text(content)
    expected = tomllib.loads(content)
    put(user_file, models, "alert.count", str(number))
    expected["alert"]["count"] = number
    written = user_file.read_text()
    assert tomllib.loads(written) == expected
    kept = [line for line in content.splitlines() if not line.lstrip("# ").startswith("count")]
    remaining = iter(written.splitlines())
    assert all(line in remaining for line in kept)
