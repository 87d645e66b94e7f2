"""The drill's alert at a real Alertmanager: seen, resolved, and found again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from x0tta_cli.core import journal

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from x0tta_cli.alert.settings import AlertSettings
from x0tta_cli.core import journal
from x0tta_cli.core.notices import Notice, Severity
from x0tta_cli.drill import tell
write, written = journal.Operation._write, 0
def counted(self, *args):
    global written
    written += 1
    if str(written) == os.environ["KILL_AT"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(self, *args)
journal.Operation._write = counted
settings = AlertSettings.model_validate(
    {"channels": {"am": {"kind": "alertmanager", "urls": (sys.argv[1],)}}})
tell.rehearse(Notice("Rehearsed", Severity.WARNING, {"component": "cart"},
    datetime(2026, 1, 2, tzinfo=UTC), annotations={"summary": "slow"}), settings)
"""


@pytest.fixture
def killed(state):
    """Kill a drill's telling at one of the lines that it writes; gives the operation's id."""

    def kill(url, line):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, url],
            env=os.environ | {"X0TTA_STATE_DIR": str(state), "KILL_AT": str(line)},
            check=False,
            timeout=60,
        )
        assert ended.returncode == -signal.SIGKILL
        return journal.operations()[-1].id

    return kill


def firing(server):
    return server.names().count("Rehearsed")


@pytest.mark.parametrize("line", range(2, 7))
def test_resume_ends_where_an_undisturbed_run_does(alertmanager, x0tta, killed, line):
    identifier = killed(alertmanager.url, line)
    ended = x0tta("ops", "resume", identifier, urls=[alertmanager.url])
    assert ended.returncode == 0, ended.stderr
    assert firing(alertmanager) == 0
    record = journal.find(identifier)
    assert record.state is journal.State.DONE
    assert record.done["fire"] == {"state": "visible", "receiver": alertmanager.url}


def test_clean_names_the_alert_that_still_fires_and_ends_it(alertmanager, x0tta, killed):
    # The third line says that the alert was seen; the fourth would begin to resolve it.
    identifier = killed(alertmanager.url, 4)
    assert firing(alertmanager) == 1
    planned = x0tta("ops", "clean", identifier, "--dry-run", urls=[alertmanager.url])
    assert f"Rehearsed at {alertmanager.url}" in planned.stdout
    assert firing(alertmanager) == 1
    ended = x0tta("ops", "clean", identifier, "--yes", urls=[alertmanager.url])
    assert ended.returncode == 0, ended.stderr
    assert firing(alertmanager) == 0
    assert journal.find(identifier).state is journal.State.CANCELLED


def test_clean_gives_nothing_up_while_nobody_can_say_whether_it_fires(
    fresh_alertmanager, x0tta, killed
):
    identifier = killed(fresh_alertmanager.url, 4)
    fresh_alertmanager.kill()
    ended = x0tta("ops", "clean", identifier, "--yes", urls=[fresh_alertmanager.url])
    assert ended.returncode == 7
    assert journal.find(identifier).state is journal.State.INTERRUPTED
    fresh_alertmanager.up()
