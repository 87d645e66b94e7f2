"""x0tta without its extras: everything says what it misses, and how to get it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_lines.line import Place, all_lines
from command_lines.terminals import run_piped
from fakes.secrets_used import heard
from filelock import FileLock

from x0tta_cli.core.extras import EXTRAS
from x0tta_cli.terminal.tree import command_tree

pytestmark = pytest.mark.slow

LINES = all_lines()
CONSTRAINTS = Path(__file__).parents[2] / "scripts" / "constraints.txt"


def the_wheel() -> Path:
    (wheel,) = (Path(sys.prefix) / "wheel").glob("x0tta-*.whl")
    return wheel


@pytest.fixture(scope="session")
def base_x0tta(tmp_path_factory) -> Path:
    """The command of an environment with the wheel and its base dependencies, made once."""
    content = the_wheel().read_bytes() + CONSTRAINTS.read_bytes() + sys.version.encode()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "x0tta" / f"base-{hashlib.sha256(content).hexdigest()[:16]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Workers of one run ask for it at once.
    with FileLock(f"{folder}.lock"):
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
            subprocess.run([*pip, "--constraint", CONSTRAINTS, the_wheel()], check=True)
            (folder / "complete").touch()
    return folder / "bin" / "x0tta"


@pytest.fixture
def base(base_x0tta, environment):
    def run(*arguments):
        return subprocess.run(
            [base_x0tta, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_a_missing_extra_ends_in_the_command_that_installs_it(base):
    ended = base("drill")
    assert ended.returncode == 8
    assert "pip install 'x0tta[ml]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    problem = json.loads(base("drill", "-o", "json").stderr)
    assert (problem["code"], problem["exit_status"]) == ("extras.missing", 8)


def test_the_help_of_every_command_works(base):
    lines = [command.path[1:] for command in command_tree().walk()]
    with ThreadPoolExecutor(4) as pool:
        helped = pool.map(lambda words: base(*words, "--help"), lines)
        for words, ended in zip(lines, helped, strict=True):
            assert (ended.returncode, ended.stderr) == (0, ""), words
            assert ended.stdout


@pytest.mark.parametrize("path", sorted(LINES))
def test_a_command_works_or_says_which_extra_it_misses(base_x0tta, environment, tmp_path, path):
    line = LINES[path].success
    place = Place(tmp_path, environment)
    with line.around(place):
        words = line.arguments(place)
        end = words.index("--") if "--" in words else len(words)
        whole = [str(base_x0tta), *words[:end], "-o", "json", *words[end:]]
        ended = run_piped(whole, place.environment, line.stop(place))
    heard(f"x0tta {line.words}", ended.stdout + ended.stderr)
    if not line.extra:
        assert ended.returncode == line.status, ended.stderr
        return
    assert (ended.returncode, ended.stdout) == (8, ""), ended.stderr
    problem = json.loads(ended.stderr.splitlines()[-1])
    assert (problem["code"], problem["context"]["extra"]) == ("extras.missing", line.extra)
    assert f"pip install 'x0tta[{line.extra}]'" in problem["fix"]


def test_what_needs_no_extra_works(base):
    assert base("--version").returncode == 0
    incidents = json.loads(base("drill", "list", "-o", "json").stdout)
    assert len(incidents) == 34
    assert base("explain", "extras.missing").returncode == 0


def test_no_heavy_package_came_along(base_x0tta):
    python = base_x0tta.with_name("python")
    code = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
    heavy = sorted({package for packages in EXTRAS.values() for package in packages})
    found = subprocess.run(
        [python, "-c", code.format(heavy)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
