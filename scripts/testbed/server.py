"""Brings one real server up on loopback for tests, and down again.

`up` prints the server's URL on stdout, and nothing else; where it runs already, that is all it
does. `status` ends with 0 where it runs and with 3 where it does not. `down` ends it and removes
what it wrote. All that is said beside stands on stderr.

    ~/.cache/x0tta/testbed/NAME/package/    the Debian package, unpacked, where the machine has
                                            none: nothing is installed, so that no service starts
    ~/.cache/x0tta/testbed/NAME/run/        or --dir: configuration, data, log, and process.json
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

READY_WITHIN_S = 60.0
DOWN_WITHIN_S = 5.0
NOT_RUNNING = 3
# Debian's programs know the absolute paths of their files, so the server alone sees its package's
# /usr laid over the machine's. It needs no root, and keeps its process id through both programs.
IN_PACKAGE = 'mount -t overlay -o "ro,lowerdir=$0/usr:/usr" overlay /usr && exec "$@"'
RECORD = "process.json"
LOG = "log"


@dataclass(frozen=True)
class Server:
    """How one server is started.

    `prepare` writes its configuration into the folder; `arguments` are those of the command line,
    from folder and port. It is ready when a GET of `ready_path` answers 200, or as `is_ready` says
    where it does not speak HTTP. `url` is where it is reached, with the port in place of {port}.
    """

    name: str
    package: str
    program: str
    ready_path: str
    prepare: Callable[[Path], None]
    arguments: Callable[[Path, int], list[str]]
    url: str = "http://127.0.0.1:{port}"
    is_ready: Callable[[int], bool] | None = None

    def url_of(self, process: Process) -> str:
        return self.url.format(port=process.port)

    def answers(self, process: Process) -> bool:
        if self.is_ready is not None:
            return self.is_ready(process.port)
        return answers(self.url_of(process) + self.ready_path)


@dataclass(frozen=True)
class Process:
    """A process that is told from a later one of the same number, and the port it was given."""

    pid: int
    started_ticks: int
    boot_id: str
    port: int

    def is_running(self) -> bool:
        return self.boot_id == boot_id() and self.started_ticks == started_ticks(self.pid)


def main(server: Server) -> NoReturn:
    """Do what the command line says, and exit."""
    parser = argparse.ArgumentParser(prog=server.name, description=f"{server.name} for tests")
    parser.add_argument("action", choices=["up", "down", "status"])
    parser.add_argument("--dir", type=Path, help="the server's folder, in place of the cache's")
    parser.add_argument("--port", type=int, help="its port; else the one before, or a free one")
    options = parser.parse_args()
    folder = (options.dir or cache(server) / "run").absolute()
    if options.action == "status":
        sys.exit(status(server, folder))
    try:
        with alone(folder):
            if options.action == "up":
                print(server.url_of(up(server, folder, options.port)))
            else:
                down(server, folder)
    except subprocess.CalledProcessError as error:
        fail(f"{server.name}: {' '.join(map(str, error.cmd))} ended with {error.returncode}.")
    sys.exit(0)


def up(server: Server, folder: Path, port: int | None) -> Process:
    """Start the server unless it runs, and wait until it is ready."""
    record = read_record(folder)
    if record and record.is_running():
        if port not in {None, record.port}:
            fail(f"{server.name} runs on port {record.port} already; take it down first.")
        wait_until_ready(server, folder, record)
        return record
    if record is None and any(folder.iterdir()):
        fail(f"{folder} holds other files; name an empty folder.")
    program = command_of(server)
    chosen = port or (record.port if record and is_free(record.port) else free_port())
    if not is_free(chosen):
        fail(f"Port {chosen} is taken by another program.")
    # From here on the folder is known as the server's, whenever this ends.
    write_record(folder, Process(0, 0, "", chosen))
    server.prepare(folder)
    process = start([*program, *server.arguments(folder, chosen)], folder, chosen)
    wait_until_ready(server, folder, process)
    say(f"{server.name}: process {process.pid}, folder {folder}")
    return process


def down(server: Server, folder: Path) -> None:
    """End the server where it runs, and remove what `up` and it wrote."""
    record = read_record(folder)
    if record is None:
        say(f"{server.name} is not up.")
        return
    end(record)
    for path in folder.iterdir():
        # The record goes last: with it, an interrupted removal can be taken up again.
        if path.name == RECORD:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (folder / RECORD).unlink()


def status(server: Server, folder: Path) -> int:
    """Tell whether the server runs; its URL on stdout."""
    record = read_record(folder)
    if record is None or not record.is_running():
        say(f"{server.name} is not running{' any more' if record else ''}.")
        return NOT_RUNNING
    say(f"{server.name}: process {record.pid}, folder {folder}")
    print(server.url_of(record))
    return 0


def start(command: list[str], folder: Path, port: int) -> Process:
    """Run a command of its own session in `folder`, its output in the log."""
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            # Written by the process itself before it becomes the server: whoever is killed in
            # between leaves no server behind that nobody knows.
            write_record(folder, this_process(port))
            os.execv(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
        finally:
            os._exit(127)
    os.close(log)
    ticks = started_ticks(pid)
    return Process(pid, -1 if ticks is None else ticks, boot_id(), port)


def end(process: Process) -> None:
    """Ask a process to end, and make it, where it takes too long."""
    for signal_number, within_s in ((signal.SIGTERM, DOWN_WITHIN_S), (signal.SIGKILL, 5.0)):
        if not process.is_running():
            return
        os.kill(process.pid, signal_number)
        deadline = time.monotonic() + within_s
        while process.is_running() and time.monotonic() < deadline:
            time.sleep(0.05)
    if process.is_running():
        fail(f"Process {process.pid} does not end.")


def wait_until_ready(server: Server, folder: Path, process: Process) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if not process.is_running():
            fail(f"{server.name} ended at once; its log ends with:\n{log_end(folder)}")
        if server.answers(process):
            return
        time.sleep(0.1)
    end(process)
    fail(f"{server.name} was not ready in {READY_WITHIN_S:g} s; its log:\n{log_end(folder)}")


def answers(url: str) -> bool:
    # No proxy stands between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def command_of(server: Server) -> list[str]:
    """Find the server's program on the machine or in the cache; else fetch its Debian package."""
    installed = shutil.which(server.program)
    if installed:
        return [installed]
    package = cache(server) / "package"
    with alone(cache(server)):
        if not package.exists():
            fetch(server, package)
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    shell = ["/bin/sh", "-c", IN_PACKAGE, str(package)]
    return ["/usr/bin/unshare", "--mount", *mapped, *shell, f"/usr/bin/{server.program}"]


def fetch(server: Server, package: Path) -> None:
    """Download the package and unpack it beside; what is there under its name is whole."""
    beside = package.with_name("package.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        download(server.package, beside)
    except subprocess.CalledProcessError:
        say(f"The package lists lack {server.package} as it is now; reading them anew.")
        subprocess.run([*as_root(), "apt-get", "-qq", "update"], check=True, stdout=sys.stderr)
        download(server.package, beside)
    (archive,) = beside.glob("*.deb")
    subprocess.run(["dpkg", "-x", archive, beside], check=True)
    archive.unlink()
    beside.rename(package)


def download(package: str, folder: Path) -> None:
    # apt's helper user may not write into the cache of someone else.
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", package]
    announced = subprocess.run(
        [*command, "--print-uris"], check=True, stdout=subprocess.PIPE, text=True
    )
    _, file, size, *_ = announced.stdout.split()
    say(f"Downloading {file}: {int(size) / 1e6:.0f} MB")
    subprocess.run(command, check=True, cwd=folder, stdout=sys.stderr)


def as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["sudo"]


def cache(server: Server) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "x0tta" / "testbed" / server.name


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep others from the same folder; the lock goes with this process, however it ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def read_record(folder: Path) -> Process | None:
    try:
        return Process(**json.loads((folder / RECORD).read_text()))
    except FileNotFoundError:
        return None


def write_record(folder: Path, process: Process) -> None:
    beside = folder / f"{RECORD}.new"
    beside.write_text(json.dumps(asdict(process)))
    beside.rename(folder / RECORD)


def this_process(port: int) -> Process:
    return Process(os.getpid(), started_ticks(os.getpid()) or 0, boot_id(), port)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def started_ticks(pid: int) -> int | None:
    """Field 22 of proc_pid_stat(5); None where no such process runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field, a name in parentheses, may itself contain spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    # A zombie whose other threads still end (field 20) holds its port and files until they have.
    is_over = fields[0] in "ZX" and int(fields[17]) <= 1
    return None if is_over else int(fields[19])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def log_end(folder: Path) -> str:
    return "\n".join((folder / LOG).read_text(errors="replace").splitlines()[-15:])


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> NoReturn:
    say(text)
    sys.exit(1)
