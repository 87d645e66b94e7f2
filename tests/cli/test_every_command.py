"""Every command of the tree, on success and on failure, piped and on a terminal, as `-o json`.

A new command needs lines: `tests/command_lines/GROUP.py` has a table `LINES`, from the command's
path below x0tta to `Lines(success, failure)`; commands of the house itself are in `house.py`. Both
lines are run in every form of `FORMS`, each in a home of its own. A new file is found by itself.
`command_lines/line.py` says what a line may ask for.

Each line starts as the installed command does in one form: on success in a pipe, on failure on a
terminal. In the others it starts where x0tta is imported already (`command_lines/warm.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest
from command_lines.line import X0TTA, Line, Place, all_lines
from command_lines.terminals import Ended, cold, run_on_terminal, run_piped
from command_lines.warm import warm
from fakes.secrets_used import heard

from x0tta_cli.terminal.groups import GROUPS
from x0tta_cli.terminal.tree import command_tree

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "command_lines"
FORMS = {
    "piped": (run_piped, ("-o", "json")),
    "on a terminal": (run_on_terminal, ("-o", "json")),
    "as a table on a terminal": (run_on_terminal, ()),
    "quiet in a pipe": (run_piped, ("-o", "csv", "-q")),
}
AT_ONCE = 2
COLD = {"success": "piped", "failure": "on a terminal"}
# What is shown for programs in each of the forms above.
AS_JSON = ("piped", "on a terminal")


def paths() -> Iterator[tuple[str, bool]]:
    """Each command's path below x0tta, and whether it is a group."""
    for command in command_tree().walk():
        group = GROUPS.get(command.path[1]) if len(command.path) > 1 else None
        single = group is not None and len(command.path) == 2 and not command.commands
        yield " ".join(command.path[1:]), bool(command.commands) or (single and _is_empty(group))


def _is_empty(group) -> bool:
    return not getattr(import_module(group.module).app, "single", False)


PATHS = list(paths())
COMMANDS = [path for path, is_group in PATHS if not is_group]
LINES = all_lines()
CASES = [
    pytest.param(
        path,
        kind,
        id=f"{path}: {kind}",
        marks=[pytest.mark.slow] if path in LINES and getattr(LINES[path], kind).slow else [],
    )
    for path in COMMANDS
    for kind in ("success", "failure")
]


@pytest.mark.parametrize(("path", "kind"), CASES)
def test_a_command_ends_alike_in_every_form(path, kind, environment, tmp_path):
    line = line_of(path, kind)
    assert f"{line.words} ".startswith(f"{path} "), "a line of another command"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {
            form: pool.submit(run, line, form, environment, tmp_path, COLD[kind] == form)
            for form in FORMS
        }
        ended = {form: running.result() for form, running in runs.items()}
    told = "\n".join(f"{form}: {run.returncode} {run.stderr}" for form, run in ended.items())
    assert {form: run.returncode for form, run in ended.items()} == dict.fromkeys(
        FORMS, line.status
    ), told
    documents = {form: parsed(line, ended[form].stdout) for form in AS_JSON}
    if not line.varies:
        assert shape(documents["piped"]) == shape(documents["on a terminal"])
    for form in AS_JSON:
        check_streams(line, kind, ended[form])
    for form in ("piped", "quiet in a pipe"):
        assert "\x1b" not in ended[form].stdout + ended[form].stderr
    assert "Traceback" not in told
    for run_of_form in ended.values():
        heard(f"x0tta {line.words}", run_of_form.stdout + run_of_form.stderr)


@pytest.mark.parametrize("path", [path for path, _ in PATHS])
def test_an_unknown_option_ends_alike_everywhere(path, environment):
    line = [X0TTA, *path.split(), "--no-such-option-anywhere", "-o", "json"]
    for run_it in (run_piped, run_on_terminal):
        ended = run_it(line, environment, start=warm)
        assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
        assert problem_of(ended)["code"] == "usage.unknown_option"


def test_the_table_has_no_line_of_a_command_that_is_gone():
    assert sorted(set(LINES) - set(COMMANDS)) == []


def test_lines_say_what_they_are():
    for path, lines in LINES.items():
        assert lines.success.status in {0, 3, 10, 143}, path
        assert lines.failure.status not in {0, 1}, path


def line_of(path: str, kind: str) -> Line:
    if path not in LINES:
        name = path.split(maxsplit=1)[0]
        file = FOLDER / f"{name}.py"
        pytest.fail(
            f"x0tta {path} has no lines: add \"{path}\": Lines(success=Line('{path} …'), "
            f"failure=Line('{path} …', status, 'code')) to LINES in "
            f"tests/command_lines/{file.name if file.exists() else f'{name}.py or house.py'}; "
            f"tests/command_lines/line.py says what a line may ask for.",
            pytrace=False,
        )
    line: Line = getattr(LINES[path], kind)
    return line


def run(
    line: Line, form: str, environment: Mapping[str, str], folder: Path, starts_cold: bool
) -> Ended:
    """Run a line in one form, in a home of its own."""
    run_it, options = FORMS[form]
    home = folder / re.sub(r"\W", "-", form)
    home.mkdir()
    own = {"HOME": str(home), "X0TTA_STATE_DIR": str(home / "state")}
    place = Place(home, {**environment, **own})
    with line.around(place):
        words = line.arguments(place)
        # Behind -- everything belongs to the command.
        end = words.index("--") if "--" in words else len(words)
        whole = [X0TTA, *words[:end], *options, *words[end:]]
        start = cold if starts_cold else warm
        return run_it(whole, place.environment, line.stop(place), start)


def parsed(line: Line, stdout: str) -> object:
    """All of stdout, which is one document, or one a line; None where there is none."""
    if line.streams:
        return [json.loads(text) for text in stdout.splitlines()]
    return json.loads(stdout) if stdout else None


def check_streams(line: Line, kind: str, ended: Ended) -> None:
    """An answer is on stdout, an error the last line of stderr, and never both."""
    if kind == "success" or line.answers:
        assert ended.stdout or line.silent
        return
    assert ended.stdout == ""
    problem = problem_of(ended)
    assert problem["exit_status"] == line.status
    assert problem["type"] == f"urn:x0tta:error:{line.code or problem['code']}"


def problem_of(ended: Ended) -> dict[str, object]:
    """The last line of stderr; on a terminal, progress was drawn there before, and wiped off."""
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", ended.stderr.splitlines()[-1])
    problem: dict[str, object] = json.loads(last)
    return problem


def shape(value: object) -> object:
    """What a reader relies on: names, lengths and types, without the values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__
