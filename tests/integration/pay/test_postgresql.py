"""The PostgreSQL of the testbed: brought up once, of no use to root, and back after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

POSTGRESQL = Path(__file__).parents[3] / "scripts" / "testbed" / "postgresql"
pytestmark = pytest.mark.slow


def server(action: str, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [POSTGRESQL, action, "--dir", str(folder)], stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stdout.strip()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "server"
    yield made
    server("down", made)


def test_a_server_that_is_up_stays_and_one_that_was_killed_comes_back(folder):
    import psycopg

    assert server("status", folder)[0] == 3
    status, url = server("up", folder)
    assert (status, server("up", folder), server("status", folder)) == (0, (0, url), (0, url))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    process = json.loads((folder / "process.json").read_text())["pid"]
    os.kill(process, signal.SIGKILL)
    while Path(f"/proc/{process}").exists():
        time.sleep(0.05)
    assert server("status", folder)[0] == 3
    assert server("up", folder) == (0, url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)

    assert server("down", folder)[0] == 0
    assert list(folder.iterdir()) == []


def test_it_listens_on_this_machine_alone_and_runs_as_nobody_of_importance(folder):
    _, url = server("up", folder)
    port = int(url.rpartition(":")[2].partition("/")[0])
    listening = subprocess.run(
        ["ss", "-Hltn", f"sport = :{port}"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert listening.count("\n") == 1
    assert f"127.0.0.1:{port}" in listening
    process = json.loads((folder / "process.json").read_text())["pid"]
    # Root of the machine, if it was root who started it, and of no importance within.
    mapped = Path(f"/proc/{process}/uid_map").read_text().split()
    assert mapped[0] != "0" or mapped[2] != "1"
