"""Who counts as cut off, and who is logged in."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from dataclasses import asdict

import pytest

from x0tta_cli.ebpf import selfcheck
from x0tta_cli.ebpf.model import HostCheck
from x0tta_cli.ebpf.selfcheck import Target, cut_off, target_from


def target(*, neighbour=True, round_trip=True) -> Target:
    return Target("192.0.2.1", "keep", "eth0", 2, "192.0.2.1", neighbour, round_trip)


def answer(*, neighbour=True, round_trip_ms=0.5) -> HostCheck:
    return HostCheck("192.0.2.1", "eth0", "keep", neighbour, round_trip_ms)


@pytest.mark.parametrize(
    ("before", "after", "is_cut_off"),
    [
        (target(), answer(), False),
        (target(), answer(round_trip_ms=None), True),
        (target(), answer(neighbour=False), True),
        (target(round_trip=False), answer(round_trip_ms=None), False),
        (target(round_trip=False), answer(neighbour=False, round_trip_ms=None), True),
        (target(neighbour=False, round_trip=False), answer(neighbour=False), False),
    ],
)
def test_cut_off_is_who_answered_before_and_no_longer_does(before, after, is_cut_off):
    assert bool(cut_off([before], [after])) is is_cut_off


def test_a_target_is_read_back():
    assert target_from(asdict(target())) == target()


def test_the_ssh_peer_is_found_above_where_sudo_has_dropped_the_variable():
    code = (
        "import os, subprocess, sys; subprocess.run([sys.executable, '-c', "
        "'from x0tta_cli.ebpf.selfcheck import ssh_peer; print(ssh_peer())'], "
        "env={k: v for k, v in os.environ.items() if k != 'SSH_CONNECTION'})"
    )
    environment = {"SSH_CONNECTION": "2001:2::7 50022 2001:2::1 22", "PATH": "/usr/bin:/bin"}
    shown = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert shown.strip() == "2001:2::7"


def test_an_own_ssh_peer_is_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22")
    assert selfcheck.ssh_peer() == ipaddress.ip_address("192.0.2.7")
