"""A server that the machine lacks is fetched as a Debian package, and nothing is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """\
#!/usr/bin/env python3
# A server that only its package's own files let start, as Debian's Alertmanager is.
import http.server, sys
words = open("/usr/share/x0tta-testbed/words").read()
port = next(a.rpartition(":")[2] for a in sys.argv if a.startswith("--web.listen-address="))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(words.encode())
http.server.HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""
# apt-get with package lists that are empty before the first update.
APT = """\
#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$*" in
  *update) touch "$here/updated" ;;
  *--print-uris)
    [ -e "$here/updated" ] || { echo "E: Unable to locate package" >&2; exit 100; }
    echo "'http://example.org/a.deb' a_1.0_all.deb 12345678 SHA256:0" ;;
  *download*) cp "$here/package.deb" a_1.0_all.deb ;;
esac
"""
TOOLS = ("dpkg", "dpkg-deb", "tar", "mount", "dirname", "touch", "cp", "sh")


@pytest.fixture
def machine(tmp_path, alertmanager) -> Path:
    """A machine without the server, with a cache of its own; its tools' folder."""
    root = tmp_path / "root"
    program = root / "usr/bin/prometheus-alertmanager"
    words = root / "usr/share/x0tta-testbed/words"
    for path, text in ((program, SERVER), (words, "ready")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    program.chmod(0o755)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: a\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: a server\n"
    )
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    # The interpreter itself: what the PATH has may be a script that needs other tools.
    (tools / "python3").symlink_to(Path(sys.executable).resolve())
    subprocess.run(["dpkg-deb", "--build", root, tools / "package.deb"], check=True)
    (tools / "apt-get").write_text(APT)
    (tools / "apt-get").chmod(0o755)
    cache = str(tmp_path / "cache")
    alertmanager.environment = {"PATH": str(tools), "XDG_CACHE_HOME": cache}
    return tools


def test_the_package_is_announced_fetched_once_and_seen_by_its_server_alone(
    machine, alertmanager, tmp_path
) -> None:
    done = alertmanager.run("up")
    assert done.returncode == 0, done.stderr
    assert "12 MB" in done.stderr
    calls = (machine / "calls").read_text().splitlines()
    assert [call.split()[-1] for call in calls] == [
        "--print-uris",
        "update",
        "--print-uris",
        "prometheus-alertmanager",
    ]
    assert not Path("/usr/share/x0tta-testbed").exists()
    alertmanager.kill()
    alertmanager.up()
    assert len((machine / "calls").read_text().splitlines()) == len(calls)
    package = tmp_path / "cache/x0tta/testbed/alertmanager"
    assert [path.name for path in package.iterdir()] == ["package"]


def test_a_download_that_was_cut_off_is_done_again(machine, alertmanager, tmp_path) -> None:
    half = tmp_path / "cache/x0tta/testbed/alertmanager/package.new"
    half.mkdir(parents=True)
    (half / "a_1.0_all.deb.partial").write_text("half")
    alertmanager.up()
    assert not half.exists()


def test_a_package_that_can_not_be_had_is_told(machine, alertmanager) -> None:
    (machine / "package.deb").unlink()
    done = alertmanager.run("up")
    assert done.returncode == 1
    assert "prometheus-alertmanager" in done.stderr
    assert "Traceback" not in done.stderr
