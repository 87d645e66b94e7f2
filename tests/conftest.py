"""What holds for every test: nothing is skipped unless `allowed_skips.txt` says why."""

from __future__ import annotations

from pathlib import Path

import pytest

ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")


def allowed_reasons() -> list[str]:
    lines = ALLOWED_SKIPS.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        # A worker of several: the one process that reports looks at what all of them skipped.
        return
    allowed = allowed_reasons()
    unexplained = [
        f"{report.nodeid}: {report.longrepr[2]}"
        for report in reporter.stats.get("skipped", [])
        if not any(reason in report.longrepr[2] for reason in allowed)
    ]
    if unexplained:
        reporter.write_line("")
        for line in unexplained:
            reporter.write_line(f"skipped without leave: {line}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def state(tmp_path, monkeypatch) -> Path:
    """A state folder of the test's own."""
    folder = tmp_path / "state"
    monkeypatch.setenv("X0TTA_STATE_DIR", str(folder))
    return folder
