"""What holds for every test: no unexplained skip, and no secret in what a run leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import secrets_used
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("x0tta", deadline=None)
# What `scripts/test --quick` asks for: a look at each property; the whole run searches.
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("x0tta")

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")
LEAKS = pytest.StashKey[list[str]]()


def allowed_reasons() -> list[str]:
    lines = ALLOWED_SKIPS.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file alone all of whose tests are left out: importing it may be what is slow."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return True if "\npytestmark = pytest.mark.slow\n" in collection_path.read_text() else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    found = [*session.config.stash.get(LEAKS, []), *leaks_of(session)]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        # A worker of several: the one process that reports looks at what all of them found.
        output["leaks"] = found
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    wrong = [f"skipped without leave: {line}" for line in unexplained_skips(reporter)]
    wrong += [f"a secret was written: {line}" for line in found]
    if wrong:
        reporter.write_line("")
        for line in wrong:
            reporter.write_line(line, red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker's scan found."""
    found = getattr(node, "workeroutput", {}).get("leaks", [])
    node.config.stash.setdefault(LEAKS, []).extend(found)  # type: ignore[attr-defined]


def unexplained_skips(reporter: object) -> Iterator[str]:
    allowed = allowed_reasons()
    for report in reporter.stats.get("skipped", []):  # type: ignore[attr-defined]
        if not any(reason in report.longrepr[2] for reason in allowed):
            yield f"{report.nodeid}: {report.longrepr[2]}"


def leaks_of(session: pytest.Session) -> list[str]:
    """Scan the temporary folders of this process, where it ran tests by itself."""
    if session.config.pluginmanager.has_plugin("dsession"):
        return []
    factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    return secrets_used.leaks(factory.getbasetemp())


@pytest.fixture
def state(tmp_path, monkeypatch) -> Path:
    """A state folder of the test's own."""
    folder = tmp_path / "state"
    monkeypatch.setenv("X0TTA_STATE_DIR", str(folder))
    return folder
