"""x0tta without its extras: everything says what it misses, and how to get it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_what_needs_no_extra_works(base):
    assert base("--version").returncode == 0
    for words in ([], ["drill"], ["drill", "run"], ["drill", "list"], ["explain"]):
        ended = base(*words, "--help")
        assert (ended.returncode, ended.stderr) == (0, ""), words
    incidents = json.loads(base("drill", "list", "-o", "json").stdout)
    assert len(incidents) == 34
    assert base("explain", "extras.missing").returncode == 0


def test_no_heavy_package_came_along(base_x0tta):
    python = base_x0tta.with_name("python")
    code = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
    heavy = ["numpy", "torch", "torch_geometric", "shap", "matplotlib", "jinja2"]
    found = subprocess.run(
        [python, "-c", code.format(heavy)], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
