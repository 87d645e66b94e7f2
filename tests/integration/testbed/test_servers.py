"""The testbed's servers come up once, on loopback, and end when they are told and only then."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from x0tta_cli.core.http import Client

LISTENING = "0A"
LOOPBACK = "0100007F"


def listening_addresses(pid: int) -> set[str]:
    """The local addresses of a process' listening TCP sockets, as /proc/net/tcp writes them."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    return {
        fields[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:])
        if fields[3] == LISTENING and fields[9] in inodes
    }


def test_up_prints_the_url_of_a_server_that_is_ready_on_loopback_alone(server) -> None:
    url = server.up()
    with Client(url) as client:
        assert client.request("GET", "/-/ready").status == 200
    assert listening_addresses(server.pid) == {LOOPBACK}


def test_up_again_is_the_same_server(server) -> None:
    first, pid = server.up(), server.pid
    assert (server.up(), server.pid) == (first, pid)


def test_status_tells_what_is(server, alive) -> None:
    assert server.run("status").returncode == 3
    url, pid = server.up(), server.pid
    told = server.run("status")
    assert (told.returncode, told.stdout.strip()) == (0, url)
    assert str(pid) in told.stderr
    server.kill()
    told = server.run("status")
    assert (told.returncode, told.stdout) == (3, "")


def test_a_server_that_was_killed_comes_up_again_at_the_same_place(server) -> None:
    url, pid = server.up(), server.pid
    server.kill()
    assert server.up() == url
    assert server.pid != pid
    with Client(url) as client:
        assert client.request("GET", "/-/ready").status == 200


def test_down_ends_it_and_removes_what_it_wrote(server, alive) -> None:
    server.up()
    pid = server.pid
    for _ in range(2):
        assert server.run("down").returncode == 0
        assert not alive(pid)
        assert list(server.folder.iterdir()) == []
    server.up()
    server.kill()
    assert server.run("down").returncode == 0
    assert list(server.folder.iterdir()) == []


def test_two_at_once_start_one_server(server) -> None:
    both = [
        subprocess.Popen(server.command("up"), stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    urls = {process.communicate(timeout=120)[0].strip() for process in both}
    assert urls == {server.run("status").stdout.strip()}


def test_whoever_is_killed_while_starting_leaves_no_unknown_server(server, alive) -> None:
    starting = subprocess.Popen(server.command("up"), stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    # The record is the folder's claim first, without a process.
    while not (server.record.exists() and server.pid) and time.monotonic() < deadline:
        time.sleep(0.001)
    starting.kill()
    starting.wait()
    pid = server.pid
    server.up()
    assert server.pid == pid
    assert server.run("down").returncode == 0
    assert not alive(pid)


@pytest.mark.parametrize("changed", [{"started_ticks": 1}, {"boot_id": "another boot"}])
def test_a_process_that_was_given_the_number_of_an_old_server_is_left_alone(
    alertmanager, alive, changed
) -> None:
    alertmanager.up()
    alertmanager.kill()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    try:
        record = json.loads(alertmanager.record.read_text())
        ticks = int(Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19])
        record.update({"pid": other.pid, "started_ticks": ticks, **changed})
        alertmanager.record.write_text(json.dumps(record))
        assert alertmanager.run("status").returncode == 3
        alertmanager.up()
        assert alertmanager.pid != other.pid
        alertmanager.kill()
        alertmanager.record.write_text(json.dumps(record))
        assert alertmanager.run("down").returncode == 0
        assert alive(other.pid)
    finally:
        other.kill()
        other.wait()


def test_a_server_that_does_not_hear_is_ended(alertmanager, alive) -> None:
    alertmanager.up()
    pid = alertmanager.pid
    # It can't answer SIGTERM while it is stopped.
    os.kill(pid, signal.SIGSTOP)
    assert alertmanager.run("down").returncode == 0
    assert not alive(pid)


def test_a_port_may_be_wished_for(alertmanager) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = alertmanager.run("up", "--port", str(port))
        assert refused.returncode == 1
        assert f"Port {port} is taken" in refused.stderr
        assert not alertmanager.record.exists()
        alertmanager.up()
        refused = alertmanager.run("up", "--port", str(port))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "take it down first" in refused.stderr
        assert alertmanager.run("down").returncode == 0
    assert alertmanager.up("--port", str(port)) == f"http://127.0.0.1:{port}"


def test_a_killed_servers_port_that_is_taken_since_is_given_up(alertmanager) -> None:
    url = alertmanager.up()
    alertmanager.kill()
    with socket.create_server(("127.0.0.1", int(url.rpartition(":")[2]))):
        assert alertmanager.up() not in {"", url}


def test_a_folder_of_someone_else_is_left_alone(alertmanager) -> None:
    alertmanager.folder.mkdir()
    other = alertmanager.folder / "data"
    other.write_text("mine")
    refused = alertmanager.run("up")
    assert refused.returncode == 1
    assert "other files" in refused.stderr
    assert alertmanager.run("down").returncode == 0
    assert other.read_text() == "mine"
    other.unlink()


def test_a_server_that_can_not_start_shows_its_log(alertmanager) -> None:
    alertmanager.up()
    alertmanager.kill()
    data = alertmanager.folder / "data"
    data.rename(alertmanager.folder / "aside")
    data.write_text("a file where a folder should be")
    refused = alertmanager.run("up")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "its log ends with" in refused.stderr
    assert "data" in refused.stderr


def test_an_alert_is_taken_and_read_back(alertmanager) -> None:
    with Client(alertmanager.up()) as client:
        alert = {"labels": {"alertname": "Probe"}, "annotations": {"summary": "a probe"}}
        posted = client.request("POST", "/api/v2/alerts", json=[alert])
        assert posted.status == 200
        (found,) = client.request("GET", "/api/v2/alerts").json()
    assert found["labels"] == alert["labels"]
    assert found["status"]["state"] in {"active", "unprocessed"}
