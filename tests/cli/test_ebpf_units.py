"""The shipped units of `x0tta ebpf`: their command lines, run as systemd runs them."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest
from fakes import veth

pytestmark = pytest.mark.slow

ANSWER_S = 30.0


@dataclass(frozen=True)
class Unit:
    """What a unit file says about its service; a key that stands more than once keeps its last."""

    values: dict[str, str]

    @classmethod
    def read(cls, name: str) -> Unit:
        text = (resources.files("x0tta_cli.ebpf") / "units" / name).read_text()
        lines = [line for line in text.splitlines() if not line.startswith(("#", "["))]
        pairs = [line.partition("=") for line in lines if line]
        return cls({key: value for key, _, value in pairs})

    def command(self, instance: str, **given: str) -> list[str]:
        """The words of ExecStart: `${NAME}` becomes one word, `$NAME` as many as it has."""
        set_by_unit = [pair.partition("=") for pair in self.values["Environment"].split()]
        variables = {name: value for name, _, value in set_by_unit} | given
        words = []
        for word in self.values["ExecStart"].replace("%i", instance).split():
            if word.startswith("${"):
                words.append(variables[word[2:-1]])
            elif word.startswith("$"):
                words += shlex.split(variables[word[1:]])
            else:
                words.append(word)
        assert words[0] == "x0tta"
        return [str(Path(sys.executable).with_name("x0tta")), *words[1:]]


class Manager:
    """What listens where systemd would: the socket of sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(ANSWER_S)

    def hear(self, state: str) -> str:
        """Wait for a message with a state, and give the status beside it."""
        while True:
            lines = self._socket.recv(4096).decode().splitlines()
            if state in lines:
                told = [line for line in lines if line.startswith("STATUS=")]
                return told[0].removeprefix("STATUS=") if told else ""

    def close(self) -> None:
        self._socket.close()


@contextmanager
def started(line: list[str], environment, folder: Path) -> Iterator[str]:
    """Run a service, with the status that it is ready with; then stop it, and see it end well."""
    manager = Manager(folder)
    environment = environment | {"NOTIFY_SOCKET": manager.address}
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE) as service:
        try:
            yield manager.hear("READY=1")
        finally:
            service.send_signal(signal.SIGTERM)
        manager.hear("STOPPING=1")
        assert service.wait(ANSWER_S) == 143
    manager.close()


@pytest.fixture
def pair():
    with veth.veth_pair() as made:
        yield made


@pytest.fixture
def environment(environment, tmp_path):
    with veth.bpf_filesystem(tmp_path / "bpf") as folder:
        yield environment | {"X0TTA_EBPF__BPF_FILESYSTEM": str(folder)}


def test_following_is_ready_once_attached_and_leaves_what_only_passes(environment, pair, tmp_path):
    unit = Unit.read("x0tta-ebpf-follow@.service")
    line = unit.command("near", OPTIONS=f"--netns {pair.netns}")
    with started(line, environment, tmp_path) as status:
        assert status == "attached: near"
        [first] = pair.programs()
        pair.recreate()
        assert veth.until(lambda: pair.programs() not in ([], [first]))
    assert len(pair.programs()) == 1


def test_following_is_ready_beside_an_interface_that_is_not_there_yet(environment, pair, tmp_path):
    unit = Unit.read("x0tta-ebpf-follow@.service")
    line = unit.command("ppp0", PROGRAM="flows", OPTIONS=f"--netns {pair.netns}")
    with started(line, environment, tmp_path) as status:
        assert status == "attached: none; waiting for ppp0"


def test_exporting_is_ready_once_it_answers(environment, x0tta, pair, tmp_path):
    attached = x0tta("ebpf", "attach", "near", "--program", "count", "--netns", pair.netns)
    assert attached.returncode == 0
    assert pair.ping(1) == 1
    unit = Unit.read("x0tta-ebpf-export.service")
    line = unit.command("", LISTEN="127.0.0.1:0", OPTIONS=f"--netns {pair.netns}")
    with started(line, environment, tmp_path) as status:
        where = status.removeprefix("serving ")
        with urllib.request.urlopen(where, timeout=ANSWER_S) as page:
            assert b"x0tta_ebpf_packets_total{" in page.read()


@pytest.mark.parametrize("name", ["x0tta-ebpf-follow@.service", "x0tta-ebpf-export.service"])
def test_how_a_service_ends_on_a_signal_is_no_failure(name):
    unit = Unit.read(name)
    assert unit.values["Type"] == "notify"
    assert {"3", "10", "143"} <= set(unit.values["SuccessExitStatus"].split())
