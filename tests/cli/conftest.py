"""Runs x0tta as its users do: as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from command_lines.terminals import Ended, run_piped
from command_lines.warm import warm
from fakes.secrets_used import heard

Run = Callable[..., subprocess.CompletedProcess[str]]

X0TTA = [str(Path(sys.executable).with_name("x0tta"))]
PRACTICE = [sys.executable, str(Path(__file__).with_name("practice.py"))]
OURS = ("X0TTA_", "PYTHONUNBUFFERED", "NO_COLOR", "COLUMNS", "LINES", "LC_", "LANG", "TERM")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of the tester's own is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return kept | {
        "HOME": str(tmp_path),
        "X0TTA_STATE_DIR": str(tmp_path / "state"),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "TZ": "UTC",
    }


@pytest.fixture
def x0tta(environment: dict[str, str]) -> Run:
    """Run the installed x0tta."""
    return _runner(X0TTA, environment)


@pytest.fixture
def warm_x0tta(environment: dict[str, str]) -> Callable[..., Ended]:
    """Run the installed x0tta where it is imported already: its start is not what is tested."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> Ended:
        ended = run_piped([*X0TTA, *arguments], environment | (env or {}), start=warm)
        heard(f"{arguments}", f"{ended.stdout}{ended.stderr}")
        return ended

    return run


@pytest.fixture
def practice(environment: dict[str, str]) -> Run:
    """Run x0tta with the group `practice`."""
    return _runner(PRACTICE, environment)


@pytest.fixture
def alert(x0tta: Run, tmp_path: Path) -> Run:
    """Run `x0tta alert …` with a configuration."""

    def run(
        configuration: str, name: str, *arguments: str, **options: object
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "alert.toml"
        file.write_text(configuration)
        return x0tta("alert", name, "--config", str(file), *arguments, **options)

    return run


@pytest.fixture
def practice_line() -> list[str]:
    """The command line of x0tta with the group `practice`, for tests that start it themselves."""
    return PRACTICE


def _runner(line: Sequence[str], environment: dict[str, str]) -> Run:
    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        extra = options.pop("env", {})
        assert isinstance(extra, dict)
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        ended = subprocess.run(  # type: ignore[call-overload]
            [*line, *arguments],
            env=environment | extra,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            **(given | options),
        )
        heard(f"{arguments}", f"{ended.stdout}{ended.stderr}")
        return ended  # type: ignore[no-any-return]

    return run
