"""The shipped units of `x0tta pay`: their command lines, run as systemd and cron run them."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest
from fakes.bot_api import running_bot_api
from fakes.chains.server import Trouble
from fakes.pay_world import TON_SHOP, World, world

pytestmark = pytest.mark.slow
ANSWER_S = 60.0
UNITS = resources.files("x0tta_cli.pay") / "units"
SERVICES = ("reconcile", "watch", "bot")


def values_of(name: str) -> dict[str, str]:
    """What a unit says; a key that stands more than once keeps its last value."""
    lines = (UNITS / name).read_text().splitlines()
    pairs = [line.partition("=") for line in lines if line and line[0] not in "#["]
    return {key: value for key, _, value in pairs}


def command_of(name: str, options: str | None = None) -> list[str]:
    """The words of ExecStart, with the unit's OPTIONS or others."""
    values = values_of(name)
    given = values["Environment"].removeprefix("OPTIONS=") if options is None else options
    words = shlex.split(values["ExecStart"].replace("$OPTIONS", given))
    assert words[0] == "x0tta"
    return [str(Path(sys.executable).with_name("x0tta")), *words[1:]]


@pytest.fixture
def served(tmp_path) -> Iterator[World]:
    with world(tmp_path, "tonapi") as made:
        yield made


@pytest.fixture
def place(served, environment, x0tta) -> dict[str, str]:
    """An environment whose configuration names the chains, with a wallet and an order."""
    named = environment | {"X0TTA_CONFIG": str(served.config)}
    for words in (
        ["wallets", "add", "ton", TON_SHOP],
        ["expect", "add", "N-1", "3", "ton", "--valid-from", "-1h"],
    ):
        assert x0tta("pay", *words, "--config", str(served.config)).returncode == 0
    return named


class Manager:
    """What listens where systemd would: the socket of sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(ANSWER_S)

    def hear(self, state: str) -> list[str]:
        """Wait for a message with a state; all of its lines."""
        while True:
            lines = self._socket.recv(4096).decode().splitlines()
            if any(line.startswith(state) for line in lines):
                return lines

    def close(self) -> None:
        self._socket.close()


@contextmanager
def started(line: list[str], place: dict[str, str], folder: Path) -> Iterator[Manager]:
    """Run a service until it is ready; then stop it, and see it end well."""
    manager = Manager(folder)
    environment = place | {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"}
    log = folder / "log"
    with log.open("w") as file, subprocess.Popen(line, env=environment, stdout=file) as service:
        try:
            yield manager
        finally:
            service.send_signal(signal.SIGTERM)
        manager.hear("STOPPING=1")
        assert service.wait(ANSWER_S) == 143
    manager.close()


def test_watching_is_ready_keeps_the_watchdog_quiet_and_ends_on_sigterm(place, served, tmp_path):
    served.pay_ton(3 * 10**9, "N-1")
    with started(command_of("x0tta-pay-watch.service"), place, tmp_path) as manager:
        assert "STATUS=reconciling" in manager.hear("READY=1")
        assert manager.hear("STATUS=1 paid") == ["STATUS=1 paid"]
        manager.hear("WATCHDOG=1")
    [run] = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert run["changes"] == [{"order": "N-1", "from": "expected", "to": "paid"}]


def test_the_bot_is_ready_once_telegram_knows_it(place, served, tmp_path):
    with running_bot_api() as api:
        token = tmp_path / "token"
        token.write_text(api.token)
        token.chmod(0o600)
        with served.config.open("a") as file:
            file.write(f'\n[pay.bot]\napi_url = "{api.base_url}"\ntoken = {{ file = "{token}" }}\n')
        with started(command_of("x0tta-pay-bot.service"), place, tmp_path) as manager:
            [status] = [line for line in manager.hear("READY=1") if line.startswith("STATUS=")]
            assert status.startswith("STATUS=answering as @")
            manager.hear("WATCHDOG=1")


def test_the_timer_s_service_reconciles_once(place, served, tmp_path):
    served.pay_ton(3 * 10**9, "N-1")
    line = [*command_of("x0tta-pay-reconcile.service"), "-o", "json"]
    done = subprocess.run(line, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["orders"] == {"paid": 1}


@pytest.fixture
def cron(place):
    """Run the shipped line as cron runs it."""
    [line] = [one for one in (UNITS / "x0tta-pay.cron").read_text().splitlines() if "* *" in one]
    fields = line.split(None, 6)
    assert fields[:6] == ["*/5", "*", "*", "*", "*", "root"]
    environment = place | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    def run():
        command = ["/bin/sh", "-c", fields[6]]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_cron_mails_nothing_when_all_is_well_and_takes_an_answer_for_no_failure(
    cron, x0tta, served
):
    ended = cron()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    config = ["--config", str(served.config)]
    x0tta("pay", "expect", "add", "N-2", "2000", "ton", "--valid-from", "-1h", *config)
    served.pay_ton(2_000 * 10**9, "N-2")
    # One source is not enough for so much: the run ends with 10.
    ended = cron()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert x0tta("pay", "reconcile", *config).returncode == 10


def test_cron_mails_why_a_run_failed(cron, served):
    served.fakes["tonapi"].trouble = Trouble(is_down=True)
    ended = cron()
    assert (ended.returncode, "tonapi" in ended.stdout, ended.stderr) == (7, True, "")


@pytest.mark.parametrize("name", SERVICES)
def test_how_a_service_ends_is_no_failure(name):
    values = values_of(f"x0tta-pay-{name}.service")
    ends = set(values["SuccessExitStatus"].split())
    assert {"3", "10"} <= ends
    assert ("143" in ends) == (values["Type"] == "notify")
    assert values["NoNewPrivileges"] == "yes"
    assert values["ProtectSystem"] == "strict"
    assert values["StateDirectory"] == "x0tta"


def test_the_timer_is_installed_and_its_service_is_not():
    assert "[Install]" in (UNITS / "x0tta-pay-reconcile.timer").read_text()
    assert "[Install]" not in (UNITS / "x0tta-pay-reconcile.service").read_text()
