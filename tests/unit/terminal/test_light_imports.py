"""Start-up stays light: what help needs imports nothing but Typer and the standard library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import x0tta_cli

pytestmark = pytest.mark.slow

PACKAGE = Path(x0tta_cli.__file__).parent
SCRIPT = """
import importlib, json, sys
import typer.main
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""

# What takes as long to import as many a command to run.
HEAVY = {"pydantic", "sqlalchemy", "httpx", "rich", "csv", "decimal", "importlib.metadata"}


def modules_that_must_be_light():
    terminal = [f"x0tta_cli.terminal.{path.stem}" for path in (PACKAGE / "terminal").glob("*.py")]
    clis = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in (*PACKAGE.rglob("cli.py"), *PACKAGE.rglob("cli/*.py"))
    ]
    named = [name.removesuffix(".__init__") for name in (*terminal, *clis)]
    return sorted({*named, "x0tta_cli.__main__"})


def imported_by(*names):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *names], capture_output=True, text=True, check=True
    )
    return set(json.loads(ended.stdout))


@pytest.mark.parametrize("name", modules_that_must_be_light())
def test_imports_are_light(name):
    heavy = imported_by(name) - set(sys.stdlib_module_names) - {"x0tta_cli", "typer"}
    assert heavy == set()


def test_the_test_notices_what_is_heavy():
    assert imported_by("rich.console") >= {"rich"}


def test_version_and_help_of_the_root_import_no_typer():
    script = (
        "import sys; sys.argv = ['x0tta', '{}']\n"
        "from x0tta_cli.__main__ import main\n"
        "main()\n"
        "print([name for name in ('typer', 'pydantic', 'rich') if name in sys.modules])"
    )
    for option in ("--version", "--help"):
        ended = subprocess.run(
            [sys.executable, "-c", script.format(option)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    "line",
    [
        ["ebpf", "list"],
        ["ebpf", "detach", "nowhere0", "--yes"],
        ["ops", "clean", "1", "2"],
        ["ops", "list", "-o", "json"],
        ["status", "-o", "json"],
    ],
)
def test_where_nothing_is_configured_no_model_of_the_configuration_is_loaded(tmp_path, line):
    """Texts are taken as they are, also a list of them, and defaults known without their model."""
    script = (
        "import sys\n"
        "from x0tta_cli.__main__ import main\n"
        "main()\n"
        f"print(sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *line],
        env=os.environ | {"X0TTA_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr.splitlines()[-1] == "[]"


def test_a_key_needs_no_model_but_that_of_its_own_section(tmp_path):
    script = (
        "import sys\n"
        "from x0tta_cli.__main__ import main\n"
        "main()\n"
        "print(*sorted(n for n in sys.modules if n.endswith('.settings')), file=sys.stderr)"
    )
    for line in (["get", "drill.seed"], ["set", "drill.seed", "7"], ["show", "drill"]):
        ended = subprocess.run(
            [sys.executable, "-c", script, "config", *line],
            env=os.environ | {"X0TTA_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stderr == "x0tta_cli.drill.settings\n"
